/* gale_peer_*: the in-memory client itself, and what it may do from within its own callbacks. */
#include <pthread.h>

#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

typedef struct {
    rig_t *rig;
    gale_peer_t *peer;
    unsigned replies, left, closes;
    rig_text_t out;
    void (*act)(gale_peer_t *peer);
} chat_t;

static void answer(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

static void on_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    chat_t *c = data;
    rig_text_add(&c->out, bytes);
    c->replies++;
    if (c->left > 0) {
        c->left--;
        CHECK_EQ_INT(gale_peer_send(peer, gale_cstr(GET)), 0);
    }
    if (c->act != NULL) c->act(peer);
}

static void on_close(gale_peer_t *peer, void *data) {
    chat_t *c = data;
    (void)peer;
    c->closes++;
    c->peer = NULL;
}

static void open_chat(rig_t *rig, chat_t *c) {
    gale_peer_handler_t h = {.struct_size = sizeof h, .on_data = on_data, .on_close = on_close};
    rig_init(rig);
    rig->request = answer;
    rig_open(rig);
    c->rig = rig;
    CHECK_EQ_INT(gale_peer_open(rig->worker, &h, c, &c->peer), 0);
}

static void close_chat(rig_t *rig, chat_t *c) {
    if (c->peer != NULL) gale_peer_close(c->peer);
    rig_turn(rig, 5);
    CHECK_EQ_UINT(c->closes, 1);
    rig_text_free(&c->out);
    rig_close(rig);
}

TEST(peer, may_send_from_on_data) {
    rig_t rig;
    chat_t c = {.left = 20000};
    open_chat(&rig, &c);
    rig.keep_log = false;
    CHECK_EQ_INT(gale_peer_send(c.peer, gale_cstr(GET)), 0);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(rig.requests, 20001);
    CHECK_EQ_UINT(rig_count(gale_str(c.out.text, c.out.len), "HTTP/1.1 200 OK"), 20001);
    close_chat(&rig, &c);
}

TEST(peer, may_close_from_on_data) {
    rig_t rig;
    chat_t c = {.act = gale_peer_close};
    open_chat(&rig, &c);
    gale_peer_send(c.peer, gale_cstr(GET GET GET));
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(c.closes, 1);
    close_chat(&rig, &c);
}

TEST(peer, may_shut_down_from_on_data) {
    rig_t rig;
    chat_t c = {.act = gale_peer_shutdown};
    open_chat(&rig, &c);
    gale_peer_send(c.peer, gale_cstr(GET GET));
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(c.closes, 1);
    CHECK_EQ_UINT(rig_count(gale_str(c.out.text, c.out.len), "HTTP/1.1 200 OK"), 2);
    close_chat(&rig, &c);
}

/* The handler drives its own client: nothing is lost or out of order. */
static void send_within(rig_t *rig, gale_req_t *req) {
    chat_t *c = rig->arg;
    if (rig->requests < 4) CHECK_EQ_INT(gale_peer_send(c->peer, gale_cstr(GET)), 0);
    CHECK_EQ_UINT(rig->requests - rig->dones, 1);
    answer(rig, req);
}

TEST(peer, may_send_from_on_request) {
    rig_t rig;
    chat_t c = {0};
    open_chat(&rig, &c);
    rig.request = send_within;
    rig.arg = &c;
    gale_peer_send(c.peer, gale_cstr(GET GET));
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(rig.requests, 5);
    CHECK_EQ_UINT(rig.dones, 5);
    close_chat(&rig, &c);
}

TEST(peer, sends_what_the_server_cannot_take_yet) {
    enum { MANY = 5000 };
    rig_t rig;
    chat_t c = {0};
    open_chat(&rig, &c);
    rig.request = NULL; /* the first one stays open */
    rig.keep_log = false;
    for (int i = 0; i < MANY; i++) CHECK_EQ_INT(gale_peer_send(c.peer, gale_cstr(GET)), 0);
    CHECK_EQ_UINT(rig.requests, 1);
    rig.request = answer;
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "first"), 0);
    CHECK(rig_until(&rig, &rig.dones, MANY, 5000));
    close_chat(&rig, &c);
}

TEST(peer, stalled_takes_nothing) {
    rig_t rig;
    chat_t c = {0};
    open_chat(&rig, &c);
    gale_peer_stall(c.peer, true);
    gale_peer_send(c.peer, gale_cstr(GET));
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(c.replies, 0);
    CHECK_EQ_UINT(rig.requests, 1);
    gale_peer_stall(c.peer, false);
    CHECK(c.replies > 0);
    close_chat(&rig, &c);
}

TEST(peer, without_callbacks) {
    rig_t rig;
    gale_peer_t *peer;
    gale_peer_handler_t h = {.struct_size = sizeof h};
    rig_init(&rig);
    rig.request = answer;
    rig_open(&rig);
    CHECK_EQ_INT(gale_peer_open(rig.worker, &h, NULL, &peer), 0);
    CHECK_EQ_INT(gale_peer_send(peer, gale_cstr(GET)), 0);
    CHECK_EQ_INT(gale_peer_send(peer, gale_str(NULL, 0)), 0);
    gale_peer_close(peer);
    CHECK_EQ_INT(gale_peer_send(peer, gale_cstr(GET)), GALE_EGONE);
    gale_peer_close(peer);
    gale_peer_shutdown(peer);
    gale_peer_stall(peer, false);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(rig.dones, 1);
    rig_close(&rig);
}

TEST(peer, needs_a_running_worker_and_a_known_struct) {
    rig_t rig;
    gale_peer_t *peer;
    gale_peer_handler_t h = {.struct_size = 3};
    rig_init(&rig);
    rig_open(&rig);
    CHECK_EQ_INT(gale_peer_open(rig.worker, &h, NULL, &peer), GALE_EVERSION);
    h.struct_size = sizeof h;
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(gale_peer_open(rig.worker, &h, NULL, &peer), GALE_ESHUTDOWN);
    CHECK(peer == NULL);
    rig_close(&rig);
}

static void *from_elsewhere(void *arg) {
    chat_t *c = arg;
    gale_peer_t *peer;
    gale_peer_handler_t h = {.struct_size = sizeof h};
    CHECK_EQ_INT(gale_peer_send(c->peer, gale_cstr(GET)), GALE_ETHREAD);
    CHECK_EQ_INT(gale_peer_open(c->rig->worker, &h, NULL, &peer), GALE_ETHREAD);
    gale_peer_close(c->peer);
    gale_peer_shutdown(c->peer);
    gale_peer_stall(c->peer, true);
    return NULL;
}

TEST(peer, another_thread_is_ethread) {
    rig_t rig;
    chat_t c = {0};
    pthread_t thread;
    open_chat(&rig, &c);
    REQUIRE(pthread_create(&thread, NULL, from_elsewhere, &c) == 0);
    pthread_join(thread, NULL);
    gale_peer_send(c.peer, gale_cstr(GET));
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(c.replies, 1);
    CHECK_EQ_UINT(rig.requests, 1);
    close_chat(&rig, &c);
}
