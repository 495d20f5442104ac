/* One client asks for as much as it can, another for a little: each has its turn. Both wait on real
 * sockets before the loop turns, so that what comes first is not chance. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "connection.h"
#include "rig.h"
#include "rig_socket.h"
#include "rig_ws.h"

#define TINY "GET /f HTTP/1.1\r\nHost:h\r\n\r\n"
#define GOOD "GET /good HTTP/1.1\r\nHost: h\r\n\r\n"

enum { TURNS = 3 }; /* that the good client may have to wait */

typedef struct {
    unsigned flood;       /* what the greedy one has got */
    unsigned before_good; /* of that, before the other's first turn */
    unsigned good;
    bool late; /* the flood is answered by a timer */
    rig_ws_t ws;
} flood_t;

static void count(rig_t *rig, gale_req_t *req) {
    flood_t *f = rig->arg;
    if (gale_req_path(req).len == 5) {
        if (f->good++ == 0) f->before_good = f->flood;
    } else {
        f->flood++;
    }
    CHECK_EQ_INT(gale_respond_text(req, 200, "x"), 0);
}

static void count_piece(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    flood_t *f = rig->arg;
    (void)chunk;
    f->flood++;
    if (last) CHECK_EQ_INT(gale_respond_text(req, 200, "x"), 0);
}

static void pieces(rig_t *rig, gale_req_t *req) {
    if (!gale_req_has_body(req)) count(rig, req);
}

static flood_t *messages_of;
static void count_message(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)ws;
    (void)kind;
    (void)bytes;
    messages_of->flood++;
}

static void upgrade(rig_t *rig, gale_req_t *req) {
    flood_t *f = rig->arg;
    gale_ws_handler_t h = rig_ws_handler();
    if (!gale_req_wants_websocket(req)) {
        count(rig, req);
        return;
    }
    messages_of = f;
    f->ws.message = count_message;
    CHECK_EQ_INT(gale_ws_accept(req, &h, &f->ws, NULL, 0, &f->ws.ws), 0);
}

/* Sends the flood and one good request, turns the loop until both have what they want. `most`: what
 * the flood may have got by the time of the good client's turn. */
static void play(void (*request)(rig_t *, gale_req_t *), bool streaming, const rig_text_t *flood,
                 unsigned want, unsigned most) {
    rig_t rig;
    flood_t f = {0};
    rig_init(&rig);
    rig.keep_log = false;
    rig.request = request;
    rig.streaming = streaming;
    rig.body = count_piece;
    rig.arg = &f;
    rig.url = "http://127.0.0.1:0";
    rig_open(&rig);
    int greedy = sock_connect(gale_server_port(rig.server, 0));
    int good = sock_connect(gale_server_port(rig.server, 0));
    rig_turn(&rig, 3); /* both are accepted */
    CHECK(sock_send_bytes(greedy, flood->text, flood->len));
    CHECK(sock_send(good, GOOD));
    usleep(20000);
    rig_turn(&rig, TURNS);
    CHECK_EQ_UINT(f.good, 1);
    CHECK_MSG(f.before_good <= most, "%u before the other's turn", f.before_good);
    rig_until(&rig, &f.flood, want, 5000);
    CHECK_EQ_UINT(f.flood, want);
    close(greedy);
    close(good);
    rig_turn(&rig, 5);
    rig_close(&rig);
    rig_text_free(&f.ws.log);
}

TEST(flood, pipelined_requests) {
    enum { N = 2000 };
    rig_text_t flood = {0};
    for (int i = 0; i < N; i++) rig_text_add(&flood, gale_cstr(TINY));
    play(count, false, &flood, N, TURNS * GALE__TURN_WORK / GALE__REQUEST_WORK);
    rig_text_free(&flood);
}

