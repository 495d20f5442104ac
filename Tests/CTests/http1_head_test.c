/*
 * The head parser against tables of heads, each with every implementation this CPU runs, whole,
 * byte by byte and in random pieces (http1_feed.h): RFC 9112 2-6 as tornado.md HU-02..07, HU-22,
 * HU-23, H1-02..15 and H1-31 want it.
 */
#include "http1_head.h"

#include <stdio.h>

#include "http1_feed.h"
#include "str.h"
#include "test.h"

static const gale__head_limits_t usual = {16384, 100, 0};

/* The result of the first implementation on the whole; a failure if any other way gives another. */
static void parse_limited(fed_head_t *want, gale__head_limits_t limits, const char *bytes,
                          size_t len) {
    size_t count;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    feed_head(want, impls[0].parse, limits, bytes, len, FEED_WHOLE, 0);
    for (size_t i = 0; i < count; i++) {
        for (unsigned mode = 0; mode < 6; mode++) {
            fed_head_t got;
            int how = mode < FEED_RANDOM ? (int)mode : FEED_RANDOM;
            feed_head(&got, impls[i].parse, limits, bytes, len, how, mode);
            CHECK_MSG(fed_same(want, &got), "%s, mode %u: %d (%s), want %d (%s): %.60s",
                      impls[i].name, mode, got.result, got.head.error ? got.head.error : "",
                      want->result, want->head.error ? want->head.error : "", bytes);
            feed_free(&got);
        }
    }
}

static void parse(fed_head_t *fed, const char *bytes, size_t len) {
    parse_limited(fed, usual, bytes, len);
}

/* 0 for an accepted head, else the status, or 1 when more is wanted. */
static int status_of(const char *bytes, size_t len) {
    fed_head_t fed;
    parse(&fed, bytes, len);
    int result = fed.result;
    feed_free(&fed);
    if (result > 0) CHECK_EQ_INT(result, (int)len);
    return result > 0 ? 0 : result == 0 ? 1 : -result;
}

/* Puts `text` in place of the one %s of a head. */
static int status_with(const char *format, const char *text) {
    char head[4096];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(head, sizeof head, format, text);
#pragma GCC diagnostic pop
    return status_of(head, (size_t)len);
}

typedef struct {
    const char *text;
    int status;
} row_t;

static void check_rows(const char *format, const row_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int status = status_with(format, rows[i].text);
        CHECK_MSG(status == rows[i].status, "\"%s\": %d, want %d", rows[i].text, status,
                  rows[i].status);
    }
}
#define CHECK_ROWS(format, ...)                                                                    \
    do {                                                                                           \
        static const row_t rows[] = {__VA_ARGS__};                                                 \
        check_rows(format, rows, sizeof rows / sizeof *rows);                                      \
    } while (0)

TEST(http1_head, corpus_selection) {
    static const struct {
        const char *id, *bytes;
        size_t len;
        int status;
    } heads[] = {
#define HEAD(id, bytes, status) {id, bytes, sizeof(bytes) - 1, status},
#include "http1_head_cases.h"
#undef HEAD
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int status = status_of(heads[i].bytes, heads[i].len);
        CHECK_MSG(status == heads[i].status, "%s: %d, want %d", heads[i].id, status,
                  heads[i].status);
    }
}

/* Every part of a head that a browser sends. */
TEST(http1_head, parts) {
    static const char text[] = "\r\nPOST /a%20b?x=1&y HTTP/1.1\r\nHost: www.example.com:8080\r\n"
                               "Accept-Encoding: \t gzip, br \t \r\nX-Empty:\r\nX-Blank: \t \r\n"
                               "Content-Length: 0012\r\nCookie: a=b; c=\"d\"\r\n\r\nbody";
    fed_head_t fed;
    parse(&fed, text, sizeof text - 1);
    CHECK_EQ_INT(fed.result, (int)sizeof text - 5);
    const gale__head_t *head = &fed.head;
    CHECK_EQ_STR(head->method, "POST");
    CHECK_EQ_STR(head->target, "/a%20b?x=1&y");
    CHECK_EQ_STR(head->host, "www.example.com:8080");
    CHECK_EQ_INT(head->minor, 1);
    CHECK(head->keep_alive && !head->chunked && !head->expect_continue && !head->upgrade);
    CHECK(head->has_content_length && head->content_length == 12);
    CHECK_EQ_UINT(head->header_count, 6);
    CHECK_EQ_STR(head->headers[1].name, "Accept-Encoding");
    CHECK_EQ_STR(head->headers[1].value, "gzip, br");
    CHECK_EQ_STR(head->headers[2].value, "");
    CHECK(head->headers[2].value.ptr != NULL);
    CHECK_EQ_STR(head->headers[3].value, "");
    CHECK_EQ_STR(head->headers[5].value, "a=b; c=\"d\"");
    feed_free(&fed);
}

