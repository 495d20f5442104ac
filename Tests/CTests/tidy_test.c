/* What a worker keeps for later goes back when its clients have gone, and all goes on after that. */
#include "tidy.h"

#include "connection.h"
#include "rig.h"
#include "server.h"

enum { CROWD = 2 * GALE__TIDY_MANY };

static void answer(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_respond_text(req, 200, "hello");
}

static void crowd(rig_t *rig, rig_client_t *clients, size_t count) {
    for (size_t i = 0; i < count; i++) {
        rig_connect(rig, &clients[i]);
        rig_send(&clients[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    rig_turn(rig, 3);
}

static void leave(rig_t *rig, rig_client_t *clients, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) rig_drop(rig, &clients[i]);
}

static bool keeps_something(const gale_worker_t *w) {
    return w->free_conns != NULL || w->outboxes != NULL || w->requests != NULL ||
           w->blocks.free != NULL;
}

static void check_counts(const gale_worker_t *w) {
    CHECK(w->free_conn_count == 0 && w->outbox_count == 0 && w->request_count == 0);
    CHECK_EQ_UINT(w->blocks.free_count, 0);
}

static void serves_on(rig_t *rig) {
    char out[256];
    rig_ask(rig, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", out, sizeof out);
    CHECK_MSG(strstr(out, "200 OK") != NULL && strstr(out, "hello") != NULL, "%s", out);
}

/* A request: the worker is not quiet. */
static void move(rig_t *rig, rig_client_t *client) {
    rig_take(client);
    rig_send(client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(rig, 3);
    CHECK(rig_has(rig_take(client), "HTTP/1.1 200 OK"));
}

TEST(tidy, when_half_of_a_crowd_has_left) {
    rig_t rig;
    rig_client_t clients[CROWD];
    rig_init(&rig);
    rig.keep_log = false;
    rig.request = answer;
    rig_open(&rig);
    gale_worker_t *w = rig.worker;
    crowd(&rig, clients, CROWD);
    CHECK_EQ_UINT(w->tidy.peak, CROWD);
    CHECK_EQ_UINT(rig.dones, CROWD);
    CHECK(gale__tidy_beat(w)); /* they are all here: looked at again */
    leave(&rig, clients, 0, CROWD / 4);
    move(&rig, &clients[CROWD - 1]);
    CHECK(gale__tidy_beat(w));
    CHECK(keeps_something(w));
    leave(&rig, clients, CROWD / 4, CROWD / 2);
    move(&rig, &clients[CROWD - 1]);
    gale__tidy_beat(w);
    check_counts(w);
    CHECK(!keeps_something(w));
    CHECK_EQ_UINT(w->tidy.peak, CROWD / 2);
    serves_on(&rig);
    /* The others were not touched. */
    for (size_t i = CROWD / 2; i < CROWD; i++) move(&rig, &clients[i]);
    /* Not again at once: whoever comes and goes all the time is not paid for by others. */
    leave(&rig, clients, CROWD / 2, CROWD);
    CHECK(keeps_something(w));
    CHECK(gale__tidy_beat(w));
    CHECK(keeps_something(w));
    serves_on(&rig);
    rig_close(&rig);
}

TEST(tidy, when_nothing_has_happened_for_a_beat) {
    rig_t rig;
    rig_init(&rig);
    rig.keep_log = false;
    rig.request = answer;
    rig_open(&rig);
    gale_worker_t *w = rig.worker;
    serves_on(&rig);
    CHECK(keeps_something(w));
    CHECK(gale__tidy_beat(w)); /* something has */
    CHECK(keeps_something(w));
    CHECK(!gale__tidy_beat(w));
    CHECK(!keeps_something(w));
    CHECK(!gale__tidy_beat(w)); /* nothing to look for: a worker that idles sleeps */
    serves_on(&rig);
    rig_close(&rig);
}

/* The beat itself: no call but the loop's. */
TEST(tidy, by_the_loop) {
    rig_t rig;
    rig_init(&rig);
    rig.keep_log = false;
    rig.request = answer;
    rig_open(&rig);
    serves_on(&rig);
    for (unsigned i = 0; i < 100 && keeps_something(rig.worker); i++) rig_wait(&rig, 100);
    CHECK(!keeps_something(rig.worker));
    serves_on(&rig);
    rig_close(&rig);
}
