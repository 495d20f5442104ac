/* Each version of the loops of vector.h against bytes taken one by one: WS-18. */
#include "vector.h"

#include <stdlib.h>

#include "test.h"
#include "utf8.h"

typedef void (*mask_fn)(char *bytes, size_t len, uint32_t quad);
typedef size_t (*skip_fn)(const char *bytes, size_t len);

static mask_fn masks[2];
static skip_fn skips[3];
static size_t mask_count, skip_count;

/* Those that this machine can run. */
static void collect(void) {
    mask_count = skip_count = 0;
    masks[mask_count++] = gale__mask_plain;
    skips[skip_count++] = gale__utf8_skip_plain;
#if GALE__HAS_VECTORS_AVX2
    if (gale__cpu_avx2()) {
        masks[mask_count++] = gale__mask_avx2;
        skips[skip_count++] = gale__utf8_skip_avx2;
    }
#elif GALE__HAS_VECTORS_NEON
    skips[skip_count++] = gale__utf8_skip_neon;
#endif
}

/* In memory of just that size, at every alignment. */
TEST(vector, masks_WS_18) {
    enum { MOST = 450 };
    static const uint8_t key[4] = {0x12, 0xa5, 0xff, 0x80};
    uint32_t quad;
    memcpy(&quad, key, 4);
    collect();
    for (size_t which = 0; which < mask_count; which++) {
        for (size_t len = 0; len <= MOST; len += len < 300 ? 1 : 13) {
            for (size_t align = 0; align < 33; align += align < 4 ? 1 : 5) {
                char *p = malloc(align + len + 1), want;
                REQUIRE(p != NULL);
                for (size_t i = 0; i < len; i++) p[align + i] = (char)(i * 31 + 7);
                p[align + len] = 'e';
                masks[which](p + align, len, quad);
                for (size_t i = 0; i < len; i++) {
                    want = (char)((uint8_t)(i * 31 + 7) ^ key[i % 4]);
                    if (p[align + i] != want) test_fail(__FILE__, __LINE__, "%zu of %zu", i, len);
                }
                CHECK_EQ_INT(p[align + len], 'e');
                free(p);
            }
        }
    }
}

/* RFC 3629, written as its grammar is: bytes of the character at p, or 0. */
static size_t character(const uint8_t *p, size_t len) {
    static const struct {
        uint8_t from, to, low, high, length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (p[0] < rows[i].from || p[0] > rows[i].to) continue;
        if (rows[i].length > len) return 0;
        if (rows[i].length > 1 && (p[1] < rows[i].low || p[1] > rows[i].high)) return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if ((p[k] & 0xc0) != 0x80) return 0;
        }
        return rows[i].length;
    }
    return 0;
}

/* Whole characters at the front. */
static size_t plain_skip(const char *bytes, size_t len) {
    size_t at = 0, n;
    while (at < len && (n = character((const uint8_t *)bytes + at, len - at)) > 0) at += n;
    return at;
}

static void check_skip(const char *bytes, size_t len) {
    size_t good = plain_skip(bytes, len);
    char *copy = malloc(len > 0 ? len : 1);
    REQUIRE(copy != NULL);
    if (len > 0) memcpy(copy, bytes, len);
    for (size_t i = 0; i < skip_count; i++) {
        size_t got = skips[i](copy, len);
        CHECK_MSG(got <= good, "version %zu: %zu of %zu, %zu are right", i, got, len, good);
        CHECK(got == len || plain_skip(copy, got) == got); /* at the end of a character */
        if (i > 0) CHECK_MSG(got + 67 >= good, "version %zu: %zu, %zu are right", i, got, good);
    }
    CHECK(gale__utf8_valid(copy, len) == (good == len));
    free(copy);
}

/* Every pair and a choice of longer ones, at every place within two blocks. */
TEST(vector, utf8_faults_everywhere) {
    char text[200];
    collect();
    for (unsigned a = 0x7f; a < 0x100; a++) {
        for (unsigned b = 0x7e; b < 0xc2; b++) {
            for (size_t at = 60; at < 68; at++) {
                memset(text, 'x', sizeof text);
                text[at] = (char)a;
                text[at + 1] = (char)b;
                check_skip(text, 192);
                text[at + 2] = (char)0x80;
                check_skip(text, 192);
                text[at + 3] = (char)0xbf;
                check_skip(text, 192);
            }
        }
        if (test_failures() > 0) return;
    }
}

TEST(vector, utf8_texts_and_what_is_left_of_them) {
    static const char *const pieces[] = {"a",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x8c\x8a",
                                         "plain text of some length ",
                                         "\xed\x9f\xbf",
                                         "\xf4\x8f\xbf\xbf",
                                         "\xef\xbf\xbf"};
    char text[600];
    uint32_t seed = 7;
    collect();
    for (int round = 0; round < 3000 && test_failures() == 0; round++) {
        size_t len = 0;
        while (len < 500) {
            seed = seed * 1664525 + 1013904223;
            /* long runs of one kind, and mixtures */
            const char *piece = pieces[(round % 3 == 0 ? seed >> 28 : (unsigned)round) % 8];
            size_t n = strlen(piece);
            memcpy(text + len, piece, n);
            len += n;
        }
        check_skip(text, len);
        check_skip(text, (seed >> 8) % len); /* cut off anywhere */
        text[(seed >> 16) % len] ^= (char)(1 << (seed >> 13) % 8);
        check_skip(text, len);
    }
}