/* HU-06, HU-07, Advisory A19: three parts, one space between them, HTTP/1.0 or 1.1; 505 for others that are well
 * formed. */
TEST(http1_head, request_lines) {
    CHECK_ROWS("%s\r\nHost: a\r\n\r\n", {"GET / HTTP/1.1", 0}, {"GET / HTTP/1.0", 0},
               {"g / HTTP/1.1", 0}, {"!#$%&'*+-.^_`|~9aZ / HTTP/1.1", 0}, {"GET / HTTP/1.9", 505},
               {"GET / HTTP/1.2", 505}, {"GET / HTTP/2.0", 505}, {"GET / HTTP/0.9", 505},
               {"PRI * HTTP/2.0", 505}, {"GET / HTTP/1.10", 400}, {"GET / HTTP/11.1", 400},
               {"GET / HTTP/1", 400}, {"GET / HTTP/1.", 400}, {"GET / HTTP/.1", 400},
               {"GET / HTTP/1,1", 400}, {"GET / http/1.1", 400}, {"GET / HTTP/+1.1", 400},
               {"GET / HTTP/1.1 ", 400}, {"GET / HTTP/1.1\t", 400}, {"GET /  HTTP/1.1", 400},
               {"GET  / HTTP/1.1", 400}, {" GET / HTTP/1.1", 400}, {"GET\t/ HTTP/1.1", 400},
               {"GET / ", 400}, {"GET /", 400}, {"GET", 400}, {"", 400}, {"G{T / HTTP/1.1", 400},
               {"GET / HTTP/1.1\rX: y", 400}, {"GET / HTTP/1.1\rXY: z", 400});
}

/* HU-23: all four forms of RFC 9112 3.2. */
TEST(http1_head, targets) {
    CHECK_ROWS("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", {"/", 0}, {"//", 0}, {"/?", 0}, {"/a?b?c", 0},
               {"/%", 0}, {"/[\\]^`{|}", 0}, {"/a#b", 400}, {"/\"", 400}, {"/<", 400}, {"/>", 400},
               {"/\x7f", 400}, {"/\xc3\xbc", 400}, {"/\t", 400}, {"a", 400}, {"?a", 400},
               {"*", 400}, {"a:80", 400}, {"http://a", 0}, {"HTTP://a/", 0},
               {"https://a:443/b?c", 0}, {"http://a?b", 0}, {"http://[::1]:8/", 0},
               {"http://", 400}, {"http:///a", 400}, {"http://?a", 400}, {"http://u@a/", 400},
               {"http://a:b/", 400}, {"http://a:/", 0}, {"http:/a", 400}, {"http:a", 400},
               {"ftp://a/", 400}, {"http://a:65536/", 400});
    CHECK_ROWS("OPTIONS %s HTTP/1.1\r\nHost: a\r\n\r\n", {"*", 0}, {"/", 0}, {"**", 400},
               {"http://a", 0});
    CHECK_ROWS("CONNECT %s HTTP/1.1\r\nHost: a\r\n\r\n", {"a:80", 0}, {"[::1]:80", 0}, {"a", 400},
               {"a:", 400}, {":80", 400}, {"/", 400}, {"*", 400}, {"http://a:80", 400},
               {"a:80/", 400});
    /* What follows a CONNECT is the tunnel's: no body may be announced (RFC 9110 9.3.6). */
    CHECK_ROWS("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n%s\r\n\r\n", {"Content-Length: 0", 0},
               {"Content-Length: 1", 400}, {"Transfer-Encoding: chunked", 400});
}

/* RFC 9112 3.2.2: the host of an absolute-form target replaces that of the field, which must be
 * right all the same. */
TEST(http1_head, absolute_form_gives_the_host) {
    static const char text[] = "GET http://b.example:81?q HTTP/1.1\r\nHost: a.example\r\n\r\n";
    fed_head_t fed;
    parse(&fed, text, sizeof text - 1);
    CHECK_EQ_STR(fed.head.host, "b.example:81");
    CHECK_EQ_STR(fed.head.headers[0].value, "b.example:81"); /* and nobody sees another */
    feed_free(&fed);
    CHECK_EQ_INT(status_with("GET http://b/ HTTP/1.1\r\n%s\r\n", ""), 400);
    CHECK_EQ_INT(status_with("GET http://b/ HTTP/1.1\r\nHost: a b%s\r\n\r\n", ""), 400);
}

