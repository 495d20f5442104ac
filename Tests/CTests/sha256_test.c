/* SHA-256: the examples of FIPS 180-4, every length around a block, pieces of every size. */
#include "sha256.h"

#include <stdio.h>

#include "rig.h"
#include "str.h"
#include "test.h"

static const char *hex(const void *bytes, size_t len, size_t piece) {
    static char text[65];
    uint8_t out[32];
    gale__sha256_t s;
    gale__sha256_init(&s);
    for (size_t at = 0; at < len; at += piece)
        gale__sha256_add(&s, (const char *)bytes + at, len - at < piece ? len - at : piece);
    gale__sha256_end(&s, out);
    for (int i = 0; i < 32; i++) sprintf(text + 2 * (size_t)i, "%02x", out[i]);
    return text;
}

TEST(sha256, examples) {
    static const struct {
        const char *text, *digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "m"
         "nopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_EQ_STRS(gale_cstr(hex(rows[i].text, strlen(rows[i].text), 1000)),
                      gale_cstr(rows[i].digest));
}

TEST(sha256, a_million) {
    static char a[1000000];
    memset(a, 'a', sizeof a);
    for (size_t piece = 1000; piece < 100000; piece += 9973)
        CHECK_EQ_STR(gale_cstr(hex(a, sizeof a, piece)),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However it is cut up, it is the same; a byte more or less, and it is not. */
TEST(sha256, pieces) {
    char last[65] = "";
    for (size_t len = 0; len < 200; len++) {
        char whole[65];
        strcpy(whole, hex(rig_pattern(200), len, 200));
        for (size_t piece = 1; piece < 130; piece++)
            CHECK_EQ_STRS(gale_cstr(hex(rig_pattern(200), len, piece)), gale_cstr(whole));
        CHECK(strcmp(whole, last) != 0);
        strcpy(last, whole);
    }
}
