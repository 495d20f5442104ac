/*
 * Response heads: exact bytes for each kind of framing and version (H1-04, H1-18), what a caller's
 * headers may say (WEB-10, H1-17), reasons (WEB-09), chunk lines, and dates in all three forms
 * (HU-24).
 */
#include "http1_response.h"

#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "test.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define STAMP "Server: gale\r\n" DATE

static gale__stamp_t stamp;

static gale__response_t response(int status, uint8_t framing, uint64_t length) {
    gale__stamp_update(&stamp, 784111777, true);
    return (gale__response_t){.status = status,
                              .minor = 1,
                              .keep_alive = true,
                              .framing = framing,
                              .length = length,
                              .stamp = &stamp};
}

/* Checks, then writes into exactly as many bytes as the check asked for. */
static gale_str_t head(const gale__response_t *r) {
    static char out[100000];
    bool close;
    int64_t bound = gale__response_check(r, &close);
    CHECK(bound > 0);
    if (bound <= 0) return gale_str("", 0);
    char *exact = malloc((size_t)bound);
    if (exact == NULL) return gale_str("", 0);
    size_t len = gale__response_write(r, exact);
    CHECK(len <= (size_t)bound && len <= sizeof out);
    memcpy(out, exact, len);
    free(exact);
    return gale_str(out, len);
}

static int check_one(int status, uint8_t framing, gale_str_t name, gale_str_t value) {
    gale_header_t h = {name, value};
    gale__response_t r = response(status, framing, 3);
    bool close = true;
    r.headers = &h;
    r.header_count = 1;
    int64_t result = gale__response_check(&r, &close);
    return result > 0 ? (close ? 2 : 1) : (int)result;
}
#define ONE(status, framing, name, value)                                                          \
    check_one(status, framing, GALE__LIT(name), GALE__LIT(value))

TEST(http1_response, hello) {
    gale_header_t h = {GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")};
    gale__response_t r = response(200, GALE__BODY_LENGTH, 13);
    r.headers = &h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n"
                           "Content-Type: text/plain; charset=utf-8\r\n" STAMP "\r\n");
}

TEST(http1_response, framing) {
    gale__response_t r = response(200, GALE__BODY_CHUNKED, 0);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" STAMP "\r\n");
    r = response(200, GALE__BODY_UNTIL_CLOSE, 0);
    r.keep_alive = false;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\n" STAMP "Connection: close\r\n\r\n");
    r = response(200, GALE__BODY_NONE, 0);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\n" STAMP "\r\n");
    r = response(500, GALE__BODY_LENGTH, UINT64_MAX);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 500 Internal Server Error\r\n"
                           "Content-Length: 18446744073709551615\r\n" STAMP "\r\n");
}

/* H1-18: 204, 304 and 1xx have no length, whatever the caller of the core asks. */
TEST(http1_response, no_length_where_there_is_no_body) {
    gale__response_t r = response(204, GALE__BODY_LENGTH, 0);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\n" STAMP "\r\n");
    r = response(304, GALE__BODY_CHUNKED, 0);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 304 Not Modified\r\n" STAMP "\r\n");
    gale_header_t h = {GALE__LIT("content-length"), GALE__LIT("42")};
    r = response(304, GALE__BODY_NONE, 0);
    r.headers = &h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 304 Not Modified\r\ncontent-length: 42\r\n" STAMP "\r\n");
    r.status = 200; /* HEAD */
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\ncontent-length: 42\r\n" STAMP "\r\n");
}

/* RFC 9110 7.8: whoever sends Upgrade names it in Connection. */
TEST(http1_response, upgrade_offered) {
    gale_header_t h[2] = {{GALE__LIT("upgrade"), GALE__LIT("websocket")},
                          {GALE__LIT("Connection"), GALE__LIT("close")}};
    gale__response_t r = response(426, GALE__BODY_LENGTH, 0);
    r.headers = h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                           "upgrade: websocket\r\n" STAMP "Connection: Upgrade\r\n\r\n");
    r.header_count = 2;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                           "upgrade: websocket\r\n" STAMP "Connection: close\r\n"
                           "Connection: Upgrade\r\n\r\n");
    r.header_count = 1;
    r.minor = 0;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
                           "upgrade: websocket\r\n" STAMP "Connection: keep-alive\r\n"
                           "Connection: Upgrade\r\n\r\n");
}

TEST(http1_response, upgrade) {
    gale_header_t h = {GALE__LIT("Sec-WebSocket-Accept"),
                       GALE__LIT("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")};
    gale__response_t r = response(101, GALE__BODY_UPGRADE, 0);
    r.upgrade = GALE__LIT("websocket");
    r.headers = &h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" STAMP "\r\n");
    r.keep_alive = false;
    CHECK(gale__eq(gale__trim(gale_str(head(&r).ptr, 12)), GALE__LIT("HTTP/1.1 101")));
}

