/*
 * The head parser byte by byte: every byte at every kind of place and at every place of a block of
 * 64, limits, early refusals and the cost of slow clients. Split from http1_head_test.c, which has
 * the tables of whole heads.
 */
#include <stdio.h>

#include "http1_feed.h"
#include "str.h"
#include "test.h"

static const gale__head_limits_t usual = {16384, 100, 0};

/* Parses one buffer of exactly these bytes with each implementation. */
static int parse_each(const char *bytes, size_t len, gale__head_limits_t limits) {
    size_t count;
    int first = 0;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    for (size_t i = 0; i < count; i++) {
        fed_head_t fed;
        feed_head(&fed, impls[i].parse, limits, bytes, len, FEED_WHOLE, 0);
        if (i == 0) first = fed.result;
        CHECK_MSG(fed.result == first, "%s: %d, want %d", impls[i].name, fed.result, first);
        feed_free(&fed);
    }
    return first;
}

TEST(http1_head, implementations) {
    size_t count;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    REQUIRE(count >= 1);
    CHECK(strcmp(impls[count - 1].name, "scalar") == 0);
    gale__head_t head;
    gale_header_t table[1];
    gale__head_init(&head, table);
    CHECK_EQ_INT(gale__head_parse(&head, &usual, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    /* Chosen now: the second call takes the short way. */
    gale__head_init(&head, table);
    CHECK_EQ_INT(gale__head_parse(&head, &usual, "GET / HTTP/1.0\r\n\r\n", 18), 18);
}

/* HU-02, HU-03, Advisory A19: each byte in a method, target, name, value and host, at several places of
 * a vector, against the table. */
TEST(http1_head, every_byte) {
    static const struct {
        const char *before, *after;
        uint8_t class_bits;
    } places[] = {
        {"G", "T / HTTP/1.0\r\n\r\n", GALE__TOKEN},
        {"GET /", "x HTTP/1.0\r\n\r\n", GALE__TARGET},
        {"GET / HTTP/1.0\r\nN", "x: value\r\n\r\n", GALE__TOKEN},
        {"GET / HTTP/1.0\r\nName: v", "x\r\n\r\n", GALE__FIELD},
        {"GET / HTTP/1.0\r\nHost: v", "x\r\n\r\n", GALE__HOST},
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        for (unsigned c = 0; c < 256; c++) {
            for (size_t filler = 0; filler < 70; filler += 13) {
                char text[256];
                size_t len = strlen(places[i].before);
                memcpy(text, places[i].before, len);
                memset(text + len, 'x', filler);
                len += filler;
                text[len++] = (char)c;
                memcpy(text + len, places[i].after, strlen(places[i].after));
                len += strlen(places[i].after);
                /* The colon ends a name well: "N:x: value". */
                bool good = gale__is((uint8_t)c, places[i].class_bits) || (i == 2 && c == ':');
                int want = good ? (int)len : -400;
                CHECK_MSG(parse_each(text, len, usual) == want, "place %zu, byte %02x", i, c);
            }
        }
    }
}

/* Names and values of every length around a block, the head's end at every place of one, and a byte
 * too little each time: with exact buffers, so that a read too far would be seen. */
TEST(http1_head, every_length) {
    char text[512];
    for (size_t name = 1; name < 140; name += 3) {
        for (size_t value = 0; value < 140; value++) {
            size_t len = (size_t)snprintf(
                text, sizeof text, "GET /%.*s HTTP/1.0\r\n", (int)(value % 67),
                "0123456789012345678901234567890123456789012345678901234567890123456");
            memset(text + len, 'n', name);
            text[len + name] = ':';
            memset(text + len + name + 1, 'v', value);
            len += name + 1 + value;
            memcpy(text + len, "\r\n\r\n", 4);
            len += 4;
            CHECK_EQ_INT(parse_each(text, len, usual), (int)len);
            CHECK_EQ_INT(parse_each(text, len - 1, usual), 0);
            text[len - 5] = '\x7f';
            CHECK_EQ_INT(parse_each(text, len, usual), -400);
        }
    }
}

/* H1-09, H1-02: exact limits; the request line is told apart from the fields. */
TEST(http1_head, limits) {
    static const char text[] = "GET /0123456789 HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n";
    size_t len = sizeof text - 1, line = 26;
    for (uint32_t max = 1; max < len + 5; max++) {
        gale__head_limits_t limits = {max, 100, 0};
        int want = max >= len ? (int)len : max >= line ? -431 : max > 3 ? -414 : -501;
        CHECK_MSG(parse_each(text, len, limits) == want, "max %u", max);
        /* Before that many have come there is hope. */
        if (max > 1) CHECK_EQ_INT(parse_each(text, max - 1 < len ? max - 1 : len - 1, limits), 0);
    }
    for (uint32_t max = 0; max < 4; max++) {
        gale__head_limits_t limits = {1000, max, 0};
        CHECK_EQ_INT(parse_each(text, len, limits), max >= 2 ? (int)len : -431);
    }
}

/* H1-31: what can't become a request is refused with the byte that shows it. */
TEST(http1_head, early_refusals) {
    static const struct {
        const char *bytes;
        size_t len; /* that are needed to see it */
    } rows[] = {
        {"\x16\x03\x01\x02", 1},
        {" GET", 1},
        {"\x80\x2e", 1},
        {"\r\n\r", 3},
        {"\rG", 2},
        {"GE\x01", 3},
        {"GET \x7f", 5},
        {"GET / HTTX", 10},
        {"GET / HTTP/x", 12},
        {"GET / HTTP/1.1\n", 15},
        {"GET / HTTP/1.1\r\n ", 17},
        {"GET / HTTP/1.1\r\nA ", 18},
        {"GET / HTTP/1.1\r\nA: \n", 20},
        {"GET / HTTP/1.1\r\nA: \rx", 21},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_MSG(parse_each(rows[i].bytes, rows[i].len, usual) == -400, "row %zu", i);
        int before = rows[i].len > 1 ? parse_each(rows[i].bytes, rows[i].len - 1, usual) : 0;
        CHECK_MSG(before == 0, "row %zu: %d too early", i, before);
    }
}

/* Linear however the bytes come: each call goes on where the last one had looked, but for a version
 * of 10 bytes. */
TEST(http1_head, goes_on_where_it_was) {
    enum { LEN = 12000 };
    static char text[LEN];
    memset(text, 'x', LEN);
    memcpy(text, "GET /", 5);
    memcpy(text + 4000, " HTTP/1.0\r\n", 11);
    text[8000] = ':';
    memcpy(text + LEN - 4, "\r\n\r\n", 4);
    size_t count;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    for (size_t i = 0; i < count; i++) {
        gale__head_t head;
        gale_header_t table[1];
        gale__head_init(&head, table);
        for (size_t len = 1; len < LEN; len++) {
            REQUIRE(impls[i].parse(&head, &usual, text, len) == 0);
            REQUIRE(head.scanned <= len && head.scanned + 11 > len);
        }
        CHECK_EQ_INT(impls[i].parse(&head, &usual, text, LEN), LEN);
        CHECK_EQ_UINT(table[0].value.len, 3995);
    }
}

/* HU-05, Advisory A21: a million fields of one name are a table of a million, and no value is put
 * together of others. Were the time not of the length, this would not end. */
TEST(http1_head, many_of_one_name) {
    enum { MANY = 1000000, DIGITS = 10000 };
    static gale_header_t table[MANY];
    static char text[MANY * 8 + 64];
    gale__head_limits_t limits = {sizeof text, MANY, 0};
    size_t len = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.0\r\n"), count;
    for (int i = 0; i < MANY; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "A:%04d\r\n", i % DIGITS);
    }
    memcpy(text + len, "\r\n", 2);
    len += 2;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    for (size_t i = 0; i < count; i++) {
        gale__head_t head;
        gale__head_init(&head, table);
        CHECK_EQ_INT(impls[i].parse(&head, &limits, text, len), (int)len);
        CHECK_EQ_UINT(head.header_count, MANY);
        CHECK_EQ_STR(table[0].value, "0000");
        CHECK_EQ_STR(table[MANY - 1].value, "9999");
        limits.max_headers = MANY - 1;
        gale__head_init(&head, table);
        CHECK_EQ_INT(impls[i].parse(&head, &limits, text, len), -431);
        limits.max_headers = MANY;
    }
}