/* HU-22, Advisory A19: uri-host [":" port]. */
TEST(http1_head, hosts) {
    CHECK_ROWS("GET / HTTP/1.1\r\nHost:%s\r\n\r\n", {"a", 0}, {" a.b-c_d~e!$&'()*+;=f ", 0},
               {"a:80", 0}, {"a:", 0}, {"a:65535", 0}, {"a:00000000080", 0}, {"a:65536", 400},
               {"a:8x", 400}, {"a:-1", 400}, {"a:80:80", 400}, {":80", 400}, {"", 400}, {" ", 400},
               {"a b", 400}, {"a,b", 400}, {"a/", 400}, {"a@b", 400}, {"a?b", 400}, {"a#b", 400},
               {"a\\b", 400}, {"a%20", 0}, {"a%2", 400}, {"a%zz", 400}, {"a\"", 400},
               {"\xc3\xa4", 400}, {"1.2.3.4", 0}, {"http://a", 400});
    CHECK_ROWS("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", {"[::]", 0}, {"[::1]:80", 0},
               {"[1:2:3:4:5:6:7:8]", 0}, {"[1:2:3:4:5:6:7::]", 0}, {"[::2:3:4:5:6:7:8]", 0},
               {"[1::8]", 0}, {"[fe80::ABCD]", 0}, {"[::ffff:1.2.3.4]", 0},
               {"[1:2:3:4:5:6:1.2.3.4]", 0}, {"[v1.a:b]", 0}, {"[]", 400}, {"[:]", 400},
               {"[1]", 400}, {"[:::]", 400}, {"[1:::2]", 400}, {"[:1::2]", 400}, {"[1::2::3]", 400},
               {"[1:2:3:4:5:6:7:8:9]", 400}, {"[1:2:3:4:5:6:7:8::]", 400}, {"[1:2:3:4:5:6:7]", 400},
               {"[::12345]", 400}, {"[::g]", 400}, {"[::1", 400}, {"[::1]a", 400}, {"[::1]]", 400},
               {"[::1.2.3]", 400}, {"[::1.2.3.256]", 400}, {"[::1.2.3.4.5]", 400},
               {"[::1.2.3.4:5]", 400}, {"[::1.2.3.]", 400}, {"[::a.2.3.4]", 400},
               {"[1.2.3.4]", 400}, {"[:1:2:3:4:5:6:7]", 400}, {"[1:2:3:4:5:6:7:]", 400},
               {"[fe80::1%25eth0]", 400}, {"[v.a]", 400}, {"[v1.]", 400}, {"[v1a]", 400});
    CHECK_ROWS("GET / HTTP/%s\r\n\r\n", {"1.1", 400}, {"1.0", 0}, {"1.0\r\nHost:", 0},
               {"1.0\r\nHost: a b", 400}, {"1.1\r\nHost: a\r\nhost: a", 400},
               {"1.0\r\nHost: a\r\nHOST: b", 400});
    /* RFC 9112 3.2: empty where there is no authority. */
    CHECK_EQ_INT(status_with("OPTIONS * HTTP/1.1\r\nHost:%s\r\n\r\n", ""), 0);
}

/* H1-11, Advisory A14: digits only, once. */
TEST(http1_head, content_length) {
    CHECK_ROWS("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:%s\r\n\r\n", {"0", 0}, {" 5 ", 0},
               {"\t5\t", 0}, {"000000000000000000000000000005", 0}, {"9223372036854775807", 0},
               {"9223372036854775808", 400}, {"99999999999999999999999", 400}, {"+3", 400},
               {"-1", 400}, {"1_0", 400}, {"0x5", 400}, {"5.", 400}, {"5,5", 400}, {"5 5", 400},
               {"5;", 400}, {"", 400}, {" ", 400}, {"\xb2", 400}, {"5\r\nContent-Length: 5", 400},
               {"5\r\ncontent-LENGTH: 6", 400});
}

/* H1-12, Advisory A15: "chunked" and nothing else, in HTTP/1.1, not together with Content-Length. 400 where RFC
 * 9112 6.3 says so. */
