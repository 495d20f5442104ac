/*
 * What arrives in two pieces is what arrives in one: each of these inputs is cut at every byte, and
 * once between all bytes; the answer and the callbacks must be the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"
#include "rig_ws.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define CHUNKED(body) "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" body

typedef struct {
    const char *bytes;
    size_t len;
} input_t;
#define INPUT(text)                                                                                \
    { text, sizeof(text) - 1 }

static const input_t inputs[] = {
    INPUT(GET("/")),
    INPUT("HEAD /h HTTP/1.1\r\nHost: h\r\n\r\n"),
    INPUT("GET /old HTTP/1.0\r\n\r\n"),
    INPUT("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /second HTTP/1.0\r\n\r\n"),
    INPUT("GET /close HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET("/unseen")),
    INPUT("GET http://h/abs?q=1 HTTP/1.1\r\nHost: h\r\n\r\n"),
    INPUT("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
    INPUT("\r\nGET /after-crlf HTTP/1.1\r\nHost: h\r\n\r\n"),
    INPUT("GET /h HTTP/1.1\r\nHost: h\r\nA: 1\r\nB:\t two \r\nC:\r\nLong: aaaaaaaaaaaaaaaaaaaaaaaa"
          "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\r\n"),
    INPUT(GET("/1") GET("/2") GET("/3")),
    INPUT(GET("/late") GET("/2")),
    INPUT(GET("/late") GET("/late") GET("/3") GET("/late")),
    INPUT("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
    INPUT("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" GET("/next")),
    INPUT("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" GET("/next")),
    INPUT("POST /late HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" GET("/next")),
    INPUT("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nunwanted!" GET("/next")),
    INPUT("POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
    INPUT("POST /early HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"),
    INPUT("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nx"),
    INPUT(CHUNKED("0\r\n\r\n")),
    INPUT(CHUNKED("5\r\nhello\r\n0\r\n\r\n")),
    INPUT(CHUNKED("5;ext=1\r\nhello\r\n000a\r\n0123456789\r\n0\r\n\r\n") GET("/next")),
    INPUT(CHUNKED("3\r\nabc\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n") GET("/next")),
    INPUT(CHUNKED("5\r\nhello\r\n0\r\n\r\n") CHUNKED("1\r\nx\r\n0\r\n\r\n")),
    INPUT(CHUNKED("zz\r\n") GET("/unseen")),
    INPUT(CHUNKED("3\r\nabcX\r\n")),
    INPUT("POST /early HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
          "4\r\nskip\r\n0\r\n\r\n" GET("/next")),
    INPUT("GET / HTTP/1.1\r\n\r\n"),
    INPUT("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
    INPUT("nonsense\r\n\r\n"),
    INPUT("GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n"),
    INPUT("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    INPUT("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
    INPUT("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
    INPUT(GET("/stream")),
    INPUT("GET /stream HTTP/1.0\r\n\r\n"),
    INPUT(GET("/stream") GET("/late") GET("/stream") GET("/last")),
    INPUT(RIG_UPGRADE),
    INPUT(RIG_UPGRADE "\x81\x82\x01\x02\x03\x04\x69\x6b"),
    INPUT(RIG_UPGRADE "\x01\x82\x01\x02\x03\x04\x69\x6b\x89\x81\x00\x00\x00\x00p"
                      "\x80\x81\x00\x00\x00\x00!\x88\x82\x00\x00\x00\x00\x03\xe8"),
    INPUT(RIG_UPGRADE "\x82\x80\x00\x00\x00\x00\x81\x84\x00\x00\x00\x00\xf0\x9f\x8c\x8a"
                      "\x88\x80\x00\x00\x00\x00"),
    INPUT(RIG_UPGRADE "\x81\x82\x00\x00\x00\x00\xc3\x28"),
    INPUT(RIG_UPGRADE "\x81\x02hi"),
    INPUT(RIG_UPGRADE "\x88\x81\x00\x00\x00\x00x"),
    INPUT("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" GET(
              "/x")),
};

/* --------------------------------------------------------------------------------------- server */

typedef struct {
    rig_ws_t ws;
    gale_ref_t late;
} split_t;

static void answer_late(void *arg) {
    rig_t *rig = arg;
    split_t *s = rig->arg;
    gale_req_t *req = gale_ref_req(rig->server, s->late);
    if (req != NULL) gale_respond(req, 200, NULL, 0, gale_req_target(req));
}

