/* Tunnels: who may become one, bytes in both directions, the two ends, back-pressure, and how they
 * go (RFC 9110 7.8, 9.3.6). */
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"

#define UPGRADE                                                                                    \
    "GET /t HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other/1, raw/2\r\n\r\n"
#define CONNECT "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"

/* What the handler of the rig does, and what happened; rig.arg. */
typedef struct {
    const char *protocol;
    gale_tunnel_t *tunnel; /* null once it is closed */
    bool echo, keeps_open; /* on_end ends nothing */
    bool pauses;           /* in on_data */
    bool ends_in_stop;
    int accepted, status;
    unsigned ends, drains, stops, closes;
    rig_text_t in;
    const gale_header_t *headers;
    size_t count;
} play_t;

static void on_data(gale_tunnel_t *t, gale_str_t bytes, void *data) {
    play_t *p = data;
    CHECK(p->tunnel == NULL || p->tunnel == t);
    CHECK(bytes.len > 0 && p->ends == 0 && p->closes == 0);
    rig_text_add(&p->in, bytes);
    if (p->echo) gale_tunnel_write(t, bytes);
    if (p->pauses) gale_tunnel_pause(t);
}

static void on_end(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    p->ends++;
    if (!p->keeps_open && p->stops == 0) CHECK_EQ_INT(gale_tunnel_end(t), 0);
}

static void on_drain(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    (void)t;
    p->drains++;
}

static void on_stop(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    p->stops++;
    if (!p->ends_in_stop) return;
    CHECK_EQ_INT(gale_tunnel_write(t, gale_cstr("bye")), 0);
    CHECK_EQ_INT(gale_tunnel_end(t), 0);
}

static void on_close(gale_tunnel_t *t, int status, void *data) {
    play_t *p = data;
    CHECK(p->tunnel == t && gale_tunnel_data(t) == p);
    CHECK_EQ_UINT(gale_tunnel_ref(t).bits, 0);
    CHECK(gale_tunnel_write(t, gale_cstr("late")) < 0);
    p->closes++;
    p->status = status;
    p->tunnel = NULL;
}

static gale_tunnel_handler_t handler(void) {
    gale_tunnel_handler_t h = gale_tunnel_handler();
    h.on_data = on_data;
    h.on_end = on_end;
    h.on_drain = on_drain;
    h.on_stop = on_stop;
    h.on_close = on_close;
    return h;
}

static void accept_it(rig_t *rig, gale_req_t *req) {
    play_t *p = rig->arg;
    gale_tunnel_handler_t h = handler();
    gale_str_t protocol = p->protocol == NULL ? gale_str(NULL, 0) : gale_cstr(p->protocol);
    p->accepted = gale_tunnel_accept(req, protocol, &h, p, p->headers, p->count, &p->tunnel);
    CHECK((p->accepted == 0) == (p->tunnel != NULL));
    if (p->accepted < 0) CHECK_EQ_INT(gale_respond_text(req, 403, "refused"), 0);
}

/* Makes the rig with `config` set already; the client has sent `text`. */
static void open_with(rig_t *rig, rig_client_t *client, play_t *play, const char *text) {
    rig->request = accept_it;
    rig->arg = play;
    rig_open(rig);
    rig_connect(rig, client);
    rig_send(client, text);
    rig_turn(rig, 3);
}

static void open_tunnel(rig_t *rig, rig_client_t *client, play_t *play) {
    rig_init(rig);
    play->protocol = "raw/2";
    open_with(rig, client, play, UPGRADE);
    CHECK_EQ_INT(play->accepted, 0);
    CHECK_EQ_INT(rig_status_of(rig_take(client)), 101);
}

static void close_all(rig_t *rig, rig_client_t *client, play_t *play) {
    rig_drop(rig, client);
    CHECK_EQ_UINT(play->closes, play->accepted == 0);
    rig_close(rig);
    rig_text_free(&play->in);
}

#define CHECK_IN(want) CHECK_EQ_STR(gale_str(play.in.text, play.in.len), want)

/* ------------------------------------------------------------------------------------- becoming */