TEST(http1_response, connection) { /* H1-04 */
    gale__response_t r = response(200, GALE__BODY_LENGTH, 0);
    r.keep_alive = false;
    CHECK_EQ_STR(head(&r),
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" STAMP "Connection: close\r\n\r\n");
    r.minor = 0;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" STAMP "\r\n");
    r.keep_alive = true;
    CHECK_EQ_STR(head(&r),
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" STAMP "Connection: keep-alive\r\n\r\n");
    /* The caller's word goes, and stands there once. */
    gale_header_t h = {GALE__LIT("connection"), GALE__LIT(" Close ")};
    r.headers = &h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r),
                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" STAMP "Connection: close\r\n\r\n");
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Connection", "close"), 2);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "CONNECTION", "CLOSE"), 2);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Connection", "keep-alive"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Connection", "close, x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Connection", ""), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Connection2", "keep-alive"), 1);
}

TEST(http1_response, own_date_and_server) {
    gale_header_t h[2] = {{GALE__LIT("date"), GALE__LIT("Thu, 01 Jan 1970 00:00:00 GMT")},
                          {GALE__LIT("SERVER"), GALE__LIT("mine")}};
    gale__response_t r = response(204, GALE__BODY_NONE, 0);
    r.headers = h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                           "Server: gale\r\n\r\n");
    r.header_count = 2;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                           "SERVER: mine\r\n\r\n");
    r.headers = h + 1;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\nSERVER: mine\r\n" DATE "\r\n");
    gale__stamp_update(&stamp, 784111777, false);
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\nSERVER: mine\r\n" DATE "\r\n");
    r.header_count = 0;
    CHECK_EQ_STR(head(&r), "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
    r.headers = h;
    r.header_count = 1;
    CHECK_EQ_STR(head(&r),
                 "HTTP/1.1 204 No Content\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n");
}

TEST(http1_response, refused_headers) {
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Content-Length", "3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_CHUNKED, "content-length", "3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_UNTIL_CLOSE, "content-length", "3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_NONE, "Content-Length", "3"), 1);
    CHECK_EQ_INT(ONE(304, GALE__BODY_NONE, "Content-Length", "3"), 1);
    CHECK_EQ_INT(ONE(204, GALE__BODY_NONE, "Content-Length", "3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_NONE, "Content-Length", "x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_NONE, "Content-Length", "-1"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_NONE, "Content-Length", "3, 3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "Transfer-Encoding", "chunked"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_NONE, "transfer-encoding", "gzip"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(101, GALE__BODY_UPGRADE, "Content-Length", "3"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(101, GALE__BODY_UPGRADE, "Upgrade", "x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(426, GALE__BODY_LENGTH, "Upgrade", "x"), 1);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "", "x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "a b", "x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "a:", "x"), GALE_EHEADER);
    CHECK_EQ_INT(ONE(200, GALE__BODY_LENGTH, "X", ""), 1);
    CHECK_EQ_INT(check_one(200, GALE__BODY_LENGTH, GALE__LIT("X"), gale_str(NULL, 0)), 1);
    CHECK_EQ_INT(check_one(200, GALE__BODY_LENGTH, gale_str(NULL, 0), GALE__LIT("x")),
                 GALE_EHEADER);
    gale_header_t twice[2] = {{GALE__LIT("Content-Length"), GALE__LIT("3")},
                              {GALE__LIT("content-length"), GALE__LIT("3")}};
    gale__response_t r = response(200, GALE__BODY_NONE, 0);
    bool close;
    r.headers = twice;
    r.header_count = 2;
    CHECK_EQ_INT(gale__response_check(&r, &close), GALE_EHEADER);
}

/* WEB-10, H1-17, Advisory A5: every byte value at every place of a value and of a name, whatever the
 * vectors do. */
TEST(http1_response, every_byte_at_every_place) {
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned c = 0; c < 256; c++) {
                char text[40];
                memset(text, 'v', sizeof text);
                text[at] = (char)c;
                bool value = c == '\t' || (c >= 0x20 && c != 0x7f);
                bool name = gale__is((uint8_t)c, GALE__TOKEN);
                CHECK((check_one(200, 0, GALE__LIT("X"), gale_str(text, len)) > 0) == value);
                CHECK((check_one(200, 0, gale_str(text, len), GALE__LIT("x")) > 0) == name);
                /* A TAB sends the rest to the slow way: a fault behind it is still seen. */
                if (at > 0) {
                    text[0] = '\t';
                    CHECK((check_one(200, 0, GALE__LIT("X"), gale_str(text, len)) > 0) == value);
                }
            }
        }
    }
}