TEST(flood, pieces_of_a_body) {
    enum { N = 8000 };
    rig_text_t flood = {0};
    rig_text_add(&flood,
                 gale_cstr("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < N; i++) rig_text_add(&flood, gale_cstr("1\r\nx\r\n"));
    rig_text_add(&flood, gale_cstr("0\r\n\r\n"));
    play(pieces, true, &flood, N + 1, TURNS * GALE__TURN_WORK);
    rig_text_free(&flood);
}

TEST(flood, websocket_messages) {
    enum { N = 8000 };
    rig_text_t flood = {0};
    rig_text_add(&flood, gale_cstr(RIG_UPGRADE));
    for (int i = 0; i < N; i++) rig_frame(&flood, 0x82, "", 0);
    play(upgrade, false, &flood, N, TURNS * GALE__TURN_WORK);
    rig_text_free(&flood);
}

/* A writer whose client takes everything at once: it could write on and on within one turn. */

enum { PIECE = 70000, PIECES = 300 };

static void write_piece(rig_t *rig, gale_req_t *req) {
    flood_t *f = rig->arg;
    gale_buf_t piece = {rig_pattern(PIECE), PIECE, NULL, NULL};
    if (f->flood++ < PIECES) {
        CHECK_EQ_INT(gale_resp_write_buf(req, piece), 1);
    } else {
        CHECK_EQ_INT(gale_resp_end(req, NULL, 0), 0);
    }
}

static void write_on(rig_t *rig, gale_req_t *req) {
    if (gale_req_path(req).len == 5) {
        count(rig, req);
        return;
    }
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, PIECES * PIECE), 0);
    write_piece(rig, req);
}

TEST(flood, a_writer_that_is_never_full) {
    rig_t rig;
    rig_client_t greedy, good;
    flood_t f = {0};
    rig_init(&rig);
    rig.keep_log = false;
    rig.arg = &f;
    rig.request = write_on;
    rig.drain = write_piece;
    rig_open(&rig);
    rig_connect(&rig, &greedy);
    rig_connect(&rig, &good);
    rig_send(&greedy, "GET /all HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_send(&good, GOOD);
    CHECK_EQ_UINT(f.good, 1);
    CHECK_MSG(f.before_good < PIECES / 2, "%u pieces before the other's turn", f.before_good);
    CHECK(rig_until(&rig, &rig.dones, 2, 5000));
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig_body_of(rig_take(&greedy)).len, PIECES * PIECE);
    CHECK_EQ_INT(rig_status_of(rig_take(&good)), 200);
    rig_drop(&rig, &greedy);
    rig_drop(&rig, &good);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------- on and on */

typedef struct {
    int port;
    atomic_bool stop;
    atomic_uint answers;
} flooder_t;

/* Pipelines without end and reads the answers, as one that wants the worker for itself. */
static void *flood_on(void *arg) {
    static char sink[1 << 18];
    flooder_t *f = arg;
    rig_text_t many = {0};
    for (int i = 0; i < 1000; i++) rig_text_add(&many, gale_cstr(TINY));
    int fd = sock_connect(f->port);
    size_t at = 0;
    while (!atomic_load(&f->stop)) {
        ssize_t n = send(fd, many.text + at, many.len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) at = (at + (size_t)n) % many.len;
        n = recv(fd, sink, sizeof sink, MSG_DONTWAIT);
        if (n > 0) atomic_fetch_add(&f->answers, 1);
    }
    close(fd);
    rig_text_free(&many);
    return NULL;
}

static void hello(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "hello");
}

/* The socket's time limit is what the good client waits at most. */
TEST(flood, on_and_on) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = hello;
    config.workers = 1;
    gale_server_t *s = live_start(&config, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    flooder_t flooder = {.port = gale_server_port(s, 0)};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, flood_on, &flooder) == 0);
    for (int i = 0; i < 200 && atomic_load(&flooder.answers) < 10; i++) usleep(10000);
    int stays = sock_connect(flooder.port);
    for (int i = 0; i < 50; i++) {
        CHECK(sock_send(stays, GOOD) && sock_read_responses(stays, 1));
        int fd = sock_connect(flooder.port);
        CHECK(fd >= 0 && sock_send(fd, GOOD) && sock_read_responses(fd, 1));
        close(fd);
    }
    CHECK(atomic_load(&flooder.answers) >= 10);
    atomic_store(&flooder.stop, true);
    pthread_join(thread, NULL);
    close(stays);
    live_end(s);
}