TEST(tunnel, answers_101_or_200) {
    static const gale_header_t extra = {{"X-Via", 5}, {"gale", 4}};
    static const struct {
        const char *text, *protocol, *answer;
    } rows[] = {
        {UPGRADE, "raw/2", "101 Switching Protocols\r\nUpgrade: raw/2\r\nConnection: Upgrade\r\n"},
        {UPGRADE, "OTHER/1",
         "101 Switching Protocols\r\nUpgrade: OTHER/1\r\nConnection: Upgrade\r\n"},
        {CONNECT, NULL, "200 OK\r\n"},
        {"CONNECT h:443 HTTP/1.0\r\n\r\n", "", "200 OK\r\n"},
        {"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nConnection: x, upgrade\r\nUpgrade: "
         "raw\r\n\r\n",
         "raw", "101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n"},
        {"POST / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: upgrade\r\n"
         "Content-Length: 4\r\n\r\nbody",
         "raw", "101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = rows[i].protocol, .headers = &extra, .count = 1};
        rig_text_t want = {0};
        rig_init(&rig);
        open_with(&rig, &client, &play, rows[i].text);
        rig_text_addf(&want, "HTTP/1.1 %sX-Via: gale\r\nServer: gale\r\nDate: ", rows[i].answer);
        gale_str_t got = rig_take(&client);
        CHECK_MSG(rig_has(got, want.text), "row %zu: %.*s", i, (int)got.len, got.ptr);
        CHECK(!rig_has(got, "Content-Length") && !rig_has(got, "Transfer-Encoding"));
        CHECK_EQ_UINT(rig_count(got, "Connection"), i != 2 && i != 3);
        CHECK_EQ_UINT(rig_body_of(got).len, 0);
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_INT(rig.last_status, GALE_EUPGRADED);
        rig_send(&client, "GET / HTTP/1.1\r\n\r\n"); /* bytes like any others now */
        CHECK_IN("GET / HTTP/1.1\r\n\r\n");
        rig_text_free(&want);
        close_all(&rig, &client, &play);
    }
}

/* Nothing was asked for, or not so, or there are bytes of which nobody knows whose they are: the
 * request can still be answered. */
TEST(tunnel, refusals) {
#define ASK(fields) "GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
    static const gale_header_t bad[] = {{{"Upgrade", 7}, {"raw", 3}},
                                        {{"content-length", 14}, {"0", 1}},
                                        {{"Connection", 10}, {"close", 5}},
                                        {{"Transfer-Encoding", 17}, {"chunked", 7}},
                                        {{"A", 1}, {"b\n", 2}}};
    static const struct {
        const char *text, *protocol;
        int err;
        const gale_header_t *header;
    } rows[] = {
        {ASK(""), "raw", GALE_EHANDSHAKE, NULL},
        {ASK(""), NULL, GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Connection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raws\r\nConnection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw/2\r\nConnection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw\r\nConnection: upgrade\r\n"), "", GALE_EHANDSHAKE, NULL},
        {"GET / HTTP/1.0\r\nUpgrade: raw\r\nConnection: upgrade\r\n\r\n", "raw", GALE_EHANDSHAKE,
         NULL},
        {CONNECT, "raw", GALE_EHANDSHAKE, NULL},
        {CONNECT, NULL, GALE_EHEADER, &bad[0]},
        {CONNECT, NULL, GALE_EHEADER, &bad[1]},
        {CONNECT, NULL, GALE_EHEADER, &bad[2]},
        {CONNECT, NULL, GALE_EHEADER, &bad[3]},
        {CONNECT, NULL, GALE_EHEADER, &bad[4]},
        {ASK("Upgrade: raw\r\nConnection: upgrade\r\n"), "raw", GALE_EHEADER, &bad[0]},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = rows[i].protocol,
                       .headers = rows[i].header,
                       .count = rows[i].header != NULL};
        rig_init(&rig);
        open_with(&rig, &client, &play, rows[i].text);
        CHECK_MSG(play.accepted == rows[i].err, "row %zu: %s", i, gale_err_name(play.accepted));
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 403);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        close_all(&rig, &client, &play);
    }
}

