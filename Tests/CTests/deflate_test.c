/* zlib's formats both ways, as content codings and as WebSocket messages use them. */
#include "deflate.h"

#include <stdlib.h>

#include "inflate.h"
#include "test.h"

#if GALE_WITH_ZLIB
static gale__budget_t budget = {0, SIZE_MAX};

static gale__deflate_t *new_deflate(gale__format_t format, unsigned bits, unsigned mem) {
    gale__deflate_params_t p = {format, (uint8_t)bits, (uint8_t)mem, 6};
    return gale__deflate_new(&p, &budget);
}

/* One message into `out`; gives its length, or 0. */
static size_t code(gale__deflate_t *d, const char *text, int request, char *out, size_t room) {
    gale__coder_io_t io = {text, strlen(text), out, room};
    int result = gale__deflate_step(d, &io, request);
    CHECK(result == GALE__CODER_DONE && io.in_len == 0);
    return room - io.out_len;
}

static int decode(gale__inflate_t *i, const char *bytes, size_t len, char *out, size_t room,
                  size_t *made) {
    gale__coder_io_t io = {bytes, len, out, room};
    int result = gale__inflate_step(i, &io);
    *made = room - io.out_len;
    return result;
}

TEST(deflate, formats_by_their_first_bytes) {
    static const struct {
        gale__format_t format;
        unsigned bits;
        const char *start;
        size_t len;
    } rows[] = {
        {GALE__FORMAT_GZIP, 15, "\x1f\x8b\x08\0\0\0\0\0", 8}, /* no name, no time */
        {GALE__FORMAT_ZLIB, 15, "\x78\x9c", 2},
        {GALE__FORMAT_ZLIB, 9, "\x18\x95", 2},
        {GALE__FORMAT_RAW, 15, "\x4b\x4c\x4a\x06", 4}, /* "abc", RFC 1951 */
    };
    for (size_t i = 0; i < 4; i++) {
        char out[100];
        gale__deflate_t *d = new_deflate(rows[i].format, rows[i].bits, 8);
        REQUIRE(d != NULL);
        size_t n = code(d, "abc", GALE__CODER_FINISH, out, sizeof out);
        CHECK(n > rows[i].len);
        CHECK_EQ_MEM(out, rows[i].start, rows[i].len);
        gale__deflate_free(d);
    }
}

TEST(deflate, parameters_out_of_range) {
    CHECK(new_deflate(GALE__FORMAT_RAW, 8, 8) == NULL);
    CHECK(new_deflate(GALE__FORMAT_RAW, 16, 8) == NULL);
    CHECK(new_deflate(GALE__FORMAT_RAW, 15, 10) == NULL);
    CHECK(gale__inflate_new(GALE__FORMAT_RAW, 7, &budget) == NULL);
    CHECK(gale__inflate_new(GALE__FORMAT_RAW, 16, &budget) == NULL);
    gale__deflate_free(NULL);
    gale__inflate_free(NULL);
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(deflate, memory_is_what_the_header_says) {
    for (unsigned bits = 9; bits <= 15; bits++) {
        for (unsigned mem = 1; mem <= 9; mem++) {
            gale__deflate_t *d = new_deflate(GALE__FORMAT_RAW, bits, mem);
            REQUIRE(d != NULL);
            size_t want = ((size_t)4 << bits) + ((size_t)512 << mem), got = gale__deflate_bytes(d);
            CHECK_MSG(got > want / 2 && got < want + 16384, "2^%u, %u: %zu, not %zu", bits, mem,
                      got, want);
            gale__deflate_free(d);
        }
    }
    CHECK_EQ_UINT(budget.used, 0);
}

/* RFC 7692 7.2.3.1 and 7.2.3.2: "Hello" as one message, and as the second with the window kept. */
TEST(deflate, messages_of_a_websocket) {
    static const char tail[] = "\0\0\377\377";
    char out[100], text[100];
    size_t n, made;
    gale__deflate_t *d = new_deflate(GALE__FORMAT_RAW, 15, 8);
    gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
    REQUIRE(d != NULL && i != NULL);
    n = code(d, "Hello", GALE__CODER_FLUSH, out, sizeof out);
    REQUIRE(n == 11);
    CHECK_EQ_MEM(out, "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", 11);
    CHECK_EQ_INT(decode(i, out, n, text, sizeof text, &made), GALE__CODER_DONE);
    CHECK_EQ_STR(gale_str(text, made), "Hello");
    n = code(d, "Hello", GALE__CODER_FLUSH, out, sizeof out);
    REQUIRE(n == 9);
    CHECK_EQ_MEM(out, "\xf2\x00\x11\x00\x00\x00\x00\xff\xff", 9);
    /* The message is what stands before its last four bytes; whoever reads puts them back. */
    CHECK_EQ_INT(decode(i, out, n - 4, text, sizeof text, &made), GALE__CODER_DONE);
    size_t more;
    CHECK_EQ_INT(decode(i, tail, 4, text + made, sizeof text - made, &more), GALE__CODER_DONE);
    CHECK_EQ_STR(gale_str(text, made + more), "Hello");
    /* Without takeover. */
    gale__deflate_reset(d);
    gale__inflate_reset(i);
    n = code(d, "Hello", GALE__CODER_FLUSH, out, sizeof out);
    CHECK_EQ_UINT(n, 11);
    CHECK_EQ_INT(decode(i, out, n, text, sizeof text, &made), GALE__CODER_DONE);
    CHECK_EQ_STR(gale_str(text, made), "Hello");
    gale__deflate_free(d);
    gale__inflate_free(i);
    CHECK_EQ_UINT(budget.used, 0);
}

/* What was coded for a window is read with that window, for each that permessage-deflate names. */
TEST(deflate, windows_of_8_to_15_bits) {
    size_t len = 100000;
    char *text = malloc(len + 1), *coded = malloc(len * 2), *back = malloc(len + 1);
    REQUIRE(text != NULL && coded != NULL && back != NULL);
    uint32_t random = 1;
    for (size_t k = 0; k < len; k++) {
        random = random * 1664525u + 1013904223u;
        text[k] = k < 40000 ? (char)(' ' + random % 64) : text[k - 300 - 32000 * (k & 1)];
    }
    text[len] = '\0';
    for (unsigned bits = 8; bits <= 15; bits++) {
        gale__deflate_t *d = new_deflate(GALE__FORMAT_RAW, bits < 9 ? 9 : bits, 8);
        gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, bits < 9 ? 9 : bits, &budget);
        gale__inflate_t *narrow = gale__inflate_new(GALE__FORMAT_RAW, 8, &budget);
        REQUIRE(d != NULL && i != NULL && narrow != NULL);
        size_t made, n = code(d, text, GALE__CODER_FLUSH, coded, len * 2);
        CHECK_EQ_INT(decode(i, coded, n, back, len + 1, &made), GALE__CODER_DONE);
        CHECK(made == len && memcmp(text, back, len) == 0);
        /* A window that is too narrow is no end of memory: refused, once something is out of reach.
         */
        char small[64];
        gale__coder_io_t io = {coded, n, small, sizeof small};
        int result;
        do {
            io.out = small;
            io.out_len = sizeof small;
            result = gale__inflate_step(narrow, &io);
        } while (result == GALE__CODER_FULL);
        CHECK(bits < 10 || result == GALE__CODER_BAD);
        gale__deflate_free(d);
        gale__inflate_free(i);
        gale__inflate_free(narrow);
    }
    free(text);
    free(coded);
    free(back);
    CHECK_EQ_UINT(budget.used, 0);
}
#endif
