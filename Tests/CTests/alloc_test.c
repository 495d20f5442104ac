/*
 * Steady state allocates nothing: after some rounds to warm the pools, further rounds of the same
 * reach neither the allocator hook nor malloc (which would also show what libuv does).
 */
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "rig_connect.h"
#include "rig_socket.h"
#include "rig_ws.h"

enum { WARM = 20, ROUNDS = 500 };

#define GET "GET /hello?x=1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"
#define POST "POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello=world"
#define FOUR(x) x x x x

static const char get[] = GET, post[] = POST, pipeline[] = FOUR(FOUR(GET));
static const char chunked[] = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n0\r\n\r\n";

typedef struct {
    unsigned long hook, heap;
} calls_t;

static calls_t calls_now(void) {
    return (calls_t){rig_alloc_calls(), rig_malloc_calls()};
}

static void check_none(calls_t before, const char *what) {
    calls_t now = calls_now();
    CHECK_MSG(now.hook == before.hook, "%s: %lu allocations of Gale's in %d rounds", what,
              now.hook - before.hook, ROUNDS);
    CHECK_MSG(now.heap == before.heap, "%s: %lu calls of malloc in %d rounds", what,
              now.heap - before.heap, ROUNDS);
}

/* ----------------------------------------------------------------------------- through the peer */

static void answer(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_str_t body = gale_req_body(req);
    gale_header_t h = {gale_str("X-A", 3), gale_req_path(req)};
    gale_respond(req, 200, &h, 1, body.len > 0 ? body : gale_str("Hello", 5));
}

static void through_peer(const char *text, void (*request)(rig_t *, gale_req_t *), bool streaming) {
    rig_t rig;
    rig_client_t client;
    calls_t before = {0, 0};
    rig_alloc_begin(0, false);
    rig_init(&rig);
    rig.request = request;
    rig.streaming = streaming;
    rig.keep_log = false;
    rig_open(&rig);
    rig_connect(&rig, &client);
    for (int i = 0; i < WARM + ROUNDS; i++) {
        if (i == WARM) before = calls_now();
        rig_send(&client, text);
        rig_turn(&rig, 2);
        if (i == 0) CHECK_EQ_INT(rig_status_of(gale_str(client.out.text, client.out.len)), 200);
        rig_text_clear(&client.out);
        rig_text_clear(&rig.in);
    }
    check_none(before, text);
    CHECK(rig.requests >= WARM + ROUNDS);
    rig_drop(&rig, &client);
    rig_close(&rig);
    rig_alloc_end();
}

TEST(alloc, none_for_a_get_through_the_peer) {
    through_peer(get, answer, false);
}
TEST(alloc, none_for_a_small_post_through_the_peer) {
    through_peer(post, answer, false);
}
TEST(alloc, none_for_a_pipeline_through_the_peer) {
    through_peer(pipeline, answer, false);
}

/* Streamed both ways. */
static void stream(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_resp_begin(req, 200, NULL, 0, -1);
    gale_resp_write(req, gale_str("one", 3));
    gale_resp_write(req, gale_str("two", 3));
    if (!gale_req_has_body(req)) gale_resp_end(req, NULL, 0);
}

static void streamed_body(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)rig;
    gale_resp_write(req, chunk);
    if (last) gale_resp_end(req, NULL, 0);
}

static void stream_with_body(rig_t *rig, gale_req_t *req) {
    rig->body = streamed_body;
    stream(rig, req);
}

TEST(alloc, none_for_a_streamed_response) {
    through_peer(get, stream, false);
}
TEST(alloc, none_for_a_streamed_body) {
    through_peer(post, stream_with_body, true);
}
TEST(alloc, none_for_a_streamed_chunked_body) {
    through_peer(chunked, stream_with_body, true);
}

static void echo_through_peer(uint32_t deflate) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.upgrade = RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n")};
    rig_text_t frame = {0};
    calls_t before = {0, 0};
    rig_alloc_begin(0, false);
    rig_init(&rig);
    rig.config.ws_deflate = deflate;
    rig.config.ws_deflate_min_bytes = 1;
    rig_ws_open(&rig, &client, &ws);
    ws.echo = true;
    for (int i = 0; i < WARM + ROUNDS; i++) {
        if (i == WARM) before = calls_now();
        rig_text_clear(&frame);
        if (deflate == 0) rig_frame(&frame, 0x81, "hello", 5);
        if (deflate > 0)
            rig_frame(&frame, 0xc1, "\xca\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x00\x00", 11);
        rig_send_bytes(&client, frame.text, frame.len);
        rig_text_clear(&client.out);
        rig_text_clear(&ws.log);
    }
    check_none(before, "echo");
    CHECK_EQ_UINT(ws.messages, WARM + ROUNDS);
    rig_text_free(&frame);
    rig_ws_close(&rig, &client, &ws);
    rig_alloc_end();
}

TEST(alloc, none_for_a_websocket_echo_through_the_peer) {
    echo_through_peer(0);
}

#if GALE_WITH_ZLIB
TEST(alloc, none_for_a_compressed_echo_through_the_peer) {
    echo_through_peer(1);
    echo_through_peer(2);
}
#endif

