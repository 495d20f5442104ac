/*
 * WebSocket frames: headers whole and byte by byte (WS-09, WS-10), written headers read back, masks
 * at every alignment, length and offset (WS-18), close codes (WS-12), the handshake's key (WS-03,
 * WS-04).
 */
#include "ws_frame.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

/* Parses with one more byte each time; gives the verdict and at how many bytes it fell. */
static int verdict(const char *bytes, size_t len, bool rsv1, size_t *at, gale__ws_frame_t *f) {
    int result = 0;
    const char *error = NULL;
    for (*at = 0; *at <= len; ++*at) {
        char *copy = malloc(*at > 0 ? *at : 1);
        if (copy == NULL) return 0;
        if (*at > 0) memcpy(copy, bytes, *at);
        result = gale__ws_frame_parse(f, rsv1, copy, *at, &error);
        free(copy);
        if (result != 0) break;
    }
    CHECK((result < 0) == (error != NULL));
    return result;
}

#define REFUSED(text, rsv1, when)                                                                  \
    do {                                                                                           \
        gale__ws_frame_t f_;                                                                       \
        size_t at_;                                                                                \
        CHECK_EQ_INT(verdict(text, sizeof(text) - 1, rsv1, &at_, &f_), -1002);                     \
        CHECK_EQ_UINT(at_, when);                                                                  \
    } while (0)