/* Of a streamed body, of an answer begun, of a server that stops. */
TEST(tunnel, not_now) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw"};
    rig_init(&rig);
    rig.streaming = true;
    open_with(&rig, &client, &play,
              "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: upgrade\r\n"
              "Content-Length: 4\r\n\r\nbo");
    CHECK_EQ_INT(play.accepted, GALE_ESTATE);
    close_all(&rig, &client, &play);

    play = (play_t){.protocol = NULL};
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, CONNECT);
    gale_tunnel_handler_t h = handler();
    CHECK_EQ_INT(gale_resp_begin(rig.req, 403, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_tunnel_accept(rig.req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL),
                 GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    rig_turn(&rig, 3);
    rig_send(&client, CONNECT);
    REQUIRE(rig.req != NULL);
    gale_server_stop(rig.server);
    rig_turn(&rig, 2);
    CHECK_EQ_INT(gale_tunnel_accept(rig.req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL),
                 GALE_ESHUTDOWN);
    gale_req_t *req = rig.req;
    gale_resp_abort(req);
    CHECK_EQ_INT(gale_tunnel_accept(req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL), GALE_EGONE);
    rig_turn(&rig, 3);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(tunnel, wants_upgrade) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, UPGRADE);
    REQUIRE(rig.req != NULL);
    CHECK(gale_req_wants_upgrade(rig.req, gale_cstr("RAW/2")));
    CHECK(gale_req_wants_upgrade(rig.req, gale_cstr("other/1")));
    CHECK(!gale_req_wants_upgrade(rig.req, gale_cstr("raw")));
    CHECK(!gale_req_wants_upgrade(rig.req, gale_cstr("")));
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* --------------------------------------------------------------------------------- bytes, pauses */

TEST(tunnel, bytes_behind_the_request_come_first) {
    for (int late = 0; late < 2; late++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = "raw/2", .echo = true};
        rig_init(&rig);
        if (late) rig_open(&rig), rig_connect(&rig, &client), rig_send(&client, UPGRADE "early");
        if (late) rig.arg = &play, accept_it(&rig, rig.req), rig_turn(&rig, 3);
        if (!late) open_with(&rig, &client, &play, UPGRADE "early");
        CHECK_IN("early");
        rig_send(&client, " and late");
        rig_turn(&rig, 2);
        CHECK_IN("early and late");
        CHECK_EQ_STR(rig_body_of(rig_take(&client)), "early and late");
        close_all(&rig, &client, &play);
        CHECK_EQ_INT(play.status, GALE_EGONE);
    }
}

TEST(tunnel, pause_holds_bytes_and_the_end_back) {
    enum { SIZE = 300000 };
    rig_t rig;
    rig_client_t client;
    play_t play = {.pauses = true};
    open_tunnel(&rig, &client, &play);
    rig_send(&client, "first");
    CHECK_IN("first");
    rig_text_clear(&play.in);
    rig_send_bytes(&client, rig_pattern(SIZE), SIZE);
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(play.in.len, 0);
    for (int i = 0; i < 50 && play.closes == 0; i++) {
        CHECK(play.ends == 0 || play.in.len == SIZE);
        gale_tunnel_resume(play.tunnel);
        rig_turn(&rig, 2);
    }
    CHECK_EQ_STRS(gale_str(play.in.text, play.in.len), gale_str(rig_pattern(SIZE), SIZE));
    CHECK_EQ_UINT(play.ends, 1);
    CHECK_EQ_INT(play.status, GALE_OK);
    close_all(&rig, &client, &play);
}

TEST(tunnel, back_pressure) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw/2"};
    unsigned freed = 0;
    rig_init(&rig);
    rig.config.write_high_water = 10000;
    rig.config.write_low_water = 2000;
    rig.config.write_limit = 100000;
    open_with(&rig, &client, &play, UPGRADE);
    rig_take(&client);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_tunnel_write(play.tunnel, gale_str(rig_pattern(9000), 9000)), 0);
    CHECK_EQ_UINT(gale_tunnel_queued(play.tunnel), 9000);
    CHECK_EQ_INT(gale_tunnel_write_buf(play.tunnel, rig_buf(rig_pattern(9000), 9000, &freed)), 1);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(play.drains, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(play.drains, 1);
    CHECK_EQ_UINT(freed, 1);
    CHECK_EQ_UINT(rig_take(&client).len, 18000);
    gale_peer_stall(client.peer, true);
    int err = 0;
    for (int i = 0; i < 20 && err >= 0; i++) {
        err = gale_tunnel_write(play.tunnel, gale_str(rig_pattern(9000), 9000));
    }
    CHECK_EQ_INT(err, GALE_ELIMIT);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(play.status, GALE_ELIMIT);
    close_all(&rig, &client, &play);
}