TEST(http1_response, headers_of_every_length_are_copied_whole) {
    for (size_t name = 1; name < 70; name++) {
        for (size_t value = 0; value < 70; value++) {
            char n[70], v[70], want[300];
            for (size_t i = 0; i < 70; i++) {
                n[i] = (char)('a' + i % 26);
                v[i] = (char)('A' + i % 26);
            }
            char *exact_name = malloc(name), *exact_value = malloc(value + 1);
            REQUIRE(exact_name != NULL && exact_value != NULL);
            memcpy(exact_name, n, name);
            memcpy(exact_value + 1, v, value);
            gale_header_t h = {gale_str(exact_name, name), gale_str(exact_value + 1, value)};
            gale__response_t r = response(200, GALE__BODY_NONE, 0);
            r.headers = &h;
            r.header_count = 1;
            int len = snprintf(want, sizeof want, "HTTP/1.1 200 OK\r\n%.*s: %.*s\r\n" STAMP "\r\n",
                               (int)name, n, (int)value, v);
            CHECK_EQ_STRS(head(&r), gale_str(want, (size_t)len));
            free(exact_name);
            free(exact_value);
        }
    }
}

/* WEB-09, Advisory A20: a reason is one of ours, by the status; nobody else's text comes near it. */
TEST(http1_response, statuses_and_reasons) {
    CHECK_EQ_STR(gale_cstr(gale__reason(200)), "OK");
    CHECK_EQ_STR(gale_cstr(gale__reason(404)), "Not Found");
    CHECK_EQ_STR(gale_cstr(gale__reason(599)), "Unknown");
    CHECK_EQ_STR(gale_cstr(gale__reason(-7)), "Unknown");
    for (int status = -1; status < 1100; status++) {
        gale__response_t r = response(status, GALE__BODY_NONE, 0);
        bool close;
        CHECK((gale__response_check(&r, &close) > 0) == (status >= 200 && status <= 599));
        if (status < 200 || status > 599) continue;
        char want[200];
        int len = snprintf(want, sizeof want, "HTTP/1.1 %d %s\r\n" STAMP "\r\n", status,
                           gale__reason(status));
        CHECK_EQ_STRS(head(&r), gale_str(want, (size_t)len));
    }
}

TEST(http1_response, huge_headers_are_refused_not_wrapped) {
    static const char some[16] = "v";
    gale_header_t h[2] = {{GALE__LIT("X"), {some, SIZE_MAX - 10}}, {GALE__LIT("X"), {some, 5}}};
    gale__response_t r = response(200, GALE__BODY_NONE, 0);
    bool close;
    r.headers = h;
    r.header_count = 2;
    CHECK_EQ_INT(gale__response_check(&r, &close), GALE_EHEADER);
}

TEST(http1_response, lengths) {
    uint64_t n = 0;
    for (int i = 0; i < 200; i++, n = n * 3 + (uint64_t)i) {
        char want[200];
        gale__response_t r = response(200, GALE__BODY_LENGTH, n);
        int len =
            snprintf(want, sizeof want, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n" STAMP "\r\n",
                     (unsigned long long)n);
        CHECK_EQ_STRS(head(&r), gale_str(want, (size_t)len));
    }
}

TEST(http1_response, chunk_lines) {
    char out[18], want[32];
    uint64_t n = 0;
    for (int i = 0; i < 64 * 3; i++) {
        n = i % 3 == 0 ? (uint64_t)1 << i / 3 : i % 3 == 1 ? n - 1 : n + 2;
        int len = snprintf(want, sizeof want, "%llx\r\n", (unsigned long long)n);
        CHECK_EQ_STRS(gale_str(out, gale__chunk_line(out, n)), gale_str(want, (size_t)len));
    }
    CHECK_EQ_STR(gale_str(out, gale__chunk_line(out, 0)), "0\r\n");
    CHECK_EQ_STR(gale_str(out, gale__chunk_line(out, UINT64_MAX)), "ffffffffffffffff\r\n");
}

TEST(http1_response, stamp) {
    gale__stamp_t s = {0};
    gale__stamp_update(&s, 0, true);
    CHECK_EQ_STR(gale_str(s.text, s.len),
                 "Server: gale\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
    gale__stamp_update(&s, 1, true);
    CHECK_EQ_STR(gale_str(s.text, s.len),
                 "Server: gale\r\nDate: Thu, 01 Jan 1970 00:00:01 GMT\r\n");
    gale__stamp_update(&s, 1, false);
    CHECK_EQ_STR(gale_str(s.text, s.len), "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\n");
    CHECK_EQ_UINT(s.server_len, 0);
}
