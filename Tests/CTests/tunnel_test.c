/* Tunnels: bytes in both directions, the two ends, back-pressure, and how they go. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig_socket.h"
#include "rig_tunnel.h"

/* --------------------------------------------------------------------------------- bytes, pauses */

TEST(tunnel, bytes_behind_the_request_come_first) {
    for (int late = 0; late < 2; late++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = "raw/2", .echo = true};
        rig_init(&rig);
        if (late) rig_open(&rig), rig_connect(&rig, &client), rig_send(&client, UPGRADE "early");
        if (late) rig.arg = &play, play_accept(&rig, rig.req), rig_turn(&rig, 3);
        if (!late) play_open(&rig, &client, &play, UPGRADE "early");
        CHECK_IN("early");
        rig_send(&client, " and late");
        rig_turn(&rig, 2);
        CHECK_IN("early and late");
        CHECK_EQ_STR(rig_body_of(rig_take(&client)), "early and late");
        play_close(&rig, &client, &play);
        CHECK_EQ_INT(play.status, GALE_EGONE);
    }
}

TEST(tunnel, pause_holds_bytes_and_the_end_back) {
    enum { SIZE = 300000 };
    rig_t rig;
    rig_client_t client;
    play_t play = {.pauses = true};
    play_open_tunnel(&rig, &client, &play);
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
    play_close(&rig, &client, &play);
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
    play_open(&rig, &client, &play, UPGRADE);
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
    play_close(&rig, &client, &play);
}

/* ----------------------------------------------------------------------------------------- ends */

TEST(tunnel, either_side_may_end_first) {
    for (int server_first = 0; server_first < 2; server_first++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.keeps_open = true};
        play_open_tunnel(&rig, &client, &play);
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
        play_close(&rig, &client, &play);
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
        play_open_tunnel(&rig, &client, &play);
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
        play_close(&rig, &client, &play);
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
        play_open(&rig, &client, &play, UPGRADE);
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
        play_close(&rig, &client, &play);
    }
}

TEST(tunnel, idle_timeout) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw/2"};
    rig_init(&rig);
    rig.config.tunnel_idle_timeout_ms = 300;
    play_open(&rig, &client, &play, UPGRADE);
    for (int i = 0; i < 8; i++) { /* bytes either way count */
        rig_wait(&rig, 60);
        if (i % 2 == 0) rig_send(&client, "x");
        if (i % 2 == 1 && play.tunnel != NULL) gale_tunnel_write(play.tunnel, gale_cstr("y"));
    }
    CHECK(play.in.len > 0);
    rig_until(&rig, &play.closes, 1, 10000);
    CHECK_EQ_UINT(play.closes, 1);
    CHECK_EQ_INT(play.status, GALE_ETIMEDOUT);
    play_close(&rig, &client, &play);
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
    play_open_tunnel(&rig, &client, &play);
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
    play_close(&rig, &client, &play);
}

static void live_request(gale_req_t *req, void *data) {
    gale_tunnel_handler_t h = play_handler();
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

/* From two other threads at a time: all of it arrives, and is freed. */
enum { WRITERS = 2, ROUNDS = 2000 };

typedef struct {
    gale_server_t *server;
    _Atomic uint64_t ref;
    atomic_uint freed;
    unsigned taken; /* by gale_ref_write, of all threads; behind the lock */
    pthread_mutex_t lock;
    atomic_int closed;
} shared_t;

static void count_freed(void *arg) {
    atomic_fetch_add((atomic_uint *)arg, 1);
}

static void *write_many(void *arg) {
    shared_t *s = arg;
    gale_ref_t ref;
    unsigned taken = 0;
    while ((ref.bits = atomic_load(&s->ref)) == 0) usleep(100);
    for (int i = 0; i < ROUNDS; i++) {
        gale_buf_t buf = {"x", 1, count_freed, &s->freed};
        taken += gale_ref_write(s->server, ref, buf) == 0;
    }
    pthread_mutex_lock(&s->lock);
    s->taken += taken;
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void shared_close(gale_tunnel_t *t, int status, void *data) {
    (void)t, (void)status;
    atomic_store(&((shared_t *)data)->closed, 1);
}

static void shared_request(gale_req_t *req, void *data) {
    shared_t *s = data;
    gale_tunnel_t *t;
    gale_tunnel_handler_t h = gale_tunnel_handler();
    h.on_close = shared_close;
    CHECK_EQ_INT(gale_tunnel_accept(req, gale_str(NULL, 0), &h, s, NULL, 0, &t), 0);
    atomic_store(&s->ref, gale_tunnel_ref(t).bits);
}

TEST(tunnel, written_to_from_other_threads) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    shared_t shared = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[WRITERS];
    static char out[WRITERS * ROUNDS + 1];
    config.workers = 1;
    h.on_request = shared_request;
    gale_server_t *s = live_start(&config, &h, &shared, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    shared.server = s;
    int fd = sock_connect(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    for (int i = 0; i < WRITERS; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, write_many, &shared) == 0);
    }
    CHECK(sock_send(fd, CONNECT));
    /* The head ends with the empty line; then as many bytes as were written. */
    char last[4] = "";
    while (memcmp(last, "\r\n\r\n", 4) != 0) {
        memmove(last, last + 1, 3);
        REQUIRE(recv(fd, last + 3, 1, 0) == 1);
    }
    CHECK_EQ_INT(sock_read(fd, out, sizeof out, NULL), sizeof out - 1);
    for (int i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
    close(fd);
    live_end(s);
    CHECK_EQ_UINT(shared.taken, WRITERS * ROUNDS);
    CHECK_EQ_UINT(atomic_load(&shared.freed), WRITERS * ROUNDS);
    CHECK_EQ_INT(atomic_load(&shared.closed), 1);
}
