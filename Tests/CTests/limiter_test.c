/* gale_limiter_*: defaults, errors, several threads on one key, no allocation a call. */
#include <pthread.h>
#include <uv.h>

#include "rig_alloc.h"
#include "test.h"

static gale_limiter_config_t config(uint32_t tokens) {
    return (gale_limiter_config_t){.struct_size = sizeof(gale_limiter_config_t), .tokens = tokens};
}

TEST(limiter, answers_the_milliseconds_to_wait) {
    gale_limiter_config_t c = config(2);
    gale_limiter_t *l = NULL;
    REQUIRE(gale_limiter_new(&l, &c) == 0);
    gale_str_t a = gale_cstr("192.0.2.1"), b = gale_cstr("192.0.2.2");
    CHECK_EQ_INT(gale_limiter_take(l, a, 1, 1000), 0);
    CHECK_EQ_INT(gale_limiter_take(l, a, 1, 1000), 0);
    CHECK_EQ_INT(gale_limiter_take(l, a, 1, 1000), 500);
    CHECK_EQ_INT(gale_limiter_take(l, b, 2, 1000), 0);
    CHECK_EQ_INT(gale_limiter_take(l, b, 3, 1000), GALE_ELIMIT);
    CHECK_EQ_INT(gale_limiter_take(l, a, 1, 1500), 0);
    CHECK_EQ_INT(gale_limiter_take(l, gale_str(NULL, 0), 2, 1), 0);
    CHECK_EQ_INT(gale_limiter_take(l, gale_str("", 0), 2, 1), 1000);
    gale_limiter_free(l);
    gale_limiter_free(NULL);
}

TEST(limiter, looks_at_the_clock_itself) {
    gale_limiter_config_t c = config(1);
    c.period_ms = 3600000;
    gale_limiter_t *l = NULL;
    REQUIRE(gale_limiter_new(&l, &c) == 0);
    CHECK_EQ_INT(gale_limiter_take(l, gale_cstr("x"), 1, 0), 0);
    int64_t wait = gale_limiter_take(l, gale_cstr("x"), 1, 0);
    CHECK(wait > 3000000 && wait <= 3600000);
    gale_limiter_free(l);
}

TEST(limiter, errors) {
    gale_limiter_t *l = (gale_limiter_t *)&l;
    gale_limiter_config_t c = config(0);
    CHECK_EQ_INT(gale_limiter_new(&l, &c), UV_EINVAL);
    CHECK(l == NULL);
    CHECK_EQ_INT(gale_limiter_new(NULL, &c), UV_EINVAL);
    c = config(1);
    c.struct_size = offsetof(gale_limiter_config_t, max_keys);
    CHECK_EQ_INT(gale_limiter_new(&l, &c), GALE_EVERSION);
    struct {
        gale_limiter_config_t known;
        uint64_t unknown;
    } longer = {config(1), 1};
    longer.known.struct_size = sizeof longer;
    CHECK_EQ_INT(gale_limiter_new(&l, &longer.known), GALE_EVERSION);
}

TEST(limiter, memory) {
    gale_limiter_config_t c = config(1);
    bool refused = true;
    for (unsigned long fail = 1; refused; fail++) {
        gale_limiter_t *l = NULL;
        rig_alloc_begin(fail, false);
        int err = gale_limiter_new(&l, &c);
        refused = rig_alloc_refused();
        CHECK_EQ_INT(err, refused ? UV_ENOMEM : 0);
        unsigned long calls = rig_alloc_calls();
        if (l != NULL) {
            for (uint64_t i = 0; i < 10000; i++) {
                gale_limiter_take(l, gale_str((char *)&i, sizeof i), 1, 1);
            }
        }
        CHECK_EQ_UINT(rig_alloc_calls(), calls);
        gale_limiter_free(l);
        rig_alloc_end();
    }
}

enum { THREADS = 4, TAKES = 20000, BURST = 30000 };

typedef struct {
    gale_limiter_t *l;
    unsigned allowed;
} taker_t;

static void *take_many(void *arg) {
    taker_t *t = arg;
    for (int i = 0; i < TAKES; i++) {
        t->allowed += gale_limiter_take(t->l, gale_cstr("shared"), 1, 5) == 0;
        gale_limiter_take(t->l, gale_str((char *)&i, sizeof i), 1, 5);
    }
    return NULL;
}

/* However many threads ask, exactly the burst is given out. */
TEST(limiter, threads_share_a_bucket) {
    gale_limiter_config_t c = config(1);
    c.burst = BURST;
    gale_limiter_t *l = NULL;
    REQUIRE(gale_limiter_new(&l, &c) == 0);
    pthread_t thread[THREADS];
    taker_t taker[THREADS];
    unsigned allowed = 0;
    for (int i = 0; i < THREADS; i++) {
        taker[i] = (taker_t){l, 0};
        REQUIRE(pthread_create(&thread[i], NULL, take_many, &taker[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        allowed += taker[i].allowed;
    }
    CHECK_EQ_UINT(allowed, BURST);
    gale_limiter_free(l);
}
