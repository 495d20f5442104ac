/*
 * Out of memory anywhere: each scenario runs with its 1st, 2nd, 3rd ... allocation refused, alone
 * and with all that follow, until it runs through without a refusal. Whatever the outcome: no crash,
 * no leak, owned buffers are freed once, each on_request has its on_done, each WebSocket its on_close.
 */
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"
#include "rig_ws.h"

typedef struct {
    rig_ws_t ws;
    gale_tunnel_t *tunnel;
    unsigned tunnels, tunnels_closed;
    gale_ref_t ref;
    unsigned bufs, freed; /* owned buffers given away, and given back */
    unsigned posts, posted;
} fault_t;

typedef struct {
    const char *name;
    void (*request)(rig_t *rig, gale_req_t *req);
    void (*body)(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last);
    void (*play)(rig_t *rig, rig_client_t *client);
} scenario_t;

static gale_buf_t buf(rig_t *rig, size_t len) {
    fault_t *f = rig->arg;
    f->bufs++;
    return rig_buf(rig_pattern(len), len, &f->freed);
}

/* A handler that cannot answer gives up. */
static void give_up(gale_req_t *req, int err) {
    if (err < 0) gale_resp_abort(req);
}

/* ------------------------------------------------------------------------------------- handlers */

static void answer(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_str_t body = gale_req_body(req);
    give_up(req, gale_respond(req, 200, NULL, 0, body.len > 0 ? body : gale_str("hello", 5)));
}

static void answer_buf(rig_t *rig, gale_req_t *req) {
    give_up(req, gale_respond_buf(req, 200, NULL, 0, buf(rig, 100000)));
}

static void collect(rig_t *rig, gale_req_t *req) {
    (void)rig;
    give_up(req, gale_req_has_body(req) ? gale_req_collect(req, 1 << 20)
                                        : gale_respond_text(req, 200, "no body"));
}

static void collected(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)chunk;
    if (last) answer_buf(rig, req);
}

static void stream(rig_t *rig, gale_req_t *req) {
    char long_value[9000];
    memset(long_value, 'v', sizeof long_value);
    gale_header_t h[2] = {{gale_cstr("A"), gale_str(long_value, sizeof long_value)},
                          {gale_cstr("B"), gale_str(long_value, sizeof long_value)}};
    gale_header_t trailer = {gale_cstr("Sum"), gale_cstr("1")};
    int err = gale_resp_begin(req, 200, h, 2, -1);
    for (int i = 0; err >= 0 && i < 50; i++) err = gale_resp_write(req, gale_str("abc", 3));
    if (err >= 0) err = gale_resp_write(req, gale_str(rig_pattern(20000), 20000));
    for (int i = 0; err >= 0 && i < 70; i++) err = gale_resp_write_buf(req, buf(rig, 2000));
    if (err >= 0) err = gale_resp_end(req, &trailer, 1);
    give_up(req, err);
}

static void respond_late(gale_server_t *server, gale_ref_t ref, void *arg) {
    rig_t *rig = arg;
    fault_t *f = rig->arg;
    f->posted++;
    gale_header_t h = {gale_cstr("Late"), gale_cstr("yes")};
    gale_req_t *req = gale_ref_req(server, ref);
    if (gale_ref_respond(server, ref, 200, &h, 1, buf(rig, 5000)) < 0 && req != NULL) {
        gale_resp_abort(req);
    }
}

static void by_ref(rig_t *rig, gale_req_t *req) {
    fault_t *f = rig->arg;
    f->ref = gale_req_ref(req);
    int err = gale_ref_post(rig->server, f->ref, respond_late, rig);
    f->posts += err == 0;
    give_up(req, err);
}

static void upgrade(rig_t *rig, gale_req_t *req) {
    fault_t *f = rig->arg;
    gale_ws_handler_t h = rig_ws_handler();
    f->ws.echo = true;
    give_up(req, gale_ws_accept(req, &h, &f->ws, NULL, 0, &f->ws.ws));
}

static void tunnel_data(gale_tunnel_t *t, gale_str_t bytes, void *data) {
    rig_t *rig = data;
    if (gale_tunnel_write(t, bytes) >= 0) gale_tunnel_write_buf(t, buf(rig, 3000));
}

static void tunnel_closed(gale_tunnel_t *t, int status, void *data) {
    fault_t *f = ((rig_t *)data)->arg;
    CHECK(f->tunnel == t && status <= 0);
    f->tunnels_closed++;
    f->tunnel = NULL;
}