/* ----------------------------------------------------------------------------------------- ends */

TEST(tunnel, either_side_may_end_first) {
    for (int server_first = 0; server_first < 2; server_first++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.keeps_open = true};
        open_tunnel(&rig, &client, &play);
        if (server_first) {
            CHECK_EQ_INT(gale_tunnel_write(play.tunnel, gale_cstr("last words")), 0);
            CHECK_EQ_INT(gale_tunnel_end(play.tunnel), 0);
            CHECK_EQ_INT(gale_tunnel_end(play.tunnel), GALE_ESTATE);
            CHECK_EQ_INT(gale_tunnel_write(play.tunnel, gale_cstr("x")), GALE_ESTATE);
            rig_turn(&rig, 3);
            CHECK_EQ_STR(rig_take(&client), "last words");
            CHECK_EQ_UINT(client.ends, 1);
            rig_send(&client, "still read");
            rig_turn(&rig, 2);
            CHECK_IN("still read");
            CHECK_EQ_UINT(play.closes, 0);
            gale_peer_shutdown(client.peer);
        } else {
            rig_send(&client, "question");
            gale_peer_shutdown(client.peer);
            rig_turn(&rig, 3);
            CHECK_IN("question");
            CHECK_EQ_UINT(play.ends, 1);
            CHECK_EQ_UINT(client.closes, 0);
            CHECK_EQ_INT(gale_tunnel_write(play.tunnel, gale_cstr("answer")), 0);
            CHECK_EQ_INT(gale_tunnel_end(play.tunnel), 0);
        }
        rig_turn(&rig, 4);
        if (!server_first) CHECK_EQ_STR(rig_take(&client), "answer");
        CHECK_EQ_UINT(play.closes, 1);
        CHECK_EQ_INT(play.status, GALE_OK);
        CHECK_EQ_UINT(client.closes, 1);
        close_all(&rig, &client, &play);
    }
}

static void bare_accept(rig_t *rig, gale_req_t *req) {
    gale_tunnel_handler_t h = gale_tunnel_handler();
    CHECK_EQ_INT(gale_tunnel_accept(req, gale_cstr("raw/2"), &h, rig, NULL, 0, NULL), 0);
}

/* A handler without callbacks: bytes go nowhere, and the end of one side is that of the other. */
TEST(tunnel, no_callback_is_needed) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = bare_accept;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, UPGRADE "bytes");
    rig_send(&client, "more");
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(client.closes, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(tunnel, abort_and_leaving) {
    for (int way = 0; way < 3; way++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.echo = true};
        open_tunnel(&rig, &client, &play);
        if (way == 0) gale_tunnel_abort(play.tunnel);
        if (way == 1) gale_peer_close(client.peer);
        if (way == 2) gale_server_stop(rig.server), gale_server_stop(rig.server);
        CHECK_EQ_UINT(play.closes, way == 1); /* never from within gale_tunnel_abort */
        rig_turn(&rig, 4);
        CHECK_EQ_UINT(play.closes, 1);
        CHECK_EQ_INT(play.status, way == 0   ? GALE_EABORTED
                                  : way == 1 ? GALE_EGONE
                                             : GALE_ESHUTDOWN);
        CHECK_EQ_UINT(play.ends, 0);
        close_all(&rig, &client, &play);
    }
}

/* H1-26: a stop waits for tunnels, which are told. */
TEST(tunnel, is_counted_in_a_graceful_stop_H1_26) {
    for (int ends = 0; ends < 2; ends++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.ends_in_stop = ends, .protocol = "raw/2"};
        rig_init(&rig);
        rig.config.shutdown_grace_ms = ends ? 60000 : 200;
        open_with(&rig, &client, &play, UPGRADE);
        rig_take(&client);
        gale_server_stop(rig.server);
        rig_turn(&rig, 5);
        CHECK_EQ_UINT(play.stops, 1);
        CHECK_EQ_UINT(play.closes, 0);
        rig_send(&client, "goes on");
        CHECK_IN("goes on");
        if (ends) CHECK_EQ_STR(rig_take(&client), "bye");
        if (ends) gale_peer_shutdown(client.peer);
        rig_until(&rig, &play.closes, 1, 10000);
        CHECK_EQ_UINT(play.closes, 1);
        CHECK_EQ_INT(play.status, ends ? GALE_OK : GALE_ESHUTDOWN);
        close_all(&rig, &client, &play);
    }
}