/* -------------------------------------------------------------------------------- and then a FIN */

/* Whoever sends a flood and then shuts down its sending side gets all answers: those that rest, and
 * those behind a late one. */
TEST(flood, all_is_answered_after_a_half_close) {
    enum { N = 1000 };
    for (int websocket = 0; websocket < 2; websocket++) {
        rig_t rig;
        rig_client_t client;
        flood_t f = {0};
        rig_text_t flood = {0};
        rig_init(&rig);
        rig.keep_log = false;
        rig.arg = &f;
        rig.request = websocket ? upgrade : count;
        rig_open(&rig);
        rig_connect(&rig, &client);
        if (websocket) rig_text_add(&flood, gale_cstr(RIG_UPGRADE));
        for (int i = 0; i < N; i++) {
            if (websocket) rig_frame(&flood, 0x82, "x", 1);
            if (!websocket) rig_text_add(&flood, gale_cstr(TINY));
        }
        if (websocket) rig_close_frame(&flood, 1000, "bye");
        rig_send_bytes(&client, flood.text, flood.len);
        CHECK(f.flood < N);
        gale_peer_shutdown(client.peer);
        CHECK(rig_until(&rig, &client.closes, 1, 5000));
        CHECK_EQ_UINT(f.flood, N);
        if (websocket) CHECK_EQ_INT(f.ws.code, 1000);
        if (!websocket) CHECK_EQ_UINT(rig_count(rig_take(&client), "HTTP/1.1 200"), N);
        rig_text_free(&flood);
        rig_drop(&rig, &client);
        rig_close(&rig);
        rig_text_free(&f.ws.log);
    }
}

static void answer_late(rig_t *rig, gale_req_t *req) {
    (void)rig;
    (void)req;
}

TEST(flood, a_late_answer_does_not_drop_what_is_pipelined_behind_it) {
    enum { N = 5 };
    for (int close = 0; close < 2; close++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.request = answer_late;
        rig.config.allow_half_close = 1;
        rig_open(&rig);
        rig_connect(&rig, &client);
        for (int i = 0; i < N; i++) {
            rig_send(&client, i == N - 1 && close ? "GET / HTTP/1.1\r\nHost: h\r\n"
                                                    "Connection: close\r\n\r\n"
                                                  : TINY);
        }
        gale_peer_shutdown(client.peer);
        rig_turn(&rig, 4);
        for (int i = 0; i < N; i++) {
            CHECK_EQ_UINT(client.closes, 0);
            CHECK_EQ_UINT(rig.requests, i + 1);
            REQUIRE(rig.req != NULL);
            CHECK_EQ_INT(gale_respond_text(rig.req, 200, "late"), 0);
            rig_turn(&rig, 3);
        }
        gale_str_t got = rig_take(&client);
        CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 200"), N);
        CHECK_EQ_UINT(rig_count(got, "Connection: close"), 1);
        CHECK_EQ_UINT(client.closes, 1);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

/* Without permission the first that is not answered yet ends them all. */
TEST(flood, a_half_close_without_permission_ends_what_waits) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = answer_late;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, TINY TINY TINY);
    gale_peer_shutdown(client.peer);
    CHECK(rig_until(&rig, &client.closes, 1, 5000));
    CHECK_EQ_UINT(rig.requests, 1);
    CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* A paused body that has come whole is still one, when the client may shut down. */
TEST(flood, a_paused_body_is_whole_after_a_half_close) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.config.allow_half_close = 1;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    REQUIRE(rig.req != NULL);
    gale_req_pause(rig.req);
    rig_send(&client, "hello");
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 4);
    REQUIRE(rig.req != NULL);
    gale_req_resume(rig.req);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.lasts, 1);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "ok"), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK_EQ_UINT(client.closes, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}
