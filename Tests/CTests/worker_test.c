/* Workers: posting, identity, life callbacks. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <uv.h>

#include "rig.h"
#include "rig_socket.h"

static void answer(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "x");
}

static gale_server_t *start(unsigned workers, const gale_handler_t *handler, void *data) {
    gale_config_t config = gale_config();
    gale_handler_t h = *handler;
    config.workers = workers;
    h.on_request = answer;
    return live_start(&config, &h, data, "http://127.0.0.1:0");
}

/* ------------------------------------------------------------------------------- handles of one's own */

typedef struct {
    gale_worker_t *worker;
    uv_idle_t idle;
    gale_worker_t *outside, *inside;
    bool closed;
    atomic_int result;
} own_t;

static void within(void *arg) {
    own_t *own = arg;
    own->inside = gale_worker_current();
}

static void on_own_closed(uv_handle_t *h) {
    own_t *own = h->data;
    own->closed = true;
}

static void on_own_idle(uv_idle_t *h) {
    own_t *own = h->data;
    own->outside = gale_worker_current();
    int result = gale_worker_call(own->worker, within, own);
    uv_close((uv_handle_t *)h, on_own_closed);
    atomic_store(&own->result, result);
}

static void begin_own(void *arg) {
    own_t *own = arg;
    uv_idle_init(gale_worker_loop(own->worker), &own->idle);
    own->idle.data = own;
    uv_idle_start(&own->idle, on_own_idle);
}

TEST(worker, own_handles_call_as_callbacks) {
    gale_handler_t h = gale_handler();
    gale_server_t *s = start(1, &h, NULL);
    REQUIRE(s != NULL);
    own_t own = {.worker = gale_server_worker(s, 0), .result = 1};
    CHECK_EQ_INT(gale_worker_call(own.worker, within, &own), GALE_ETHREAD);
    CHECK(own.inside == NULL);
    CHECK_EQ_INT(gale_worker_post(own.worker, begin_own, &own), 0);
    while (atomic_load(&own.result) == 1) sched_yield();
    gale_server_stop(s);
    gale_server_join(s);
    CHECK_EQ_INT(atomic_load(&own.result), 0);
    CHECK(own.outside == NULL);
    CHECK(own.inside == own.worker);
    CHECK(own.closed);
    gale_server_free(s);
}

/* ------------------------------------------------------------------------------------------- posting */

enum { POSTERS = 3, EACH = 3000 };

typedef struct {
    gale_worker_t *worker;
    unsigned next[POSTERS], wrong;
    atomic_uint ran;
} posts_t;

typedef struct {
    posts_t *posts;
    unsigned who, number;
} letter_t;

static letter_t letters[POSTERS][EACH];

static void run_letter(void *arg) {
    letter_t *l = arg;
    l->posts->wrong += l->number != l->posts->next[l->who]++;
    l->posts->wrong += gale_worker_current() != l->posts->worker;
    atomic_fetch_add(&l->posts->ran, 1);
}

static void *post_all(void *arg) {
    letter_t *mine = arg;
    for (unsigned i = 0; i < EACH; i++) {
        CHECK_EQ_INT(gale_worker_post(mine->posts->worker, run_letter, &mine[i]), 0);
    }
    return NULL;
}

TEST(worker, posts_run_in_each_threads_order) {
    gale_handler_t h = gale_handler();
    pthread_t threads[POSTERS];
    posts_t posts = {0};
    gale_server_t *s = start(2, &h, NULL);
    REQUIRE(s != NULL);
    posts.worker = gale_server_worker(s, 1);
    for (unsigned i = 0; i < POSTERS; i++) {
        for (unsigned j = 0; j < EACH; j++) letters[i][j] = (letter_t){&posts, i, j};
        REQUIRE(pthread_create(&threads[i], NULL, post_all, letters[i]) == 0);
    }
    for (int i = 0; i < POSTERS; i++) pthread_join(threads[i], NULL);
    live_end(s); /* what was posted before is always run */
    CHECK_EQ_UINT(atomic_load(&posts.ran), POSTERS * EACH);
    CHECK_EQ_UINT(posts.wrong, 0);
}

static void count_up(void *arg) {
    atomic_fetch_add((atomic_uint *)arg, 1);
}

TEST(worker, post_after_the_end_is_egone) {
    gale_handler_t h = gale_handler();
    atomic_uint ran = 0;
    gale_server_t *s = start(2, &h, NULL);
    REQUIRE(s != NULL);
    gale_worker_t *w = gale_server_worker(s, 0);
    CHECK_EQ_INT(gale_worker_post(w, count_up, &ran), 0);
    gale_server_stop(s);
    CHECK_EQ_INT(gale_server_join(s), 0);
    CHECK_EQ_UINT(atomic_load(&ran), 1);
    CHECK_EQ_INT(gale_worker_post(w, count_up, &ran), GALE_EGONE);
    CHECK(gale_server_worker(s, 0) == NULL);
    CHECK_EQ_UINT(atomic_load(&ran), 1);
    gale_server_free(s);
}

/* From threads that post while the worker ends: a call that gave 0 was run, one that gave EGONE was not. */
static atomic_uint accepted;

static void *post_until_gone(void *arg) {
    posts_t *p = arg;
    while (gale_worker_post(p->worker, count_up, &p->ran) == 0) atomic_fetch_add(&accepted, 1);
    return NULL;
}