TEST(ws_frame, masked_hello) { /* RFC 6455 5.7 */
    gale__ws_frame_t f;
    size_t at;
    CHECK_EQ_INT(verdict("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, false, &at, &f), 6);
    CHECK_EQ_UINT(at, 6);
    CHECK(f.fin && !f.rsv1);
    CHECK_EQ_INT(f.opcode, GALE__WS_TEXT);
    CHECK_EQ_UINT(f.length, 5);
    char payload[] = "\x7f\x9f\x4d\x51\x58";
    gale__ws_mask(payload, 5, f.mask, 0);
    CHECK_EQ_STR(gale_str(payload, 5), "Hello");
}

TEST(ws_frame, long_lengths) {
    gale__ws_frame_t f;
    size_t at;
    CHECK_EQ_INT(verdict("\x02\xfe\x00\x7e\1\2\3\4", 8, false, &at, &f), 8);
    CHECK_EQ_UINT(f.length, 126);
    CHECK(!f.fin);
    CHECK_EQ_INT(f.opcode, GALE__WS_BINARY);
    CHECK_EQ_MEM(f.mask, "\1\2\3\4", 4);
    CHECK_EQ_INT(verdict("\x82\xfe\xff\xff\1\2\3\4", 8, false, &at, &f), 8);
    CHECK_EQ_UINT(f.length, 65535);
    CHECK_EQ_INT(verdict("\x82\xff\0\0\0\0\0\1\0\0\1\2\3\4", 14, false, &at, &f), 14);
    CHECK_EQ_UINT(f.length, 65536);
    CHECK_EQ_INT(verdict("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4", 14, false, &at, &f),
                 14);
    CHECK_EQ_UINT(f.length, INT64_MAX);
    CHECK_EQ_INT(verdict("\x80\x80\1\2\3\4", 6, false, &at, &f), 6);
    CHECK_EQ_INT(f.opcode, GALE__WS_CONT);
    CHECK_EQ_UINT(f.length, 0);
    CHECK_EQ_INT(verdict("\x8a\xfd\1\2\3\4", 6, false, &at, &f), 6);
    CHECK_EQ_UINT(f.length, 125);
}

/* WS-09, WS-10: at the earliest byte that shows it. */
TEST(ws_frame, refused_at_the_earliest_byte) {
    REFUSED("\xa1\x80", true, 1);                      /* RSV2 */
    REFUSED("\x91\x80", true, 1);                      /* RSV3 */
    REFUSED("\xc1\x80", false, 1);                     /* RSV1, not agreed */
    REFUSED("\xc8\x80", true, 1);                      /* RSV1 on close */
    REFUSED("\xc0\x80", true, 1);                      /* RSV1 on a continuation */
    REFUSED("\x09\x80", false, 1);                     /* fragmented ping */
    REFUSED("\x81\x05Hello", false, 2);                /* unmasked */
    REFUSED("\x89\xfe\0\x7e", false, 2);               /* ping of 126 */
    REFUSED("\x88\xff\0\0\0\0\0\0\0\1", false, 2);     /* close, 64-bit length */
    REFUSED("\x82\xfe\0\x7d\1\2\3\4", false, 4);       /* 125 in 16 bits */
    REFUSED("\x82\xff\x80\0\0\0\0\0\0\0", false, 3);   /* top bit */
    REFUSED("\x82\xff\0\0\0\0\0\0\xff\xff", false, 8); /* 65535 in 64 bits */
}

TEST(ws_frame, opcodes) {
    for (int op = 0; op < 16; op++) {
        char head[6] = {(char)(0x80 | op), (char)0x80, 0, 0, 0, 0};
        gale__ws_frame_t f;
        size_t at;
        bool known = op <= 2 || (op >= 8 && op <= 10);
        CHECK_EQ_INT(verdict(head, 6, false, &at, &f), known ? 6 : -1002);
        CHECK_EQ_UINT(at, known ? 6 : 1);
        head[0] = (char)(0xc0 | op);
        CHECK_EQ_INT(verdict(head, 6, true, &at, &f), op == 1 || op == 2 ? 6 : -1002);
    }
}

TEST(ws_frame, written_headers) {
    char out[10];
    CHECK_EQ_STR(gale_str(out, gale__ws_frame_write(out, GALE__WS_TEXT, true, false, 5)), "\x81\5");
    CHECK_EQ_STR(gale_str(out, gale__ws_frame_write(out, GALE__WS_BINARY, false, true, 125)),
                 "\x42\x7d");
    CHECK_EQ_STR(gale_str(out, gale__ws_frame_write(out, GALE__WS_PONG, true, false, 0)), "\x8a\0");
    static const uint64_t lengths[] = {0,   125,   126,   127,     255,
                                       256, 65535, 65536, 1 << 24, INT64_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char head[14] = {0};
        gale__ws_frame_t f;
        const char *error;
        size_t len = gale__ws_frame_write(head, GALE__WS_BINARY, true, true, lengths[i]);
        CHECK(len <= 10);
        head[1] = (char)(head[1] | 0x80); /* as a client would */
        CHECK_EQ_INT(gale__ws_frame_parse(&f, true, head, len + 4, &error), (int)len + 4);
        CHECK_EQ_UINT(f.length, lengths[i]);
        CHECK(f.rsv1 && f.fin);
    }
}

/* WS-18: the rows of tornado-facts.json, ws_mask_hex. */
TEST(ws_mask, rows_of_tornado) {
    static const struct {
        const char *key, *in, *out;
        size_t len;
    } rows[] = {
        {"abcd", "", "", 0},
        {"abcd", "b", "\x03", 1},
        {"abcd", "54321", "TVPVP", 5},
        {"ZXCV", "98765432", "c`t`olpd", 8},
        {"\0\1\2\3", "\xff\xfb\xfd\xfc\xfe\xfa", "\xff\xfa\xff\xff\xfe\xfb", 6},
        {"\xff\xfb\xfd\xfc", "\0\1\2\3\4\5", "\xff\xfa\xff\xff\xfb\xfe", 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[8];
        memcpy(buffer, rows[i].in, rows[i].len);
        gale__ws_mask(buffer, rows[i].len, (const uint8_t *)rows[i].key, 0);
        CHECK_EQ_MEM(buffer, rows[i].out, rows[i].len);
    }
}

TEST(ws_mask, every_length_alignment_and_offset) {
    enum { MAX = 300, SPACE = MAX + 64 };
    static const uint8_t key[4] = {0x12, 0xa5, 0xff, 0x80};
    char plain[SPACE], got[SPACE];
    for (size_t i = 0; i < SPACE; i++) plain[i] = (char)(i * 31 + 7);
    for (size_t len = 0; len <= MAX; len++) {
        for (size_t align = 0; align < 17; align++) {
            for (uint64_t offset = 0; offset < 5; offset++) {
                uint64_t from = offset == 4 ? (uint64_t)1 << 40 | 3 : offset;
                memcpy(got, plain, SPACE);
                gale__ws_mask(got + align, len, key, from);
                for (size_t i = 0; i < SPACE; i++) {
                    uint8_t want = (uint8_t)plain[i];
                    if (i >= align && i < align + len) want ^= key[(from + i - align) % 4];
                    if ((uint8_t)got[i] == want) continue;
                    test_fail(__FILE__, __LINE__, "len %zu align %zu byte %zu", len, align, i);
                    return;
                }
            }
        }
    }
}

TEST(ws_mask, stays_within_its_bytes) { /* Advisory A28, CVE-2026-49854: ASan watches */
    for (size_t len = 0; len < 200; len++) {
        char *p = malloc(len > 0 ? len : 1);
        REQUIRE(p != NULL);
        memset(p, 0, len);
        gale__ws_mask(p, len, (const uint8_t[4]){1, 2, 3, 4}, 2);
        for (size_t i = 0; i < len; i++) CHECK(p[i] == (char)(1 + (i + 2) % 4));
        free(p);
    }
}

TEST(ws_mask, in_pieces) {
    char whole[100] = {0}, pieces[100] = {0};
    static const uint8_t key[4] = {9, 8, 7, 6};
    gale__ws_mask(whole, 100, key, 0);
    for (size_t at = 0, n = 1; at < 100; at += n, n = n * 3 % 17 + 1)
        gale__ws_mask(pieces + at, n < 100 - at ? n : 100 - at, key, at);
    CHECK_EQ_MEM(pieces, whole, 100);
}

TEST(ws_frame, close_codes) { /* WS-12; Autobahn 7.7, 7.9 */
    for (int code = -1; code < 70000; code++) {
        bool want = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                    (code >= 3000 && code <= 4999);
        if (gale__ws_close_code_valid(code) != want) test_fail(__FILE__, __LINE__, "%d", code);
    }
}

TEST(ws_frame, accept_key) {
    char out[28];
    CHECK(gale__ws_accept_key(GALE__LIT("dGhlIHNhbXBsZSBub25jZQ=="), out)); /* WS-03 */
    CHECK_EQ_STR(gale_str(out, 28), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(gale__ws_accept_key(GALE__LIT(" AQIDBAUGBwgJCgsMDQ4PEC==\t"), out)); /* RFC 6455 4.1 */
    static const char *const bad[] = {"",
                                      "x",
                                      "dGhlIHNhbXBsZSBub25jZQ",
                                      "dGhlIHNhbXBsZSBub25jZQ=",
                                      "dGhlIHNhbXBsZSBub25jZQ==AAAA",
                                      "dGhlIHNhbXBsZSBub25jZWE=",
                                      "dGhlIHNhbXBsZSBub25jZWFh",
                                      "dGhlIHNh XBsZSBub25jZQ=="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) /* WS-04 */
        CHECK_MSG(!gale__ws_accept_key(gale_cstr(bad[i]), out), "taken: \"%s\"", bad[i]);
    CHECK(!gale__ws_accept_key(gale_str(NULL, 0), out));
}

/* ------------------------------------------------------------------------------- the client's part */

TEST(ws_frame, of_a_server_WS_19) {
    static const struct {
        const char *bytes;
        size_t len;
        int result;
        size_t at;
        uint64_t length;
    } rows[] = {
        {"\x81\5Hello", 7, 2, 2, 5},
        {"\x88\0", 2, 2, 2, 0},
        {"\x82\x7e\x01\0", 4, 4, 4, 256},
        {"\x82\x7f\0\0\0\0\0\1\0\0", 10, 10, 10, 65536},
        {"\x81\x85"
         "abcdHello",
         11, -1002, 2, 0}, /* masked */
        {"\xc1\1a", 3, -1002, 1, 0},
        {"\x82\x7e\0\x7d", 4, -1002, 4, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__ws_frame_t f = {.length = 0};
        const char *error = NULL;
        int result = 0;
        size_t at = 0;
        for (; result == 0 && at <= rows[i].len; at++) {
            result = gale__ws_frame_parse(&f, GALE__WS_FROM_SERVER, rows[i].bytes, at, &error);
        }
        CHECK_EQ_INT(result, rows[i].result);
        CHECK_EQ_UINT(at - 1, rows[i].at);
        if (result > 0) CHECK_EQ_UINT(f.length, rows[i].length);
        if (result > 0) CHECK_EQ_MEM(f.mask, "\0\0\0\0", 4);
    }
}

TEST(ws_frame, of_a_client_WS_19) {
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    static const uint64_t lengths[] = {0, 5, 125, 126, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char head[14];
        const char *error;
        gale__ws_frame_t f;
        size_t len = gale__ws_frame_write(head, GALE__WS_TEXT, true, false, lengths[i]);
        size_t size = gale__ws_frame_add_mask(head, len, key);
        CHECK_EQ_UINT(size, len + 4);
        CHECK_EQ_INT(gale__ws_frame_parse(&f, 0, head, size, &error), (int)size);
        CHECK_EQ_UINT(f.length, lengths[i]);
        CHECK_EQ_MEM(f.mask, key, 4);
    }
    for (size_t len = 0; len < 9000; len = len * 2 + 1) {
        char *out = malloc(len + 1), *in = malloc(len + 1);
        if (out == NULL || in == NULL) abort();
        for (size_t i = 0; i < len; i++) in[i] = (char)(i * 7);
        gale__ws_mask_copy(out, gale_str(in, len), key);
        for (size_t i = 0; i < len; i++) {
            if (out[i] == (char)(in[i] ^ (char)key[i % 4]) && in[i] == (char)(i * 7)) continue;
            test_fail(__FILE__, __LINE__, "byte %zu of %zu", i, len);
            break;
        }
        free(out);
        free(in);
    }
}
