/*
 * Clients that leave, in every way, in every state of a connection. Whatever it was about: each
 * on_request has its on_done, each WebSocket its on_close, within seconds no connection is open, no
 * descriptor and no memory is left, and somebody else is served all the while.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig_alloc.h"
#include "rig_socket.h"
#include "rig_ws.h"

#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

enum { BIG = 8 << 20 };

typedef struct {
    atomic_uint requests, dones, sockets, closes;
    char file[32];
} world_t;

/* --------------------------------------------------------------------------------------- handler */

static bool begins(gale_str_t path, const char *with) {
    size_t len = strlen(with);
    return path.len >= len && memcmp(path.ptr, with, len) == 0;
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    world_t *world = data;
    (void)ws;
    (void)code;
    (void)reason;
    atomic_fetch_add(&world->closes, 1);
}

static void echo(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    (void)data;
    gale_ws_send(ws, kind, bytes);
}

static void upgrade(gale_req_t *req, world_t *world) {
    gale_ws_handler_t h = gale_ws_handler();
    gale_ws_t *ws;
    h.on_message = echo;
    h.on_close = on_close;
    if (gale_ws_accept(req, &h, world, NULL, 0, &ws) < 0) return;
    atomic_fetch_add(&world->sockets, 1);
    if (begins(gale_req_path(req), "/ws-full")) {
        gale_ws_send_buf(ws, GALE_WS_BINARY, (gale_buf_t){rig_pattern(BIG), BIG, NULL, NULL});
    }
}

/* The path says what becomes of a request; "/wait" waits for ever. */
static void on_request(gale_req_t *req, void *data) {
    world_t *world = data;
    gale_str_t path = gale_req_path(req);
    atomic_fetch_add(&world->requests, 1);
    if (begins(path, "/ws")) {
        upgrade(req, world);
    } else if (begins(path, "/collect")) {
        gale_req_collect(req, 1 << 20);
    } else if (begins(path, "/pause")) {
        gale_req_pause(req);
    } else if (begins(path, "/stream")) {
        gale_resp_begin(req, 200, NULL, 0, -1);
        gale_resp_write(req, gale_cstr("first"));
    } else if (begins(path, "/big")) {
        gale_respond_buf(req, 200, NULL, 0, (gale_buf_t){rig_pattern(BIG), BIG, NULL, NULL});
    } else if (begins(path, "/file")) {
        gale_resp_file(req, 200, NULL, 0, open(world->file, O_RDONLY | O_CLOEXEC), 0, -1);
    } else if (begins(path, "/early")) {
        gale_respond_text(req, 403, "no");
    } else if (!begins(path, "/wait") && !gale_req_has_body(req)) {
        gale_respond_text(req, 200, "hello");
    }
}

static void on_body(gale_req_t *req, gale_str_t chunk, bool last, void *data) {
    (void)data;
    (void)chunk;
    if (last) gale_respond_text(req, 200, "thanks");
}

static void on_done(gale_req_t *req, int status, void *data) {
    world_t *world = data;
    (void)req;
    (void)status;
    atomic_fetch_add(&world->dones, 1);
}

/* ---------------------------------------------------------------------------------------- states */

/* What a client does to bring its connection into a state. `answer`: what it reads before it leaves;
 * null: it does not read. `small`: its window is, so that the answer stays with the server. */
static const struct {
    const char *name, *send, *answer;
    bool small;
} states[] = {
    {"fresh", "", NULL, false},
    {"idle", GET("/"), "hello", false},
    {"mid-head", "GET / HTTP/1.1\r\nHo", NULL, false},
    {"mid-head, not the first", GET("/") "GET / HTTP/1.1\r\nHo", "hello", false},
    {"mid-body, streamed", POST("/") "some", NULL, false},
    {"mid-body, collected", POST("/collect") "some", NULL, false},
    {"mid-body, chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nso",
     NULL, false},
    {"mid-body, paused", POST("/pause") "some", NULL, false},
    {"mid-body, answered", POST("/early") "some", "no", false},
    {"mid-body, not asked for yet",
     "POST /pause HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
     "Content-Length: 9\r\n\r\n",
     NULL, false},
    {"the handler thinks", GET("/wait"), NULL, false},
    {"the handler thinks, more is pipelined", GET("/wait") GET("/") GET("/big"), NULL, false},
    {"mid-response, quiet", GET("/stream"), "first", false},
    {"mid-response, queued", GET("/big"), NULL, true},
    {"mid-response, pipelined behind", GET("/big") GET("/") GET("/wait"), NULL, true},
    {"mid-file", GET("/file"), NULL, true},
    {"websocket",
     "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     "\r\n\r\n", false},
    {"websocket, mid-frame",
     "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x82\xfe\x10",
     "\r\n\r\n", false},
    {"websocket, queued",
     "GET /ws-full HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
     NULL, true},
    {"refused, lingering", "BAD\r\n\r\n", NULL, false},
    {"closing, lingering", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "hello",
     false},
};
enum { STATES = sizeof states / sizeof *states };

typedef enum { RESETS, CLOSES, SHUTS_DOWN, STAYS, WAYS } way_t;
static const char *const way_names[] = {"resets", "closes", "shuts down", "stays until the stop"};

static int enter_state(int port, size_t i) {
    char answer[1024];
    int fd = sock_connect(port), size = 2048;
    if (states[i].small) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    CHECK(fd >= 0 && sock_send(fd, states[i].send));
    if (states[i].answer != NULL) {
        CHECK_MSG(sock_read(fd, answer, sizeof answer, states[i].answer) > 0, "%s: no answer",
                  states[i].name);
    }
    return fd;
}

/* Gives the descriptor that is still to be closed, or -1. */
static int leave(int fd, way_t way) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (way == RESETS) setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (way == SHUTS_DOWN) shutdown(fd, SHUT_WR);
    if (way == SHUTS_DOWN || way == STAYS) return fd;
    close(fd);
    return -1;
}

