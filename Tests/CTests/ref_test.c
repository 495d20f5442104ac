/* gale_ref_*: answering, posting and sending from other threads; stale references. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"
#include "rig_ws.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void never(gale_server_t *server, gale_ref_t ref, void *arg) {
    (void)server, (void)ref, (void)arg;
    CHECK(false);
}

TEST(ref, names_a_request_until_it_is_over) {
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    gale_ref_t ref = gale_req_ref(rig.req);
    CHECK(ref.bits != 0);
    CHECK_EQ_UINT(gale_req_ref(rig.req).bits, ref.bits);
    CHECK(gale_ref_req(rig.server, ref) == rig.req);
    CHECK(gale_ref_ws(rig.server, ref) == NULL);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, NULL, 0, rig_buf("abc", 3, &freed)), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK(gale_ref_req(rig.server, ref) == NULL);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, NULL, 0, rig_buf("abc", 3, &freed)),
                 GALE_EGONE);
    CHECK_EQ_INT(gale_ref_post(rig.server, ref, never, NULL), GALE_EGONE);
    CHECK_EQ_INT(gale_ref_send(rig.server, ref, GALE_WS_TEXT, rig_buf("abc", 3, &freed)),
                 GALE_EGONE);
    CHECK_EQ_INT(gale_ref_post(rig.server, (gale_ref_t){0}, never, NULL), GALE_EGONE);
    CHECK_EQ_INT(gale_ref_post(rig.server, (gale_ref_t){UINT64_MAX}, never, NULL), GALE_EGONE);
    CHECK_EQ_UINT(freed, 3);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(ref, headers_are_copied_and_checked) {
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    char name[] = "X-Name", value[] = "value";
    gale_header_t h = {gale_cstr(name), gale_cstr(value)}, bad = {gale_cstr("A\n"), gale_cstr("x")};
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    gale_ref_t ref = gale_req_ref(rig.req);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, &bad, 1, rig_buf("x", 1, &freed)),
                 GALE_EHEADER);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 99, NULL, 0, rig_buf("x", 1, &freed)),
                 GALE_EHEADER);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, &h, 1, rig_buf("x", 1, &freed)), 0);
    memset(name, '!', sizeof name - 1);
    memset(value, '!', sizeof value - 1);
    rig_turn(&rig, 3);
    CHECK(rig_has(rig_take(&client), "X-Name: value\r\n"));
    CHECK_EQ_UINT(freed, 3);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(ref, an_answer_that_comes_second_is_freed) {
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    gale_ref_t ref = gale_req_ref(rig.req);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, NULL, 0, rig_buf("1", 1, &freed)), 0);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 201, NULL, 0, rig_buf("2", 1, &freed)), 0);
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    CHECK_EQ_INT(rig_status_of(got), 200);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1"), 1);
    CHECK_EQ_UINT(freed, 2);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

static void note_gone(gale_server_t *server, gale_ref_t ref, void *arg) {
    unsigned *gone = arg;
    *gone += gale_ref_req(server, ref) == NULL ? 1 : 100;
}

TEST(ref, a_post_is_run_though_its_request_has_gone) {
    rig_t rig;
    rig_client_t client;
    unsigned gone = 0, freed = 0;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    gale_ref_t ref = gale_req_ref(rig.req);
    CHECK_EQ_INT(gale_ref_post(rig.server, ref, note_gone, &gone), 0);
    CHECK_EQ_INT(gale_ref_respond(rig.server, ref, 200, NULL, 0, rig_buf("1", 1, &freed)), 0);
    gale_peer_close(client.peer); /* before the letters are read */
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(gone, 1);
    CHECK_EQ_UINT(freed, 1);
    CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(ref, of_a_websocket) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    unsigned freed = 0;
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    gale_ref_t ref = gale_ws_ref(ws.ws);
    CHECK(gale_ref_ws(rig.server, ref) == ws.ws && gale_ref_req(rig.server, ref) == NULL);
    CHECK_EQ_INT(gale_ref_send(rig.server, ref, GALE_WS_TEXT, rig_buf("hello", 5, &freed)), 0);
    CHECK_EQ_INT(gale_ref_send(rig.server, ref, 7, rig_buf("hello", 5, &freed)), UV_EINVAL);
    rig_turn(&rig, 3);
    CHECK_EQ_STR(rig_take(&client), "\x81\x05hello");
    CHECK_EQ_UINT(freed, 2);
    gale_peer_close(client.peer);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(gale_ref_send(rig.server, ref, GALE_WS_TEXT, rig_buf("hello", 5, &freed)),
                 GALE_EGONE);
    CHECK_EQ_UINT(freed, 3);
    rig_ws_close(&rig, &client, &ws);
}

/* What is sent by reference and published on the socket's own loop comes in that order. */
TEST(ref, before_what_is_published_later) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    unsigned freed = 0;
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    CHECK_EQ_INT(gale_ws_subscribe(ws.ws, gale_cstr("t")), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ_INT(gale_publish(rig.server, gale_cstr("t"), GALE_WS_TEXT, gale_cstr("p")), 0);
        CHECK_EQ_INT(
            gale_ref_send(rig.server, gale_ws_ref(ws.ws), GALE_WS_TEXT, rig_buf("r", 1, &freed)),
            0);
        CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_TEXT, gale_cstr("s")), 0);
    }
    rig_turn(&rig, 3);
    CHECK_EQ_STR(rig_take(&client), "\x81\x01p\x81\x01r\x81\x01s"
                                    "\x81\x01p\x81\x01r\x81\x01s"
                                    "\x81\x01p\x81\x01r\x81\x01s");
    CHECK_EQ_UINT(freed, 3);
    rig_ws_close(&rig, &client, &ws);
}