/* A WebSocket from the rig to itself: what the client sends is masked, and comes back. */
static void echo_of_a_client(uint32_t deflate) {
    rig_t rig;
    rig_ws_t server = {.echo = true};
    rig_dialed_t client;
    calls_t before = {0, 0};
    char text[300];
    memset(text, 'a', sizeof text);
    rig_alloc_begin(0, false);
    rig_init(&rig);
    rig_dialed_init(&client);
    rig.url = "http://127.0.0.1:0";
    rig.config.ws_deflate = client.options.deflate = deflate;
    rig.request = rig_ws_accept;
    rig.arg = &server;
    rig_open(&rig);
    CHECK_EQ_INT(rig_dial(&rig, &client, "ws://127.0.0.1:%d/", gale_server_port(rig.server, 0)), 0);
    CHECK(rig_dialed_open(&rig, &client));
    for (unsigned i = 0; i < WARM + ROUNDS && client.ws.ws != NULL; i++) {
        if (i == WARM) before = calls_now();
        gale_ws_send(client.ws.ws, GALE_WS_TEXT, gale_str(text, sizeof text));
        for (int k = 0; k < 1000 && client.ws.messages <= i; k++) rig_turn(&rig, 1);
        rig_text_clear(&server.log);
        rig_text_clear(&client.ws.log);
    }
    check_none(before, "a client's echo");
    CHECK_EQ_UINT(client.ws.messages, WARM + ROUNDS);
    gale_ws_abort(client.ws.ws);
    CHECK(rig_dialed_closed(&rig, &client));
    rig_close(&rig);
    rig_dialed_free(&client);
    rig_text_free(&server.log);
    rig_alloc_end();
}

TEST(alloc, none_for_an_echo_of_a_client) {
    echo_of_a_client(0);
#if GALE_WITH_ZLIB
    echo_of_a_client(1);
    echo_of_a_client(2);
#endif
}

/* --------------------------------------------------------------------------- over a real socket */

static void live_request(gale_req_t *req, void *data) {
    rig_t *rig = data;
    if (!gale_req_wants_websocket(req)) {
        answer(rig, req);
        return;
    }
    gale_ws_handler_t h = rig_ws_handler();
    rig_ws_t *ws = rig->arg;
    gale_ws_accept(req, &h, ws, NULL, 0, &ws->ws);
}

static void quiet_echo(gale_ws_t *ws, int kind, gale_str_t bytes) {
    rig_ws_t *r = gale_ws_data(ws);
    rig_text_clear(&r->log);
    gale_ws_send(ws, kind, bytes);
}

static void rounds_over_socket(int fd, const char *text, size_t len, unsigned answers, long size) {
    char out[8192];
    calls_t before = {0, 0};
    for (int i = 0; i < WARM + ROUNDS; i++) {
        if (i == WARM) before = calls_now();
        bool ok = sock_send_bytes(fd, text, len);
        ok = ok && (size > 0 ? sock_read(fd, out, (size_t)size + 1, NULL) == size
                             : sock_read_responses(fd, answers));
        CHECK(ok);
        if (!ok) return;
    }
    check_none(before, text);
}

static void over_socket(const char *text, unsigned answers) {
    rig_t rig;
    rig_ws_t ws = {.message = quiet_echo};
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = live_request;
    config.workers = 1;
    rig_alloc_begin(0, false);
    rig.arg = &ws;
    gale_server_t *s = live_start(&config, &h, &rig, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    if (answers > 0) {
        rounds_over_socket(fd, text, strlen(text), answers, 0);
    } else {
        char head[1024];
        rig_text_t frame = {0};
        rig_frame(&frame, 0x82, "hello", 5);
        CHECK(sock_send(fd, RIG_UPGRADE) && sock_read(fd, head, sizeof head, "\r\n\r\n") > 0);
        rounds_over_socket(fd, frame.text, frame.len, 0, 7);
        rig_text_free(&frame);
    }
    close(fd);
    live_end(s);
    rig_text_free(&ws.log);
    rig_alloc_end();
}

TEST(alloc, none_for_a_get_over_a_socket) {
    over_socket(get, 1);
}
TEST(alloc, none_for_a_small_post_over_a_socket) {
    over_socket(post, 1);
}
TEST(alloc, none_for_a_pipeline_over_a_socket) {
    over_socket(pipeline, 16);
}
TEST(alloc, none_for_a_websocket_echo_over_a_socket) {
    over_socket("", 0);
}

/* A file that every system has and that hasn't changed of late: it is kept in memory. */
static void serve_file(gale_req_t *req, void *data) {
    int status = gale_files_serve(data, req, gale_cstr("passwd"), NULL, 0);
    CHECK_EQ_INT(status, 0);
    if (status != 0) gale_respond(req, 500, NULL, 0, gale_str(NULL, 0));
}

static void of_a_file(const char *text, const char *status) {
    char head[8192];
    gale_files_t *files = NULL;
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = serve_file;
    config.workers = 1;
    rig_alloc_begin(0, false);
    REQUIRE(gale_files_open(&files, "/etc") == 0);
    gale_server_t *s = live_start(&config, &h, files, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    CHECK(sock_send(fd, text) && sock_read(fd, head, sizeof head, "\r\n\r\n") > 0);
    CHECK(strncmp(head, status, strlen(status)) == 0);
    close(fd);
    fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    rounds_over_socket(fd, text, strlen(text), 1, 0);
    close(fd);
    live_end(s);
    gale_files_free(files);
    rig_alloc_end();
}

TEST(alloc, none_for_a_static_304_over_a_socket) {
    of_a_file("GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n", "HTTP/1.1 304 ");
}
TEST(alloc, none_for_a_small_static_file_over_a_socket) {
    of_a_file("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 ");
}

/* The watch itself works, or the tests above would prove nothing. */
TEST(alloc, the_watch_sees_malloc) {
    rig_alloc_begin(0, false);
    calls_t before = calls_now();
    gale_buf_free(gale_buf_copy("abc", 3));
    CHECK_EQ_UINT(calls_now().hook, before.hook + 1);
    if (rig_malloc_watched()) CHECK_EQ_UINT(calls_now().heap, before.heap + 1);
    rig_alloc_end();
}