static void become_tunnel(rig_t *rig, gale_req_t *req) {
    fault_t *f = rig->arg;
    gale_tunnel_handler_t h = gale_tunnel_handler();
    h.on_data = tunnel_data;
    h.on_close = tunnel_closed;
    int err = gale_tunnel_accept(req, gale_str(NULL, 0), &h, rig, NULL, 0, &f->tunnel);
    f->tunnels += err == 0;
    give_up(req, err);
}

static void pause_first(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_req_pause(req);
}

/* ---------------------------------------------------------------------------------------- plays */

static void play_tunnel(rig_t *rig, rig_client_t *client) {
    fault_t *f = rig->arg;
    rig_send(client, "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\nearly");
    if (client->peer != NULL) gale_peer_stall(client->peer, true);
    if (f->tunnel != NULL) {
        f->ref = gale_tunnel_ref(f->tunnel);
        gale_ref_write(rig->server, f->ref, buf(rig, 3000));
        gale_tunnel_pause(f->tunnel);
    }
    rig_send_bytes(client, rig_pattern(90000), 90000);
    rig_turn(rig, 2);
    if (f->tunnel != NULL) gale_tunnel_resume(f->tunnel);
    rig_turn(rig, 2);
    if (client->peer != NULL) gale_peer_stall(client->peer, false);
    if (client->peer != NULL) gale_peer_shutdown(client->peer);
    rig_turn(rig, 2);
}

static void play_late_collect(rig_t *rig, rig_client_t *client) {
    rig_send(client, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                     "Content-Length: 10000\r\n\r\n");
    if (rig->req != NULL) gale_req_collect(rig->req, 1 << 20);
    rig_turn(rig, 1);
    rig_send_bytes(client, rig_pattern(10000), 10000);
}