TEST(worker, posts_race_with_the_end) {
    for (int round = 0; round < 20; round++) {
        gale_handler_t h = gale_handler();
        pthread_t threads[2];
        posts_t posts = {0};
        atomic_store(&accepted, 0);
        gale_server_t *s = start(1, &h, NULL);
        REQUIRE(s != NULL);
        posts.worker = gale_server_worker(s, 0);
        for (int i = 0; i < 2; i++) {
            REQUIRE(pthread_create(&threads[i], NULL, post_until_gone, &posts) == 0);
        }
        gale_server_stop(s);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
        CHECK_EQ_INT(gale_server_join(s), 0);
        CHECK_EQ_UINT(atomic_load(&posts.ran), atomic_load(&accepted));
        gale_server_free(s);
    }
}

typedef struct {
    gale_worker_t *worker;
    unsigned left, ran;
} chain_t;

static void post_next(void *arg) {
    chain_t *c = arg;
    c->ran++;
    if (c->left-- > 0) CHECK_EQ_INT(gale_worker_post(c->worker, post_next, c), 0);
}

TEST(worker, posts_from_within_posts) {
    rig_t rig;
    rig_init(&rig);
    rig_open(&rig);
    chain_t chain = {rig.worker, 100, 0};
    CHECK_EQ_INT(gale_worker_post(rig.worker, post_next, &chain), 0);
    CHECK_EQ_UINT(chain.ran, 0); /* never from within the call */
    CHECK(rig_until(&rig, &chain.ran, 101, 2000));
    gale_server_stop(rig.server);
    chain.left = 3;
    chain.ran = 0;
    CHECK_EQ_INT(gale_worker_post(rig.worker, post_next, &chain), 0);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(chain.ran, 4);
    CHECK_EQ_INT(gale_worker_post(rig.worker, post_next, &chain), GALE_EGONE);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------------------ identity */

static void whoami(rig_t *rig, gale_req_t *req) {
    CHECK(gale_worker_current() == rig->worker);
    CHECK(gale_req_worker(req) == rig->worker);
    CHECK_EQ_UINT(gale_worker_index(rig->worker), 0);
    CHECK(gale_worker_loop(rig->worker) == &rig->loop);
    gale_respond_text(req, 200, "me");
}

static void whoami_done(rig_t *rig, gale_req_t *req, int status) {
    (void)req, (void)status;
    CHECK(gale_worker_current() == rig->worker);
}

TEST(worker, current_is_null_outside_callbacks) {
    rig_t rig, other;
    rig_client_t client;
    rig_init(&rig);
    rig_init(&other);
    rig.request = whoami;
    rig.done = whoami_done;
    rig_open(&rig);
    rig_open(&other);
    CHECK(gale_worker_current() == NULL);
    rig_connect(&rig, &client);
    rig_turn(&other, 2);
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(&rig, 2);
    CHECK(gale_worker_current() == NULL);
    CHECK_EQ_UINT(rig.dones, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
    rig_close(&other);
    CHECK(gale_worker_current() == NULL);
}

TEST(worker, carries_data_and_a_clock) {
    rig_t rig;
    int data;
    rig_init(&rig);
    rig_open(&rig);
    CHECK(gale_worker_data(rig.worker) == NULL);
    gale_worker_set_data(rig.worker, &data);
    CHECK(gale_worker_data(rig.worker) == &data);
    uint64_t before = gale_worker_now(rig.worker);
    rig_wait(&rig, 20);
    CHECK(gale_worker_now(rig.worker) >= before + 15);
    CHECK_EQ_UINT(gale_server_workers(rig.server), 1);
    CHECK(gale_server_worker(rig.server, 1) == NULL);
    rig_close(&rig);
}

/* ----------------------------------------------------------------------------------------------- life */

typedef struct {
    atomic_uint started, stopped, wrong;
    int marks[8];
} life_t;

static void on_start(gale_worker_t *w, void *data) {
    life_t *life = data;
    gale_worker_set_data(w, &life->marks[gale_worker_index(w)]);
    if (gale_worker_current() != w) atomic_fetch_add(&life->wrong, 1);
    atomic_fetch_add(&life->started, 1);
}

static void on_stop(gale_worker_t *w, void *data) {
    life_t *life = data;
    if (gale_worker_data(w) != &life->marks[gale_worker_index(w)])
        atomic_fetch_add(&life->wrong, 1);
    if (gale_worker_post(w, count_up, &life->wrong) != GALE_EGONE)
        atomic_fetch_add(&life->wrong, 1);
    if (gale_worker_current() != w) atomic_fetch_add(&life->wrong, 1);
    atomic_fetch_add(&life->stopped, 1);
}

TEST(worker, start_and_stop_are_called_once_each_on_its_thread) {
    gale_handler_t h = gale_handler();
    life_t life = {0};
    h.on_worker_start = on_start;
    h.on_worker_stop = on_stop;
    gale_server_t *s = start(4, &h, &life);
    REQUIRE(s != NULL);
    CHECK_EQ_UINT(gale_server_workers(s), 4);
    live_end(s);
    CHECK_EQ_UINT(atomic_load(&life.started), 4);
    CHECK_EQ_UINT(atomic_load(&life.stopped), 4);
    CHECK_EQ_UINT(atomic_load(&life.wrong), 0);
}
