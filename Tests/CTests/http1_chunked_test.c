/*
 * The chunked decoder against tables, each body whole, byte by byte and in random pieces: RFC
 * 9112 7.1 as tornado.md H1-13 wants it (extensions and trailers are checked and skipped), and its
 * bounds.
 */
#include "http1_chunked.h"

#include <stdio.h>

#include "http1_feed.h"
#include "test.h"

/* Decodes in all ways; the result is that of the whole. To be freed by the caller. */
static fed_body_t decode(const char *bytes, size_t len) {
    fed_body_t want, got;
    feed_chunked(&want, bytes, len, FEED_WHOLE, 0);
    for (unsigned mode = 1; mode < 6; mode++) {
        feed_chunked(&got, bytes, len, mode == 1 ? FEED_BYTES : FEED_RANDOM, mode);
        CHECK_MSG(
            got.result == want.result && got.taken == want.taken && got.error == want.error &&
                got.body_len == want.body_len &&
                (got.result < 0 || (got.trailers_len == want.trailers_len &&
                                    memcmp(got.trailers, want.trailers, got.trailers_len) == 0)) &&
                memcmp(got.body, want.body, got.body_len) == 0,
            "mode %u: %d after %zu, want %d after %zu: %.40s", mode, got.result, got.taken,
            want.result, want.taken, bytes);
        free(got.body);
    }
    return want;
}

static void check_body(const char *coded, const char *body) {
    fed_body_t fed = decode(coded, strlen(coded));
    /* Every row is followed by a byte of the next request, which must not be taken. */
    CHECK_MSG(fed.result == GALE__CHUNKED_END && fed.taken == strlen(coded) - 1,
              "%d after %zu (%s): %s", fed.result, fed.taken, fed.error ? fed.error : "", coded);
    CHECK_EQ_STRS(gale_str(fed.body, fed.body_len), gale_cstr(body));
    free(fed.body);
}