static void play_get(rig_t *rig, rig_client_t *client) {
    rig_send(client, "GET / HT");
    rig_turn(rig, 1);
    rig_send(client, "TP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void play_post(rig_t *rig, rig_client_t *client) {
    rig_send(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n");
    rig_turn(rig, 1);
    rig_send_bytes(client, rig_pattern(10000), 10000);
}

static void play_chunked(rig_t *rig, rig_client_t *client) {
    (void)rig;
    rig_send(client, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n");
    rig_send_bytes(client, rig_pattern(5000), 5000);
    rig_send(client, "\r\n5\r\nhello\r\n0\r\nSum: 1\r\n\r\n");
}

static void play_stalled(rig_t *rig, rig_client_t *client) {
    if (client->peer != NULL) gale_peer_stall(client->peer, true);
    rig_send(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(rig, 3);
    if (client->peer != NULL) gale_peer_stall(client->peer, false);
}

static const char upgrade_plain[] = RIG_UPGRADE;
static const char upgrade_deflate[] =
    RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n");
/* 70,000 bytes 'z', without an end of stream. */
static const char compressed[] =
    "\354\301\061\001\000\000\000\302\240\336\113\157\011\117\240\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
    "\000\000\000\000\000\000\000\000\000\000\000\000\000\200\267\001";

static void play_ws_with(rig_t *rig, rig_client_t *client, const char *upgrade) {
    fault_t *f = rig->arg;
    rig_text_t frames = {0};
    rig_send(client, upgrade);
    rig_frame(&frames, 0x81, "small", 5);
    rig_frame(&frames, 0x02, rig_pattern(9000), 9000);
    rig_frame(&frames, 0x89, "ping", 4);
    rig_frame(&frames, 0x80, rig_pattern(90000), 90000);
    if (upgrade != upgrade_plain) rig_frame(&frames, 0xc2, compressed, sizeof compressed - 1);
    rig_send_bytes(client, frames.text, frames.len);
    if (f->ws.ws != NULL) {
        f->ref = gale_ws_ref(f->ws.ws);
        gale_ref_send(rig->server, f->ref, GALE_WS_BINARY, buf(rig, 3000));
        gale_ws_send_buf(f->ws.ws, GALE_WS_TEXT, buf(rig, 3000));
    }
    rig_turn(rig, 2);
    rig_text_clear(&frames);
    rig_close_frame(&frames, 1000, "bye");
    rig_send_bytes(client, frames.text, frames.len);
    rig_text_free(&frames);
}

static void play_ws(rig_t *rig, rig_client_t *client) {
    play_ws_with(rig, client, upgrade_plain);
}

static void play_ws_deflate(rig_t *rig, rig_client_t *client) {
    play_ws_with(rig, client, upgrade_deflate);
}

/* To a socket that stands still, with a policy each, and on again. */
static void play_topic(rig_t *rig, rig_client_t *client) {
    fault_t *f = rig->arg;
    rig_send(client, RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    if (f->ws.ws != NULL) {
        gale_ws_subscribe_with(f->ws.ws, gale_cstr("a"), GALE_SLOW_DROP_OLDEST, 300);
        gale_ws_subscribe_with(f->ws.ws, gale_cstr("b"), GALE_SLOW_DROP_NEWEST, 12000);
    }
    for (int i = 0; i < 8; i++) {
        if (client->peer != NULL && i > 1) gale_peer_stall(client->peer, true);
        gale_publish(rig->server, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("published to a"));
        gale_publish(rig->server, gale_cstr("b"), GALE_WS_BINARY,
                     gale_str(rig_pattern(5000), 5000));
        if (f->ws.ws != NULL && i > 3) gale_ws_send(f->ws.ws, GALE_WS_TEXT, gale_cstr("own"));
        rig_turn(rig, 1);
    }
    if (f->ws.ws != NULL) gale_ws_subscribe(f->ws.ws, gale_cstr("c"));
    gale_publish(rig->server, gale_cstr("c"), GALE_WS_TEXT, gale_cstr("published to c"));
    rig_turn(rig, 1);
    if (client->peer != NULL) gale_peer_stall(client->peer, false);
}

static const scenario_t scenarios[] = {
    {"get", answer, NULL, play_get},
    {"get, large owned body", answer_buf, NULL, play_get},
    {"post, whole", answer, NULL, play_post},
    {"post, collected", collect, collected, play_post},
    {"chunked, whole", answer, NULL, play_chunked},
    {"chunked, collected", collect, collected, play_chunked},
    {"streamed response", stream, NULL, play_get},
    {"streamed response, stalled", stream, NULL, play_stalled},
    {"answered by reference", by_ref, NULL, play_get},
    {"websocket", upgrade, NULL, play_ws},
    {"websocket, compressed", upgrade, NULL, play_ws_deflate},
    {"topics", upgrade, NULL, play_topic},
    {"tunnel", become_tunnel, NULL, play_tunnel},
    {"post, collected late", pause_first, collected, play_late_collect},
};

/* -------------------------------------------------------------------------------------- running */

/* The server comes up with memory (server_test.c has that without), its first client perhaps not. */
static bool open_rig(rig_t *rig, rig_client_t *client) {
    rig_alloc_pause(true);
    rig_open(rig);
    rig_alloc_pause(false);
    rig_connect(rig, client);
    return client->peer != NULL;
}

static bool attempt(const scenario_t *s, unsigned long fail, bool sticky) {
    rig_t rig;
    rig_client_t client = {0};
    fault_t f = {0};
    rig_alloc_begin(fail, sticky);
    rig_init(&rig);
    rig.config.write_limit = 1 << 20;
    rig.config.ws_deflate = 2;
    rig.request = s->request;
    rig.body = s->body;
    rig.streaming = s->body != NULL;
    rig.arg = &f;
    if (open_rig(&rig, &client)) {
        s->play(&rig, &client);
        rig_turn(&rig, 6);
    }
    bool refused = rig_alloc_refused();
    rig_alloc_pause(true);
    if (client.peer != NULL || client.closes > 0) rig_drop(&rig, &client);
    rig_close(&rig);
    rig_text_free(&client.out);
    rig_text_free(&f.ws.log);
    CHECK_EQ_UINT(f.freed, f.bufs);
    CHECK_EQ_UINT(f.posted, f.posts);
    CHECK(f.tunnel == NULL && f.tunnels_closed == f.tunnels);
    CHECK(f.ws.ws == NULL && f.ws.closes <= 1);
    rig_alloc_end();
    return refused;
}

static void run_scenario(const scenario_t *s, bool sticky) {
    unsigned long n = 1;
    while (n < 300 && attempt(s, n, sticky) && test_failures() == 0) n++;
    CHECK_MSG(n > 1 && n < 300, "\"%s\": %lu refusals%s", s->name, n, sticky ? ", sticky" : "");
    CHECK_MSG(test_failures() == 0, "\"%s\", refusal %lu%s", s->name, n, sticky ? ", sticky" : "");
}

TEST(fault, each_allocation_refused_once) {
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        run_scenario(&scenarios[i], false);
    }
}

TEST(fault, each_allocation_and_all_after_it_refused) {
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
        run_scenario(&scenarios[i], true);
    }
}