TEST(tunnel, idle_timeout) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw/2"};
    rig_init(&rig);
    rig.config.tunnel_idle_timeout_ms = 300;
    open_with(&rig, &client, &play, UPGRADE);
    for (int i = 0; i < 8; i++) { /* bytes either way count */
        rig_wait(&rig, 60);
        if (i % 2 == 0) rig_send(&client, "x");
        if (i % 2 == 1 && play.tunnel != NULL) gale_tunnel_write(play.tunnel, gale_cstr("y"));
    }
    CHECK(play.in.len > 0);
    rig_until(&rig, &play.closes, 1, 10000);
    CHECK_EQ_UINT(play.closes, 1);
    CHECK_EQ_INT(play.status, GALE_ETIMEDOUT);
    close_all(&rig, &client, &play);
}

/* ----------------------------------------------------------------------------- references, sockets */

static void write_by_ref(gale_server_t *server, gale_ref_t ref, void *arg) {
    gale_tunnel_t *t = gale_ref_tunnel(server, ref);
    CHECK(gale_ref_req(server, ref) == NULL && gale_ref_ws(server, ref) == NULL);
    if (t != NULL) CHECK_EQ_INT(gale_tunnel_write(t, gale_cstr(" two")), 0);
    ++*(unsigned *)arg;
}

TEST(tunnel, references) {
    rig_t rig;
    rig_client_t client;
    play_t play = {0};
    unsigned freed = 0, calls = 0;
    open_tunnel(&rig, &client, &play);
    gale_ref_t ref = gale_tunnel_ref(play.tunnel);
    CHECK(ref.bits != 0 && gale_tunnel_ref(play.tunnel).bits == ref.bits);
    CHECK(gale_tunnel_worker(play.tunnel) == rig.worker);
    CHECK_EQ_INT(gale_ref_write(rig.server, ref, rig_buf("one", 3, &freed)), 0);
    CHECK_EQ_INT(gale_ref_post(rig.server, ref, write_by_ref, &calls), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_STR(rig_take(&client), "one two");
    CHECK_EQ_INT(gale_ref_write(rig.server, ref, rig_buf("lost", 4, &freed)), 0);
    gale_tunnel_abort(play.tunnel);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(gale_ref_write(rig.server, ref, rig_buf("late", 4, &freed)), GALE_EGONE);
    CHECK_EQ_UINT(freed, 3);
    CHECK_EQ_UINT(calls, 1);
    CHECK(gale_ref_tunnel(rig.server, ref) == NULL);
    close_all(&rig, &client, &play);
}

static void live_request(gale_req_t *req, void *data) {
    gale_tunnel_handler_t h = handler();
    play_t *p = data;
    p->accepted = gale_tunnel_accept(req, gale_str(NULL, 0), &h, p, NULL, 0, &p->tunnel);
}

/* Half-closing for real. */
TEST(tunnel, over_a_socket) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    play_t play = {.echo = true};
    char out[4096];
    config.workers = 1;
    h.on_request = live_request;
    gale_server_t *s = live_start(&config, &h, &play, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    CHECK(sock_send(fd, CONNECT "hello"));
    CHECK(sock_read(fd, out, sizeof out, "hello") > 0);
    CHECK(rig_has(gale_cstr(out), "HTTP/1.1 200 OK\r\n"));
    CHECK(sock_send(fd, " world"));
    CHECK(sock_read(fd, out, sizeof out, " world") > 0);
    shutdown(fd, SHUT_WR);
    CHECK_EQ_INT(sock_read(fd, out, sizeof out, NULL), 0); /* its FIN */
    close(fd);
    live_end(s);
    CHECK_EQ_STR(gale_str(play.in.text, play.in.len), "hello world");
    CHECK_EQ_UINT(play.closes, 1);
    CHECK_EQ_INT(play.status, GALE_OK);
    rig_text_free(&play.in);
}