static void answer_streamed(gale_req_t *req) {
    gale_header_t trailer = {gale_cstr("Sum"), gale_cstr("4")};
    bool chunked = gale_req_http_minor(req) == 1;
    gale_resp_begin(req, 200, NULL, 0, -1);
    gale_resp_write(req, gale_cstr("ab"));
    gale_resp_write(req, gale_cstr("cd"));
    gale_resp_end(req, &trailer, chunked);
}

static void answer(rig_t *rig, gale_req_t *req) {
    gale_str_t path = gale_req_path(req), body = gale_req_body(req);
    split_t *s = rig->arg;
    if (rig_has(path, "/ws")) {
        gale_ws_handler_t h = rig_ws_handler();
        s->ws.echo = true;
        gale_ws_accept(req, &h, &s->ws, NULL, 0, &s->ws.ws);
    } else if (rig_has(path, "/late")) {
        s->late = gale_req_ref(req);
        gale_worker_post(gale_req_worker(req), answer_late, rig);
    } else if (rig_has(path, "/stream")) {
        answer_streamed(req);
    } else {
        gale_respond(req, 200, NULL, 0, body.len > 0 ? body : gale_req_target(req));
    }
}

static void begin_streamed(rig_t *rig, gale_req_t *req) {
    rig_text_clear(&rig->in);
    if (!gale_req_has_body(req) || rig_has(gale_req_path(req), "/early")) answer(rig, req);
}

static void end_streamed(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)chunk;
    rig_text_addf(&rig->in, "%s", "");
    if (!last) return;
    if (rig_has(gale_req_path(req), "/late")) {
        answer(rig, req);
    } else {
        gale_respond(req, 200, NULL, 0, gale_str(rig->in.text, rig->in.len));
    }
}

/* Runs the input cut after `cut` bytes (0: whole, SIZE_MAX: everywhere); what came out, with the log. */
static rig_text_t run(const input_t *input, size_t cut, bool streaming) {
    rig_t rig;
    rig_client_t client;
    split_t s = {0};
    rig_text_t result = {0};
    rig_init(&rig);
    rig.streaming = streaming;
    rig.request = streaming ? begin_streamed : answer;
    rig.body = end_streamed;
    rig.arg = &s;
    rig_open(&rig);
    rig_connect(&rig, &client);
    for (size_t at = 0; at < input->len;) {
        size_t n = cut == SIZE_MAX ? 1 : at < cut ? cut : input->len - at;
        if (rig_send_bytes(&client, input->bytes + at, n) < 0) break;
        at += n;
        rig_turn(&rig, cut == SIZE_MAX ? 1 : 3);
    }
    rig_turn(&rig, 12);
    gale_str_t out = rig_take(&client);
    size_t interim = rig_has(out, CONTINUE) ? sizeof CONTINUE - 1 : 0; /* only if the body waited */
    rig_text_add(&result, gale_str(out.ptr + interim, out.len - interim));
    rig_text_addf(&result, "|closed %u|", client.closes);
    rig_drop(&rig, &client);
    rig_text_add(&result, gale_str(rig.log.text, rig.log.len));
    rig_text_add(&result, gale_str(s.ws.log.text, s.ws.log.len));
    rig_text_free(&s.ws.log);
    rig_close(&rig);
    return result;
}

static void compare(const input_t *input, size_t cut, bool streaming, const rig_text_t *whole) {
    rig_text_t got = run(input, cut, streaming);
    bool same = got.len == whole->len && memcmp(got.text, whole->text, got.len) == 0;
    CHECK_MSG(same, "cut at %zd%s of \"%.60s\":\n--- got\n%s\n--- want\n%s", (ptrdiff_t)cut,
              streaming ? ", streamed" : "", input->bytes, got.text, whole->text);
    rig_text_free(&got);
}

static void every_split(bool streaming) {
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        const input_t *input = &inputs[i];
        rig_text_t whole = run(input, 0, streaming);
        CHECK(whole.len > 0);
        for (size_t cut = 1; cut < input->len; cut++) compare(input, cut, streaming, &whole);
        compare(input, SIZE_MAX, streaming, &whole);
        rig_text_free(&whole);
        if (test_failures() > 3) return;
    }
}

TEST(split, every_byte_is_a_place_to_cut) {
    every_split(false);
}

TEST(split, every_byte_is_a_place_to_cut_a_streamed_body) {
    every_split(true);
}