/* Reads for a moment, as a client does that only shut down its sending side, and then leaves. */
static void read_on(int fd) {
    static char sink[65536];
    for (int i = 0; i < 30; i++) {
        ssize_t n = recv(fd, sink, sizeof sink, MSG_DONTWAIT);
        if (n == 0) break;
        if (n < 0) usleep(10000);
    }
    close(fd);
}

/* ------------------------------------------------------------------------------------------ walk */

static gale_stats_t look(const gale_server_t *s) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    CHECK_EQ_INT(gale_stats(s, &stats), 0);
    return stats;
}

static bool settles(gale_server_t *s, const world_t *world, uint64_t open) {
    for (int i = 0; i < 1000; i++) {
        if (look(s).connections_open <= open &&
            atomic_load(&world->dones) == atomic_load(&world->requests) &&
            atomic_load(&world->closes) == atomic_load(&world->sockets)) {
            return true;
        }
        usleep(10000);
    }
    return false;
}

static gale_server_t *start(world_t *world, bool half_close) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = on_request;
    h.on_body = on_body;
    h.on_done = on_done;
    config.workers = 1;
    config.allow_half_close = half_close;
    config.shutdown_grace_ms = 300;
    /* One that half-closed where that is allowed is only found out by these. */
    config.write_timeout_ms = config.body_timeout_ms = 1000;
    return live_start(&config, &h, world, "http://127.0.0.1:0");
}

static void one_by_one(gale_server_t *s, world_t *world, way_t way) {
    int port = gale_server_port(s, 0), good = sock_connect(port);
    CHECK(sock_send(good, GET("/")) && sock_read_responses(good, 1));
    unsigned before = rig_open_fds();
    for (size_t i = 0; i < STATES; i++) {
        int fd = enter_state(port, i);
        usleep(5000);
        fd = leave(fd, way);
        CHECK(sock_send(good, GET("/")) && sock_read_responses(good, 1));
        if (fd >= 0) read_on(fd);
        CHECK_MSG(settles(s, world, 1), "%s, %s: it did not end", states[i].name, way_names[way]);
        for (int k = 0; k < 500 && rig_open_fds() != before; k++) usleep(10000); /* of a file */
        CHECK_EQ_UINT(rig_open_fds(), before);
        CHECK_EQ_UINT(look(s).websockets_open, 0);
        CHECK(look(s).blocks_held <= 2);
    }
    close(good);
}

/* All states at once, with the server's stop as the end of them. */
static void until_the_stop(gale_server_t *s) {
    int fds[STATES];
    for (size_t i = 0; i < STATES; i++) fds[i] = enter_state(gale_server_port(s, 0), i);
    usleep(20000);
    CHECK_EQ_INT(gale_server_stop(s), 0);
    CHECK_EQ_INT(gale_server_join(s), 0);
    for (size_t i = 0; i < STATES; i++) close(fds[i]);
}

static void make_file(world_t *world) {
    strcpy(world->file, "/tmp/gale-leaving-XXXXXX");
    int fd = mkstemp(world->file);
    CHECK(fd >= 0 && write(fd, rig_pattern(BIG), BIG) == BIG);
    close(fd);
}

static void walk(way_t way, bool half_close) {
    world_t world = {0};
    gale_server_t *first = live_start(NULL, NULL, NULL, "http://127.0.0.1:0");
    if (first != NULL) live_end(first); /* what libuv keeps for ever is there from now on */
    make_file(&world);
    unsigned before = rig_open_fds();
    rig_alloc_begin(0, false);
    gale_server_t *s = start(&world, half_close);
    if (s != NULL && way == STAYS) until_the_stop(s);
    if (s != NULL && way != STAYS) one_by_one(s, &world, way);
    if (s != NULL) {
        CHECK_EQ_INT(gale_server_stop(s), 0);
        CHECK_EQ_INT(gale_server_join(s), 0);
        CHECK_EQ_UINT(atomic_load(&world.dones), atomic_load(&world.requests));
        CHECK_EQ_UINT(atomic_load(&world.closes), atomic_load(&world.sockets));
        CHECK_EQ_UINT(look(s).connections_open, 0);
        CHECK(atomic_load(&world.requests) >= 10 && atomic_load(&world.sockets) == 3);
        gale_server_free(s);
    }
    rig_alloc_end();
    CHECK_EQ_UINT(rig_open_fds(), before);
    unlink(world.file);
}

TEST(leaving, by_reset) {
    walk(RESETS, false);
}
TEST(leaving, by_close) {
    walk(CLOSES, false);
}
TEST(leaving, by_half_close) {
    walk(SHUTS_DOWN, false);
}
TEST(leaving, by_reset_where_half_close_is_allowed) {
    walk(RESETS, true);
}
TEST(leaving, by_the_stop_of_the_server) {
    walk(STAYS, false);
}