TEST(http1_chunked, accepted) {
    static const char *const rows[][2] = {
        {"0\r\n\r\nG", ""},
        {"000\r\n\r\nG", ""},
        {"5\r\nhello\r\n0\r\n\r\nG", "hello"},
        {"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nG", "hello"},
        {"A\r\n0123456789\r\n0\r\n\r\nG", "0123456789"},
        {"a\r\n0123456789\r\n0\r\n\r\nG", "0123456789"},
        {"0000000000000001\r\nx\r\n0\r\n\r\nG", "x"},
        /* RFC 9112 7.1: 1*HEXDIG, here of at most 32 */
        {"00000000000000000000000000000001\r\nx\r\n00000000000000000\r\n\r\nG", "x"},
        {"4\r\n\r\n\r\n\r\n0\r\n\r\nG", "\r\n\r\n"},
        /* RFC 9112 7.1.1: unknown extensions are ignored, with blanks where BWS may stand. */
        {"1;a\r\nx\r\n0;b=c\r\n\r\nG", "x"},
        {"1;a=\"b;c\\\" d\\\\\";e\r\nx\r\n0\r\n\r\nG", "x"},
        {"1 ; a = b ; c\r\nx\r\n0\r\n\r\nG", "x"},
        {"1\t;\ta\t=\t\"\"\t;b\r\nx\r\n0\r\n\r\nG", "x"},
        /* RFC 9112 7.1.2: trailers are no part of the body. */
        {"1\r\nx\r\n0\r\nA: b\r\n\r\nG", "x"},
        {"1\r\nx\r\n0\r\nA:\r\nB-C:  \t d\xff\r\nContent-Length: 5\r\n\r\nG", "x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_body(rows[i][0], rows[i][1]);
    }
}

TEST(http1_chunked, refused) {
    static const char *const rows[] = {
        /* sizes */
        "\r\n",
        "x\r\n",
        "0x3\r\nabc",
        "+3\r\nabc",
        "-1\r\n",
        "1_0\r\n",
        " 3\r\n",
        ";a\r\n",
        "3g\r\n",
        "3\n",
        "3\r\r",
        "3\rabc",
        "3 \r\nabc",
        "3\t\r\n",
        "3 3\r\n",
        "3,\r\n",
        "\xd9\xa3\r\n",
        "000000000000000000000000000000001\r\n",
        "00000000000000008000000000000000\r\n",
        "10000000000000000\r\n",
        "8000000000000000\r\n",
        "ffffffffffffffff\r\n",
        "f0000000000000003\r\n",
        /* extensions */
        "1;\r\nx",
        "1;;a\r\n",
        "1;a=\r\nx",
        "1;=b\r\n",
        "1;a b\r\n",
        "1;a=b c\r\n",
        "1;a \r\n",
        "1;a=b \r\n",
        "1;a\nx",
        "1;a=\"b\r\n",
        "1;a=\"b\nc\"\r\n",
        "1;a=\"b\"c\r\n",
        "1;a=\"b\" \r\n",
        "1;a=\"\\\r\n",
        "1;a\x7f\r\n",
        "1;\xe9\r\n",
        "1;a==\r\n",
        "1;a=\"\x01\"\r\n",
        /* ends of data */
        "1\r\nxy",
        "1\r\nx\n",
        "1\r\nx\rx",
        "5\r\nhelloXX",
        "1\r\nx0\r\n\r\n",
        /* trailers */
        "0\r\n:\r\n",
        "0\r\n A: b\r\n",
        "0\r\nA : b\r\n",
        "0\r\nA\r\n",
        "0\r\nA: b\n",
        "0\r\nA: \x01\r\n",
        "0\r\nA: b\r\n c\r\n",
        "0\r\n\n",
        "0\r\n\rX",
        "0\r\nA: b\rC",
        "0\r\n\x80: b\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fed_body_t fed = decode(rows[i], strlen(rows[i]));
        CHECK_MSG(fed.result == GALE__CHUNKED_ERROR && fed.error != NULL, "%s: %d", rows[i],
                  fed.result);
        free(fed.body);
    }
}

/* Every start of a body wants more, and says so without an error. */
TEST(http1_chunked, prefixes) {
    static const char text[] = "3;a=\"b\\\"\" ; c = d\r\nabc\r\n0\r\nA: b\r\n\r\n";
    for (size_t len = 1; len < sizeof text - 1; len++) {
        fed_body_t fed = decode(text, len);
        CHECK_MSG(fed.result == GALE__CHUNKED_MORE && fed.taken == len, "%zu: %d", len, fed.result);
        free(fed.body);
    }
}

TEST(http1_chunked, events) {
    gale__chunked_t d;
    gale_str_t data;
    size_t pos = 0;
    gale__chunked_init(&d);
    static const char text[] = "3\r\nabc\r\n0\r\n\r\nrest";
    CHECK_EQ_INT(gale__chunked_next(&d, text, 5, &pos, &data), GALE__CHUNKED_DATA);
    CHECK(data.ptr == text + 3 && data.len == 2 && pos == 5);
    CHECK_EQ_INT(gale__chunked_next(&d, text, 5, &pos, &data), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(gale__chunked_next(&d, text, sizeof text - 1, &pos, &data), GALE__CHUNKED_DATA);
    CHECK(data.ptr == text + 5 && data.len == 1);
    CHECK_EQ_INT(gale__chunked_next(&d, text, sizeof text - 1, &pos, &data), GALE__CHUNKED_END);
    CHECK_EQ_UINT(pos, sizeof text - 5);
    /* Both ends last. */
    CHECK_EQ_INT(gale__chunked_next(&d, text, sizeof text - 1, &pos, &data), GALE__CHUNKED_END);
    CHECK_EQ_UINT(pos, sizeof text - 5);
    gale__chunked_init(&d);
    pos = 0;
    CHECK_EQ_INT(gale__chunked_next(&d, "!", 1, &pos, &data), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(gale__chunked_next(&d, "0\r\n\r\n", 5, &pos, &data), GALE__CHUNKED_ERROR);
}

/* Decodes `count` times `piece` after `before`, without its end; gives the last result. */
static int flood(const char *before, const char *piece, size_t count) {
    gale__chunked_t d;
    gale_str_t data;
    size_t pos = 0;
    gale__chunked_init(&d);
    int result = gale__chunked_next(&d, before, strlen(before), &pos, &data);
    for (size_t i = 0; i < count && result >= 0; i++) {
        pos = 0;
        do {
            result = gale__chunked_next(&d, piece, strlen(piece), &pos, &data);
        } while (result == GALE__CHUNKED_DATA || result == GALE__CHUNKED_TRAILERS);
    }
    return result;
}

/* Overhead is bounded, chunks are not: 8000 of one byte are a body like any other. */
TEST(http1_chunked, bounds) {
    CHECK_EQ_INT(flood("1;a", "b", 4095), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("1;a", "b", 4097), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(flood("", "1;abcdefg\r\nx\r\n", 65536 / 8), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("", "1;abcdefg\r\nx\r\n", 65536 / 8 + 1), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(flood("1", ";a", 32), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("1", ";a", 33), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(flood("1;a=\"", ";", 100), GALE__CHUNKED_MORE); /* one extension */
    /* A signature on each chunk of real data goes on for ever, one on tiny chunks does not. */
    static char chunk[2200] = "800;chunk-signature=0123456789012345678901234567890123456789\r\n";
    size_t line = strlen(chunk);
    memset(chunk + line, 'x', 2048);
    memcpy(chunk + line + 2048, "\r\n", 3);
    CHECK_EQ_INT(flood("", chunk, 5000), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("0\r\n", "A: b\r\n", 64), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("0\r\n", "A: b\r\n", 65), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(flood("0\r\nA:", "b", 8190), GALE__CHUNKED_MORE);
    CHECK_EQ_INT(flood("0\r\nA:", "b", 8191), GALE__CHUNKED_ERROR);
    CHECK_EQ_INT(flood("", "1\r\nx\r\n", 100000), GALE__CHUNKED_MORE);
}