static gale_ref_t ref_at_close;

static void take_ref(gale_ws_t *ws, int code) {
    (void)code;
    ref_at_close = gale_ws_ref(ws);
}

/* A reference made in on_close would name memory that is about to go. */
TEST(ref, none_from_on_close_or_on_done) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.closed = take_ref};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    gale_peer_close(client.peer);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(ref_at_close.bits, 0);
    rig_ws_close(&rig, &client, &ws);
}

/* -------------------------------------------------------------------------------------- under load */

/* Requests go into a queue; threads answer them in three ways while clients come and go. */
enum { QUEUE = 1024, THREADS = 3, CLIENTS = 3, ROUNDS = 150 };

typedef struct {
    gale_server_t *server;
    pthread_mutex_t lock;
    gale_ref_t refs[QUEUE];
    unsigned count;
    bool over;
    atomic_uint requests, dones, given, freed, posted, ran;
} load_t;

static void load_request(gale_req_t *req, void *data) {
    load_t *l = data;
    atomic_fetch_add(&l->requests, 1);
    pthread_mutex_lock(&l->lock);
    if (l->count < QUEUE) l->refs[l->count++] = gale_req_ref(req);
    pthread_mutex_unlock(&l->lock);
}

static void load_done(gale_req_t *req, int status, void *data) {
    load_t *l = data;
    (void)req, (void)status;
    atomic_fetch_add(&l->dones, 1);
}

static void load_freed(void *arg) {
    atomic_fetch_add(&((load_t *)arg)->freed, 1);
}

static void answer_there(gale_server_t *server, gale_ref_t ref, void *arg) {
    load_t *l = arg;
    atomic_fetch_add(&l->ran, 1);
    gale_req_t *req = gale_ref_req(server, ref);
    if (req != NULL) CHECK_EQ_INT(gale_respond_text(req, 200, "there"), 0);
}

static void answer_one(load_t *l, gale_ref_t ref, unsigned way) {
    if (way % 2 == 0) {
        int err = gale_ref_post(l->server, ref, answer_there, l);
        if (err == 0) atomic_fetch_add(&l->posted, 1);
        CHECK(err == 0 || err == GALE_EGONE);
        return;
    }
    gale_buf_t body = {"here", 4, load_freed, l};
    atomic_fetch_add(&l->given, 1);
    int err = gale_ref_respond(l->server, ref, 200, NULL, 0, body);
    CHECK(err == 0 || err == GALE_EGONE);
}

static void *answerer(void *arg) {
    load_t *l = arg;
    for (unsigned way = 0;; way++) {
        pthread_mutex_lock(&l->lock);
        bool over = l->over && l->count == 0, some = l->count > 0;
        gale_ref_t ref = some ? l->refs[--l->count] : (gale_ref_t){0};
        pthread_mutex_unlock(&l->lock);
        if (over) return NULL;
        if (some) {
            answer_one(l, ref, way);
        } else {
            usleep(50);
        }
    }
}

static void *load_client(void *arg) {
    load_t *l = arg;
    for (int i = 0; i < ROUNDS; i++) {
        int fd = sock_connect(gale_server_port(l->server, 0));
        if (fd < 0) break;
        CHECK(sock_send(fd, GET));
        if (i % 3 != 0) CHECK(sock_read_responses(fd, 1)); /* else it leaves */
        if (i % 3 == 1) CHECK(sock_send(fd, GET GET) && sock_read_responses(fd, 2));
        close(fd);
    }
    return NULL;
}

TEST(ref, threads_answer_under_load) {
    load_t l = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t answerers[THREADS], clients[CLIENTS];
    gale_handler_t h = gale_handler();
    gale_config_t config = gale_config();
    config.workers = 2;
    config.shutdown_grace_ms = 100;
    h.on_request = load_request;
    h.on_done = load_done;
    l.server = live_start(&config, &h, &l, "http://127.0.0.1:0");
    REQUIRE(l.server != NULL);
    for (int i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&answerers[i], NULL, answerer, &l) == 0);
    for (int i = 0; i < CLIENTS; i++)
        REQUIRE(pthread_create(&clients[i], NULL, load_client, &l) == 0);
    for (int i = 0; i < CLIENTS; i++) pthread_join(clients[i], NULL);
    gale_server_stop(l.server); /* while the answerers go on */
    CHECK_EQ_INT(gale_server_join(l.server), 0);
    pthread_mutex_lock(&l.lock);
    l.over = true;
    pthread_mutex_unlock(&l.lock);
    for (int i = 0; i < THREADS; i++) pthread_join(answerers[i], NULL);
    gale_server_free(l.server);
    CHECK_EQ_UINT(atomic_load(&l.dones), atomic_load(&l.requests));
    CHECK_EQ_UINT(atomic_load(&l.freed), atomic_load(&l.given));
    CHECK_EQ_UINT(atomic_load(&l.ran), atomic_load(&l.posted));
}
