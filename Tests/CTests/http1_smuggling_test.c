/*
 * Requests behind which others hide: what the handler is called with, what is answered and whether
 * the connection goes on, each whole, byte by byte and in random pieces. Cases that no corpus of the
 * conformance runner has, or only as a status: here the question is always what happens to the bytes
 * behind. H1-05, H1-11, H1-12, H1-13. Advisory A14, A15, A19
 */
#include <stdio.h>

#include "http1_feed.h"
#include "rig.h"

#define NEXT "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(fields) "POST /p HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
#define CHUNKED(body) POST("Transfer-Encoding: chunked\r\n") body
#define EMPTY_CHUNKED "0\r\n\r\n"

typedef struct {
    const char *what, *bytes, *seen, *statuses;
    bool open; /* the connection is, at the end */
} row_t;

static const row_t rows[] = {
    /* Bodies end where they are said to. */
    {"length", POST("Content-Length: 3\r\n") "abc" NEXT, "POST /p 3;GET /next 0;", "200 200", true},
    {"length with zeros", POST("Content-Length: 0000000000000000000000003\r\n") "abc" NEXT,
     "POST /p 3;GET /next 0;", "200 200", true},
    {"length 0", POST("Content-Length: 0\r\n") NEXT, "POST /p 0;GET /next 0;", "200 200", true},
    {"a GET with a request as its body",
     "GET /g HTTP/1.1\r\nHost: h\r\nContent-Length: 31\r\n\r\n" NEXT NEXT, "GET /g 31;GET /next 0;",
     "200 200", true},
    {"a body that looks like a request", POST("Content-Length: 32\r\n") "x" NEXT, "POST /p 32;",
     "200", true},
    {"chunks", CHUNKED("3\r\nabc\r\n" EMPTY_CHUNKED NEXT), "POST /p 3;GET /next 0;", "200 200",
     true},
    {"chunks that look like others", CHUNKED("5\r\n0\r\n\r\n\r\n" EMPTY_CHUNKED NEXT),
     "POST /p 5;GET /next 0;", "200 200", true},
    {"trailers that frame", CHUNKED("3\r\nabc\r\n0\r\nContent-Length: 50\r\n\r\n" NEXT),
     "POST /p 3;GET /next 0;", "200 200", true},
    {"trailers that code", CHUNKED("0\r\nTransfer-Encoding: chunked\r\n\r\n" NEXT),
     "POST /p 0;GET /next 0;", "200 200", true},
    {"extensions", CHUNKED("3;a=b;c=\"0\\\"\r;\"\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"an extension with a quoted end", CHUNKED("3;a=\"\\\r\n0\r\n\r\n\"\r\nabc\r\n" NEXT), "",
     "400", false},

    /* Lengths that two could read differently. */
    {"CL.TE", POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") EMPTY_CHUNKED NEXT, "",
     "400", false},
    {"TE.CL", POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") "1\r\n" NEXT, "", "400",
     false},
    {"TE.0", POST("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n") EMPTY_CHUNKED NEXT, "",
     "400", false},
    {"CL.CL", POST("Content-Length: 3\r\nContent-Length: 34\r\n") "abc" NEXT, "", "400", false},
    {"CL.CL equal", POST("Content-Length: 3\r\ncontent-length: 3\r\n") "abc" NEXT, "", "400",
     false},
    {"CL list", POST("Content-Length: 3, 3\r\n") "abc" NEXT, "", "400", false},
    {"CL +", POST("Content-Length: +3\r\n") "abc" NEXT, "", "400", false},
    {"CL -0", POST("Content-Length: -0\r\n") NEXT, "", "400", false},
    {"CL -", POST("Content-Length: -1\r\n") NEXT, "", "400", false},
    {"CL hex", POST("Content-Length: 0x3\r\n") "abc" NEXT, "", "400", false},
    {"CL underscore", POST("Content-Length: 1_0\r\n") "0123456789" NEXT, "", "400", false},
    {"CL exponent", POST("Content-Length: 1e1\r\n") "0123456789" NEXT, "", "400", false},
    {"CL empty", POST("Content-Length:\r\n") NEXT, "", "400", false},
    {"CL over 63 bits", POST("Content-Length: 9223372036854775808\r\n") NEXT, "", "400", false},
    {"CL over 64 bits", POST("Content-Length: 18446744073709551619\r\n") "abc" NEXT, "", "400",
     false},
    {"CL with NBSP",
     POST("Content-Length: \xa0"
          "3\r\n") "abc" NEXT,
     "", "400", false},
    {"CL with VT",
     POST("Content-Length: \x0b"
          "3\r\n") "abc" NEXT,
     "", "400", false},
    {"CL Arabic digits", POST("Content-Length: \xd9\xa3\r\n") "abc" NEXT, "", "400", false},

    /* Codings that two could read differently. */
    {"TE with NBSP",
     POST("Transfer-Encoding: \xa0"
          "chunked\r\n") EMPTY_CHUNKED NEXT,
     "", "400", false},
    {"TE with VT",
     POST("Transfer-Encoding: \x0b"
          "chunked\r\n") EMPTY_CHUNKED NEXT,
     "", "400", false},
    {"TE quoted", POST("Transfer-Encoding: \"chunked\"\r\n") EMPTY_CHUNKED NEXT, "", "400", false},
    {"TE twice in one", POST("Transfer-Encoding: chunked, chunked\r\n") EMPTY_CHUNKED NEXT, "",
     "400", false},
    {"TE twice", POST("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n") NEXT, "",
     "400", false},
    {"TE not last", POST("Transfer-Encoding: chunked, identity\r\n") EMPTY_CHUNKED NEXT, "", "400",
     false},
    {"TE parameter", POST("Transfer-Encoding: chunked;q=1\r\n") EMPTY_CHUNKED NEXT, "", "400",
     false},
    {"TE empty element", POST("Transfer-Encoding: chunked,\r\n") EMPTY_CHUNKED NEXT, "", "400",
     false},
    {"TE unknown, chunked", POST("Transfer-Encoding: xchunked, chunked\r\n") NEXT, "", "501",
     false},
    {"TE in 1.0", "POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" EMPTY_CHUNKED NEXT, "",
     "400", false},
    {"TE before the colon", POST("Transfer-Encoding : chunked\r\n") EMPTY_CHUNKED NEXT, "", "400",
     false},
    {"TE folded", POST("Transfer-Encoding:\r\n chunked\r\n") EMPTY_CHUNKED NEXT, "", "400", false},
    {"TE behind a bare CR", POST("A: b\rTransfer-Encoding: chunked\r\n") NEXT, "", "400", false},
    {"TE behind a bare LF", POST("A: b\nTransfer-Encoding: chunked\r\n") NEXT, "", "400", false},
    {"a name that only looks like it", POST("Transfer_Encoding: chunked\r\n") NEXT,
     "POST /p 0;GET /next 0;", "200 200", true},

    /* Chunk framing that two could read differently. */
    {"size 0x", CHUNKED("0x3\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size +", CHUNKED("+3\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size -", CHUNKED("-1\r\n" NEXT), "", "400", false},
    {"size underscore", CHUNKED("1_0\r\n0123456789abcdef\r\n" EMPTY_CHUNKED NEXT), "", "400",
     false},
    {"size over 64 bits", CHUNKED("10000000000000003\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400",
     false},
    {"size of 2^63", CHUNKED("8000000000000000\r\n" NEXT), "", "400", false},
    {"size empty", CHUNKED("\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size with blank before", CHUNKED(" 3\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size with blank behind", CHUNKED("3 \r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size line ends in LF", CHUNKED("3\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"size line ends in CR", CHUNKED("3\rabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"extension ends in LF", CHUNKED("3;\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"extension with a bare CR", CHUNKED("3;a\rb\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"data longer than said", CHUNKED("3\r\nabcd\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"data shorter than said", CHUNKED("4\r\nabc\r\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"data ends in LF", CHUNKED("3\r\nabc\n" EMPTY_CHUNKED NEXT), "", "400", false},
    {"data ends in two bytes", CHUNKED("3\r\nabcXX" EMPTY_CHUNKED NEXT), "", "400", false},
    {"the end in LF", CHUNKED("0\r\n\n" NEXT), "", "400", false},
    {"the end without its empty line", CHUNKED("0\r\n" NEXT), "", "400", false},
    {"a trailer that folds", CHUNKED("0\r\nA: b\r\n c\r\n\r\n" NEXT), "", "400", false},
    {"a trailer that ends in LF", CHUNKED("0\r\nA: b\n\r\n" NEXT), "", "400", false},

    /* Who it is for, and what comes behind it. */
    {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" NEXT, "", "400", false},
    {"a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" NEXT, "", "400", false},
    {"CONNECT with a body", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 31\r\n\r\n" NEXT,
     "", "400", false},
    {"CONNECT refused", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n" NEXT,
     "CONNECT h:1 0;GET /next 0;", "403 200", true},
    {"an upgrade nobody takes",
     "GET /u HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: upgrade, http2-settings\r\n"
     "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n" NEXT,
     "GET /u 0;GET /next 0;", "200 200", true},
    {"an upgrade with a body",
     POST("Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 3\r\n") "abc" NEXT,
     "POST /p 3;GET /next 0;", "200 200", true},
    {"length as hop by hop", POST("Connection: content-length\r\nContent-Length: 3\r\n") "abc" NEXT,
     "POST /p 3;GET /next 0;", "200 200", true},
    {"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" NEXT, "", "505", false},
    {"HTTP/0.9", "GET /\r\n" NEXT, "", "400", false},

    /* What is not answered after the last. */
    {"close", "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" NEXT, "GET /c 0;", "200",
     false},
    {"close and keep-alive",
     "GET /c HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n" NEXT, "GET /c 0;", "200",
     false},
    {"1.0", "GET /c HTTP/1.0\r\n\r\n" NEXT, "GET /c 0;", "200", false},
    {"1.0 kept", "GET /c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" NEXT, "GET /c 0;GET /next 0;",
     "200 200", true},
    {"1.0 with a body, kept",
     "POST /p HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc" NEXT,
     "POST /p 3;GET /next 0;", "200 200", true},
    {"one empty line between", POST("Content-Length: 3\r\n") "abc\r\n" NEXT,
     "POST /p 3;GET /next 0;", "200 200", true},
    {"two empty lines between", POST("Content-Length: 3\r\n") "abc\r\n\r\n" NEXT, "POST /p 3;",
     "200 400", false},
};

static void note(rig_t *rig, gale_req_t *req) {
    gale_str_t m = gale_req_method(req), t = gale_req_target(req);
    rig_text_addf(rig->arg, "%.*s %.*s %zu;", (int)m.len, m.ptr, (int)t.len, t.ptr,
                  gale_req_body(req).len);
    bool connect = m.len == 7 && m.ptr[0] == 'C';
    gale_respond(req, connect ? 403 : 200, NULL, 0, gale_str("", 0));
}

/* "200 400": the statuses of the answers, each of which has a Content-Length. */
static void statuses_of(gale_str_t out, char *text, size_t size) {
    size_t n = 0;
    text[0] = '\0';
    while (out.len > 0) {
        gale_str_t body = rig_body_of(out);
        const char *length = strstr(out.ptr, "Content-Length: ");
        if (body.ptr == NULL || length == NULL) {
            snprintf(text + n, size - n, "%s?", n > 0 ? " " : "");
            return;
        }
        n += (size_t)snprintf(text + n, size - n, "%s%d", n > 0 ? " " : "", rig_status_of(out));
        size_t skip = (size_t)strtol(length + 16, NULL, 10);
        if (skip > body.len) skip = body.len;
        out = gale_str(body.ptr + skip, body.len - skip);
    }
}

static void check_row(const row_t *row, int mode, uint32_t seed) {
    rig_t rig;
    rig_client_t client;
    rig_text_t seen = {0};
    char statuses[64];
    rig_init(&rig);
    rig.request = note;
    rig.arg = &seen;
    rig_text_add(&seen, gale_str("", 0));
    rig_open(&rig);
    rig_connect(&rig, &client);
    size_t len = strlen(row->bytes);
    for (size_t at = 0, step; at < len; at += step) {
        step = feed_step(mode, len - at, &seed);
        if (rig_send_bytes(&client, row->bytes + at, step) < 0) break;
    }
    rig_turn(&rig, 4);
    statuses_of(rig_take(&client), statuses, sizeof statuses);
    CHECK_MSG(strcmp(seen.text, row->seen) == 0, "%s, mode %d: saw \"%s\", want \"%s\"", row->what,
              mode, seen.text, row->seen);
    CHECK_MSG(strcmp(statuses, row->statuses) == 0, "%s, mode %d: %s, want %s", row->what, mode,
              statuses, row->statuses);
    CHECK_MSG((client.closes == 0) == row->open, "%s, mode %d: closed %u", row->what, mode,
              client.closes);
    rig_drop(&rig, &client);
    rig_close(&rig);
    rig_text_free(&seen);
}

TEST(http1_smuggling, what_is_behind_is_seen_once_or_never) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_row(&rows[i], FEED_WHOLE, 0);
        check_row(&rows[i], FEED_BYTES, 0);
        for (uint32_t seed = 0; seed < 3; seed++) check_row(&rows[i], FEED_RANDOM, seed);
    }
}