TEST(http1_head, transfer_encoding) {
    CHECK_ROWS("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:%s\r\n\r\n", {"chunked", 0},
               {" ChunKED\t", 0}, {"gzip", 400}, {"identity", 400}, {"", 400},
               {"chunked, chunked", 400}, {"chunked, identity", 400}, {"gzip, chunked", 501},
               {"a,b , chunked", 501}, {",chunked", 400}, {"chunked,", 400}, {"a b, chunked", 400},
               {"chunked;a=b", 400},
               {"\x0b"
                "chunked",
                400},
               {"\xa0"
                "chunked",
                400},
               {"\"chunked\"", 400}, {"chunked\r\nTransfer-Encoding: chunked", 400},
               {"chunked\r\nContent-Length: 5", 400}, {"xchunked", 400});
    CHECK_ROWS("POST / HTTP/%s\r\n\r\n", {"1.0\r\nTransfer-Encoding: chunked", 400},
               {"1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400},
               {"1.1\r\nHost: a\r\nTransfer-Encodin: x", 0},
               {"1.1\r\nHost: a\r\nTransfer_Encoding: x", 0},
               {"1.1\r\nHost: a\r\nTransfer-Encoding : chunked", 400});
}

/* What is told of the connection: k keep-alive, u upgrade, e expect. */
static void check_flags(const char *version, const char *fields, const char *want) {
    char text[512], got[4] = "", *at = got;
    int len = snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: a\r\n%s\r\n", version, fields);
    fed_head_t fed;
    parse(&fed, text, (size_t)len);
    if (fed.head.keep_alive) *at++ = 'k';
    if (fed.head.upgrade) *at++ = 'u';
    if (fed.head.expect_continue) *at++ = 'e';
    CHECK_MSG(fed.result == len && strcmp(got, want) == 0, "%s %s: %d \"%s\", want \"%s\"", version,
              fields, fed.result, got, want);
    feed_free(&fed);
}

/* H1-03, H1-06: token lists; HTTP/1.0 neither upgrades nor expects. */
TEST(http1_head, connection) {
    static const struct {
        const char *version, *fields, *flags;
    } rows[] = {
        {"1.1", "", "k"},
        {"1.0", "", ""},
        {"1.1", "Connection: close\r\n", ""},
        {"1.1", "Connection: CLOSE\r\n", ""},
        {"1.1", "Connection: foo, close\r\n", ""},
        {"1.1", "Connection: foo ,\tClose ,,\r\n", ""},
        {"1.1", "Connection: foo\r\nConnection: close\r\n", ""},
        {"1.1", "Connection: close\r\nConnection: keep-alive\r\n", ""},
        {"1.1", "Connection: closed, enclose, \"close\"\r\n", "k"},
        {"1.1", "Connection:\r\n", "k"},
        {"1.1", "Connection: TE,,Keep-Alive\r\n", "k"},
        {"1.0", "Connection: Keep-Alive\r\n", "k"},
        {"1.0", "Connection: foo, keep-alive\r\n", "k"},
        {"1.0", "Connection: keep-alive, close\r\n", ""},
        {"1.0", "Connection: keep-alive-x\r\n", ""},
        {"1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "ku"},
        {"1.1", "Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n", "ku"},
        {"1.1", "Upgrade: websocket\r\n", "k"},
        {"1.1", "Connection: upgrade\r\n", "k"},
        {"1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", ""},
        {"1.1", "Expect: 100-continue\r\n", "ke"},
        {"1.1", "expect: 100-Continue \r\n", "ke"},
        {"1.1", "Expect: ,100-continue, , 100-continue\r\n", "ke"},
        {"1.1", "Expect:\r\n", "k"},
        {"1.1", "Expect: ,\r\n", "k"},
        {"1.0", "Expect: 100-continue\r\n", ""},
        {"1.0", "Expect: x\r\n", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_flags(rows[i].version, rows[i].fields, rows[i].flags);
    }
}

/* RFC 9110 10.1.1 */
TEST(http1_head, unknown_expectations) {
    CHECK_ROWS("POST / HTTP/1.1\r\nHost: a\r\nExpect: %s\r\n\r\n", {"100-continued", 417},
               {"100-continue, 200-ok", 417}, {"x, 100-continue", 417}, {"100-continue;q=1", 417},
               {"100", 417}, {"\"100-continue\"", 417}, {"100-continue\r\nExpect: x", 417});
}

/* HU-04, H1-14, H1-15, Advisory A38: line ends, folds, the one empty line in front. */
TEST(http1_head, lines) {
    CHECK_ROWS("%s", {"\r\nGET / HTTP/1.0\r\n\r\n", 0}, {"\r\n\r\nGET / HTTP/1.0\r\n\r\n", 400},
               {"\nGET / HTTP/1.0\r\n\r\n", 400}, {"\rGET / HTTP/1.0\r\n\r\n", 400}, {"\r\n", 1},
               {"\r", 1}, {"GET / HTTP/1.0\n\n", 400}, {"GET / HTTP/1.0\r\n\n", 400},
               {"GET / HTTP/1.0\r\n\rX", 400}, {"GET / HTTP/1.0\r\n", 1},
               {"GET / HTTP/1.0\r\n\r", 1}, {"GET / HTTP/1.0\r\nA: b\r\n", 1});
    CHECK_ROWS("GET / HTTP/1.0\r\n%s\r\n\r\n", {"A: b\r\n c", 400}, {"A: b\r\n\tc: d", 400},
               {" A: b", 400}, {"\tA: b", 400}, {"A: b\nC: d", 400}, {"A: b\rC: d", 400},
               {"A : b", 400}, {"A\t: b", 400}, {"A", 400}, {":", 400}, {": b", 400},
               {"A b: c", 400}, {"A::b", 0}, {"A:b\tc", 0}, {"A:\x0c", 400}, {"A\xe9: b", 400},
               {"A: \xc2\xa0\xe9", 0});
}
