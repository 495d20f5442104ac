/* Refusals as a client sees them: the status, one sentence that says why, a length, Connection:
 * close, and then the end. H1-08, H1-09, H1-10 */
#include <stdio.h>

#include "rig.h"

#define GET(fields) "GET / HTTP/1.1\r\n" fields "\r\n"
#define POST(fields) "POST / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define CHUNKED POST("Transfer-Encoding: chunked\r\n")

typedef struct {
    const char *text;
    int status;
    const char *why;
} row_t;

static const row_t rows[] = {
    {"GET /\r\n\r\n", 400,
     "Bad Request: the request target is empty or holds an invalid character"},
    {"GET / HTTP/1.1\nHost: h\n\n", 400,
     "Bad Request: the request line does not end in HTTP/1.1 and CRLF"},
    {"\x16\x03\x01", 400, "Bad Request: the request line does not begin with a method"},
    {GET(""), 400, "Bad Request: HTTP/1.1 without Host"},
    {GET("Host: a\r\nHost: a\r\n"), 400, "Bad Request: more than one Host"},
    {GET("Host: a b\r\n"), 400, "Bad Request: Host is not a valid host and port"},
    {GET("Host: h\r\nA: b\r\n c\r\n"), 400, "Bad Request: a header line begins with a blank"},
    {GET("Host: h\r\nA : b\r\n"), 400, "Bad Request: a blank stands in a header name"},
    {GET("Host: h\r\nA: b\nC: d\r\n"), 400,
     "Bad Request: a header value holds a control character"},
    {POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400,
     "Bad Request: Transfer-Encoding together with Content-Length"},
    {POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400,
     "Bad Request: Content-Length together with Transfer-Encoding"},
    {POST("Content-Length: 3\r\nContent-Length: 3\r\n"), 400,
     "Bad Request: more than one Content-Length"},
    {POST("Content-Length: +3\r\n"), 400, "Bad Request: Content-Length is not a number"},
    {POST("Transfer-Encoding: identity\r\n"), 400, "Bad Request: Transfer-Encoding is not chunked"},
    {POST("Transfer-Encoding: gzip, chunked\r\n"), 501,
     "Not Implemented: no transfer coding but chunked is known here"},
    {CHUNKED "x", 400, "Bad Request: a chunk size is malformed or too large"},
    {CHUNKED "ffffffffffffffff", 400, "Bad Request: a chunk size is malformed or too large"},
    {CHUNKED "1\r\nab", 400, "Bad Request: chunk data does not end in CRLF"},
    {CHUNKED "0\r\nA B: c\r\n\r\n", 400, "Bad Request: a trailer field is malformed"},
    {POST("Content-Length: 101\r\n"), 413, "Content Too Large: the request body is too large"},
    {CHUNKED "65\r\n0123456789012345678901234567890123456789012345678901234567890123456789"
             "0123456789012345678901234567890",
     413, "Content Too Large: the request body is too large"},
    {POST("Content-Length: 3\r\nExpect: 200-maybe\r\n"), 417,
     "Expectation Failed: no expectation but 100-continue is known here"},
    {"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nContent-Length: 3\r\n\r\n", 400,
     "Bad Request: CONNECT with a body"},
    {"GET / HTTP/1.2\r\n", 505,
     "HTTP Version Not Supported: only HTTP/1.0 and HTTP/1.1 are spoken here"},
    {"PRI * HTTP/2.0\r\n", 505,
     "HTTP Version Not Supported: only HTTP/1.0 and HTTP/1.1 are spoken here"},
};

static void check_refused(const row_t *row) {
    rig_t rig;
    rig_client_t client;
    char line[160], body[160];
    rig_init(&rig);
    rig.config.max_body_bytes = 100;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, row->text);
    rig_send(&client, "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(&rig, 4);
    gale_str_t got = rig_take(&client);
    const char *colon = strchr(row->why, ':');
    snprintf(line, sizeof line, "HTTP/1.1 %d %.*s\r\n", row->status, (int)(colon - row->why),
             row->why);
    int len = snprintf(body, sizeof body, "%d %s\n", row->status, row->why);
    CHECK_EQ_STRS(rig_body_of(got), gale_str(body, (size_t)len));
    CHECK_MSG(rig_has(got, line), "want %s", line);
    snprintf(line, sizeof line, "\r\nContent-Length: %d\r\n", len);
    CHECK_MSG(rig_has(got, line), "want %s", line);
    CHECK(rig_has(got, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    CHECK(rig_has(got, "\r\nConnection: close\r\n") && rig_has(got, "\r\nDate: "));
    CHECK_EQ_UINT(rig_count(got, "\r\nDate: "), 1);
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_UINT(rig.requests, 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* H1-08, H1-10, H1-11, H1-12, H1-13, H1-31, HU-07, HU-22 */
TEST(http1_refuse, says_why_and_closes) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned before = test_failures();
        check_refused(&rows[i]);
        CHECK_MSG(test_failures() == before, "row %zu: %s", i, rows[i].text);
    }
}

/* HEAD is told the length of the sentence, not the sentence. */
TEST(http1_refuse, no_body_to_head) {
    rig_t rig;
    char got[512];
    rig_init(&rig);
    rig_open(&rig);
    rig_ask(&rig, "HEAD / HTTP/1.1\r\n\r\n", got, sizeof got);
    CHECK(rig_has(gale_cstr(got), "400 Bad Request\r\nContent-Length: 39\r\n"));
    CHECK_EQ_UINT(rig_body_of(gale_cstr(got)).len, 0);
    rig_close(&rig);
}

/* H1-09: what of the head is too long decides; RFC 9112 3 wants 501 for a method. */
TEST(http1_refuse, long_heads) {
    static const struct {
        const char *before;
        int status;
    } heads[] = {{"", 501},
                 {"GET /", 414},
                 {"GET / HTTP/1.1\r\nHost: h\r\nA: ", 431},
                 {"GET / HTTP/1.1\r\nHost: h\r\n", 431}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.config.max_header_bytes = 256;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, heads[i].before);
        rig_send_bytes(&client, rig_pattern(300), 300);
        rig_turn(&rig, 3);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), heads[i].status);
        CHECK_EQ_UINT(client.closes, 1);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

static void answer_host(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_header_t h = {gale_cstr("X-Host"), gale_req_header(req, gale_cstr("Host"))};
    gale_respond(req, 200, &h, h.value.ptr != NULL, gale_req_host(req));
}

/* HU-22, HU-23: the host a request is for. */
TEST(http1_refuse, host_of_each_target_form) {
    static const struct {
        const char *text, *host;
        bool field;
    } forms[] = {
        {"GET / HTTP/1.1\r\nHost: a:81\r\n\r\n", "a:81", true},
        {"GET http://b.example/ HTTP/1.1\r\nHost: a\r\n\r\n", "b.example", true},
        {"GET http://b.example:82/ HTTP/1.0\r\n\r\n", "b.example:82", false},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "a", true},
        {"GET / HTTP/1.0\r\n\r\n", "", false},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        rig_t rig;
        char got[512], field[64];
        rig_init(&rig);
        rig.request = answer_host;
        rig_open(&rig);
        rig_ask(&rig, forms[i].text, got, sizeof got);
        CHECK_EQ_STRS(rig_body_of(gale_cstr(got)), gale_cstr(forms[i].host));
        snprintf(field, sizeof field, "\r\nX-Host: %s\r\n", forms[i].host);
        CHECK_EQ_INT(rig_has(gale_cstr(got), field), forms[i].field);
        rig_close(&rig);
    }
}
