/* SHA-1 against FIPS 180-4 and RFC 3174 examples and all lengths around a block; base64 against RFC
 * 4648 10. */
#include "sha1.h"

#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "test.h"

static gale_str_t sha1_hex(const char *bytes, size_t len, char out[41]) {
    uint8_t digest[20];
    gale__sha1(bytes, len, digest);
    for (size_t i = 0; i < 20; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return gale_str(out, 40);
}

TEST(sha1, examples) {
    char hex[41];
    CHECK_EQ_STR(sha1_hex("", 0, hex), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK_EQ_STR(sha1_hex("abc", 3, hex), "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK_EQ_STR(sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex),
                 "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    char *a = malloc(1000000);
    REQUIRE(a != NULL);
    memset(a, 'a', 1000000);
    CHECK_EQ_STR(sha1_hex(a, 1000000, hex), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(a);
}

/* The digests of "", "\x00", "\x00\x01" ... up to 200 bytes, hashed together: computed with
 * Python's hashlib. */
TEST(sha1, every_length_around_a_block) {
    uint8_t text[200], all[201 * 20];
    char hex[41];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)i;
    for (size_t n = 0; n <= sizeof text; n++) {
        char *copy = malloc(n > 0 ? n : 1); /* exact size: ASan sees a read too far */
        REQUIRE(copy != NULL);
        memcpy(copy, text, n);
        gale__sha1(copy, n, all + n * 20);
        free(copy);
    }
    CHECK_EQ_STR(sha1_hex((const char *)all, sizeof all, hex),
                 "30f906e3c78b841ee4b73d0cb2850660435758b3");
}

static gale_str_t encode(const char *text, char *out) {
    return gale_str(out, gale__base64_encode(text, strlen(text), out));
}

TEST(base64, encode) {
    char out[64];
    CHECK_EQ_STR(encode("", out), "");
    CHECK_EQ_STR(encode("f", out), "Zg==");
    CHECK_EQ_STR(encode("fo", out), "Zm8=");
    CHECK_EQ_STR(encode("foo", out), "Zm9v");
    CHECK_EQ_STR(encode("foob", out), "Zm9vYg==");
    CHECK_EQ_STR(encode("fooba", out), "Zm9vYmE=");
    CHECK_EQ_STR(encode("foobar", out), "Zm9vYmFy");
    CHECK_EQ_STR(encode("\xfb\xff\xfe", out), "+//+");
}

TEST(base64, round_trip) {
    uint8_t bytes[100], back[102];
    char text[140];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t len = gale__base64_encode(bytes, n, text), back_len = 999;
        CHECK_EQ_UINT(len, (n + 2) / 3 * 4);
        CHECK(gale__base64_decode(gale_str(text, len), back, &back_len));
        CHECK_EQ_UINT(back_len, n);
        CHECK_EQ_MEM(back, bytes, n);
    }
}

TEST(base64, refuses) {
    static const char *const bad[] = {
        "A",        "AA",       "AAA",  "AAAAA", "====", "A===",    "=AAA",         "AA=A",
        "Zg==Zg==", "Zm8=Zm8=", "Zm9-", "Zm9_",  " Zm9", "Zm9\x80", "Zm9v\n\n\n\n", "AA======"};
    uint8_t out[16];
    size_t len;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(!gale__base64_decode(gale_cstr(bad[i]), out, &len), "taken: %s", bad[i]);
    CHECK(!gale__base64_decode(gale_str("Zm9\0", 4), out, &len));
    /* RFC 6455 4.1: the sample key has bits behind its last byte. */
    CHECK(gale__base64_decode(GALE__LIT("AQIDBAUGBwgJCgsMDQ4PEC=="), (uint8_t[18]){0}, &len));
    CHECK_EQ_UINT(len, 16);
}
