/* gale_timer_*: once, again and again, stopped from everywhere, gone with the worker. */
#include "rig.h"

typedef struct {
    rig_t *rig;
    gale_timer_t *timer;
    unsigned ticks, stop_at;
} tick_t;

static void on_tick(void *data) {
    tick_t *t = data;
    CHECK(gale_worker_current() == t->rig->worker);
    if (++t->ticks == t->stop_at) gale_timer_stop(t->timer);
}

TEST(timer, once) {
    rig_t rig;
    tick_t t = {.rig = &rig};
    rig_init(&rig);
    rig_open(&rig);
    uint64_t before = uv_hrtime();
    t.timer = gale_timer_start(rig.worker, 20, 0, on_tick, &t);
    CHECK(t.timer != NULL);
    rig_turn(&rig, 1);
    CHECK_EQ_UINT(t.ticks, 0);
    CHECK(rig_until(&rig, &t.ticks, 1, 2000));
    CHECK(uv_hrtime() - before >= 15000000);
    rig_wait(&rig, 60);
    CHECK_EQ_UINT(t.ticks, 1);
    rig_close(&rig);
}

TEST(timer, zero_is_the_next_turn) {
    rig_t rig;
    tick_t t = {.rig = &rig};
    rig_init(&rig);
    rig_open(&rig);
    gale_timer_start(rig.worker, 0, 0, on_tick, &t);
    CHECK_EQ_UINT(t.ticks, 0);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(t.ticks, 1);
    rig_close(&rig);
}

TEST(timer, repeats_until_it_is_stopped) {
    rig_t rig;
    tick_t inside = {.rig = &rig, .stop_at = 5}, outside = {.rig = &rig};
    rig_init(&rig);
    rig_open(&rig);
    inside.timer = gale_timer_start(rig.worker, 1, 2, on_tick, &inside);
    outside.timer = gale_timer_start(rig.worker, 1, 1, on_tick, &outside);
    CHECK(rig_until(&rig, &inside.ticks, 5, 2000));
    unsigned ticks = outside.ticks;
    CHECK(ticks > 0);
    gale_timer_stop(outside.timer);
    rig_wait(&rig, 20);
    CHECK_EQ_UINT(inside.ticks, 5);
    CHECK_EQ_UINT(outside.ticks, ticks);
    gale_timer_stop(NULL);
    rig_close(&rig);
}

TEST(timer, a_one_shot_may_stop_itself) {
    rig_t rig;
    tick_t t = {.rig = &rig, .stop_at = 1};
    rig_init(&rig);
    rig_open(&rig);
    t.timer = gale_timer_start(rig.worker, 1, 0, on_tick, &t);
    CHECK(rig_until(&rig, &t.ticks, 1, 2000));
    rig_wait(&rig, 10);
    CHECK_EQ_UINT(t.ticks, 1);
    rig_close(&rig);
}

TEST(timer, pending_ones_die_with_the_worker) {
    rig_t rig;
    tick_t t = {.rig = &rig};
    rig_init(&rig);
    rig_open(&rig);
    for (int i = 0; i < 10; i++) {
        CHECK(gale_timer_start(rig.worker, 1000000, i % 2 == 0 ? 0 : 1000, on_tick, &t) != NULL);
    }
    gale_server_stop(rig.server);
    rig_turn(&rig, 5);
    CHECK(!uv_loop_alive(&rig.loop));
    CHECK_EQ_UINT(t.ticks, 0);
    rig_close(&rig);
}

/* What a timer writes is sent without anyone's further doing. */
static void answer(void *data) {
    rig_t *rig = data;
    CHECK_EQ_INT(gale_respond_text(rig->req, 200, "from a timer"), 0);
}

TEST(timer, answers_a_request) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    gale_timer_start(rig.worker, 5, 0, answer, &rig);
    CHECK(rig_until(&rig, &rig.dones, 1, 2000));
    rig_turn(&rig, 2);
    CHECK(rig_has(rig_take(&client), "from a timer"));
    rig_drop(&rig, &client);
    rig_close(&rig);
}
