/*
 * UTF-8 validation: every code point, every sequence of two bytes and of three or four around the
 * borders, split at every place, against a decoder written from the table of RFC 3629 4; and that
 * the earliest byte decides.
 */
#include "utf8.h"

#include <stdlib.h>

#include "test.h"

/* Whether p[0..n) is a beginning of well-formed UTF-8; *whole when it ends between characters. RFC
 * 3629 4, plainly. */
static bool reference(const uint8_t *p, size_t n, bool *whole) {
    size_t i = 0;
    *whole = true;
    while (i < n) {
        uint8_t c = p[i++], lo = 0x80, hi = 0xbf;
        int more;
        if (c < 0x80) continue;
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            if (c == 0xe0) lo = 0xa0;
            if (c == 0xed) hi = 0x9f;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            if (c == 0xf0) lo = 0x90;
            if (c == 0xf4) hi = 0x8f;
        } else {
            return false;
        }
        for (; more > 0; more--, lo = 0x80, hi = 0xbf) {
            if (i == n) {
                *whole = false;
                return true;
            }
            if (p[i] < lo || p[i] > hi) return false;
            i++;
        }
    }
    return true;
}

static void check(const uint8_t *p, size_t n) {
    bool whole, ok = reference(p, n, &whole);
    CHECK_MSG(gale__utf8_valid((const char *)p, n) == (ok && whole), "valid: %02x %02x %02x %02x",
              p[0], n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, n > 3 ? p[3] : 0);
    gale__utf8_t u = {0};
    for (size_t i = 0; i < n; i++) {
        bool prefix_whole, prefix = reference(p, i + 1, &prefix_whole);
        bool got = gale__utf8_next(&u, (const char *)p + i, 1);
        CHECK_MSG(got == prefix, "byte %zu of %02x %02x %02x %02x", i, p[0], n > 1 ? p[1] : 0,
                  n > 2 ? p[2] : 0, n > 3 ? p[3] : 0);
        if (!prefix) return;
        CHECK(gale__utf8_complete(&u) == prefix_whole);
    }
}

TEST(utf8, one_and_two_bytes) {
    for (unsigned v = 0; v < 65536; v++) {
        uint8_t p[2] = {(uint8_t)(v >> 8), (uint8_t)v};
        check(p, 2);
        if ((v & 255) == 0) check(p, 1);
    }
}

TEST(utf8, three_and_four_bytes_at_the_borders) {
    static const uint8_t edge[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                   0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
                                   0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xfb, 0xfc, 0xfe, 0xff};
    enum { N = sizeof edge };
    for (size_t v = 0; v < (size_t)N * N * N * N; v++) {
        uint8_t p[4] = {edge[v / ((size_t)N * N * N)], edge[v / ((size_t)N * N) % N],
                        edge[v / N % N], edge[v % N]};
        check(p, 4);
        if (v % N == 0) check(p, 3);
    }
}

TEST(utf8, every_code_point) {
    for (uint32_t c = 0x80; c <= 0x110000; c++) {
        uint8_t p[4];
        size_t n = 0;
        if (c < 0x800) {
            p[n++] = (uint8_t)(0xc0 | c >> 6);
        } else if (c < 0x10000) {
            p[n++] = (uint8_t)(0xe0 | c >> 12);
            p[n++] = (uint8_t)(0x80 | (c >> 6 & 63));
        } else {
            p[n++] = (uint8_t)(0xf0 | c >> 18);
            p[n++] = (uint8_t)(0x80 | (c >> 12 & 63));
            p[n++] = (uint8_t)(0x80 | (c >> 6 & 63));
        }
        p[n++] = (uint8_t)(0x80 | (c & 63));
        bool want = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (gale__utf8_valid((const char *)p, n) != want) test_fail(__FILE__, __LINE__, "U+%X", c);
    }
}

/* Autobahn 6.4: fails fast, wherever the fault stands and however the text is cut. */
TEST(utf8, the_earliest_byte_decides) {
    static const char text[] =
        "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80 edited";
    gale__utf8_t u = {0};
    CHECK(gale__utf8_next(&u, text, 12)); /* up to F4 */
    CHECK(!gale__utf8_complete(&u));
    CHECK(!gale__utf8_next(&u, text + 12, 1)); /* 90: above U+10FFFF */
    CHECK(!gale__utf8_next(&u, "a", 1));       /* and nothing makes it right again */
    CHECK(!gale__utf8_next(&u, "", 0));
}

TEST(utf8, faults_at_every_offset_and_every_split) {
    enum { N = 150 };
    char *text = malloc(N);
    REQUIRE(text != NULL);
    for (size_t at = 0; at < N; at++) {
        memset(text, 'x', N);
        CHECK(gale__utf8_valid(text + at, N - at));
        text[at] = (char)0xff;
        CHECK(!gale__utf8_valid(text, N));
        memset(text, 'x', N);
        if (at + 3 <= N) memcpy(text + at, "\xe2\x82\xac", 3);
        bool want = at + 3 <= N;
        CHECK(gale__utf8_valid(text, N) == want || !want);
        for (size_t cut = 0; cut <= N; cut += 1 + (at % 7)) {
            gale__utf8_t u = {0};
            CHECK(gale__utf8_next(&u, text, cut));
            CHECK(gale__utf8_next(&u, text + cut, N - cut));
            CHECK(gale__utf8_complete(&u));
        }
    }
    free(text);
}

TEST(utf8, empty) {
    gale__utf8_t u = {0};
    CHECK(gale__utf8_next(&u, NULL, 0));
    CHECK(gale__utf8_complete(&u));
    CHECK(gale__utf8_valid(NULL, 0));
    CHECK(!gale__utf8_valid("\xe2\x82", 2));
}
