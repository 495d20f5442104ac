/* The table of token buckets: what is allowed when, what is forgotten first. */
#include "rate_limit.h"

#include "mem.h"
#include "rig_alloc.h"
#include "test.h"

static gale__rate_limit_t limit(uint32_t tokens, uint32_t period_ms, uint32_t burst,
                                uint32_t keys) {
    gale__rate_limit_t l;
    CHECK(gale__rate_limit_init(&l, tokens, period_ms, burst, keys));
    CHECK(l.buckets != NULL);
    return l;
}

TEST(rate_limit, takes_and_waits) {
    static const struct {
        uint32_t tokens, period_ms, burst;
        struct {
            uint64_t now;
            uint32_t take;
            int64_t want;
        } step[8]; /* to the first that takes 0 */
    } cases[] = {
        /* Ten a second: the burst at once, then one each 100 ms. */
        {10,
         1000,
         3,
         {{5, 1, 0}, {5, 1, 0}, {5, 1, 0}, {5, 1, 100}, {104, 1, 1}, {105, 1, 0}, {106, 1, 99}}},
        /* A refusal takes nothing, however often it is asked for. */
        {1,
         1000,
         1,
         {{0, 1, 0}, {1, 1, 999}, {2, 1, 998}, {999, 1, 1}, {1000, 1, 0}, {1000, 1, 1000}}},
        /* Several at a time; more than a bucket holds never come. */
        {2,
         1000,
         4,
         {{0, 3, 0}, {0, 2, 500}, {500, 2, 0}, {500, 4, 2000}, {500, 5, -1}, {2500, 4, 0}}},
        /* A bucket is never fuller than full. */
        {1, 10, 2, {{0, 2, 0}, {1000000, 2, 0}, {1000000, 1, 10}}},
        /* A clock of another thread that is behind takes nothing twice. */
        {1, 100, 1, {{1000, 1, 0}, {900, 1, 200}, {1100, 1, 0}}},
        /* A wait that is no whole millisecond is rounded up. */
        {3, 1000, 1, {{0, 1, 0}, {0, 1, 334}, {333, 1, 1}, {334, 1, 0}}},
        /* One in a year. */
        {1, 4294967295u, 1, {{1, 1, 0}, {1, 1, 4294967295}, {4294967295, 1, 1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gale__rate_limit_t l = limit(cases[i].tokens, cases[i].period_ms, cases[i].burst, 1);
        for (size_t k = 0; k < 8 && cases[i].step[k].take > 0; k++) {
            int64_t got =
                gale__rate_limit_take(&l, 42, cases[i].step[k].take, cases[i].step[k].now);
            CHECK_MSG(got == cases[i].step[k].want, "case %zu step %zu: %lld instead of %lld", i, k,
                      (long long)got, (long long)cases[i].step[k].want);
        }
        CHECK_EQ_INT(gale__rate_limit_take(&l, 42, 0, 0), 0);
        gale__free(l.buckets);
    }
}

TEST(rate_limit, keys_do_not_share) {
    gale__rate_limit_t l = limit(1, 1000, 1, 4096);
    for (uint64_t key = 0; key < 256; key++) {
        CHECK_EQ_INT(gale__rate_limit_take(&l, key * 0x9e3779b97f4a7c15, 1, 7), 0);
    }
    for (uint64_t key = 1; key < 256; key++) {
        CHECK_EQ_INT(gale__rate_limit_take(&l, key * 0x9e3779b97f4a7c15, 1, 7), 1000);
    }
    gale__free(l.buckets);
}

/* Eight places: whoever owes most stays when ever new keys come. */
TEST(rate_limit, the_fullest_bucket_gives_way) {
    gale__rate_limit_t l = limit(1, 1000, 100, 8);
    CHECK_EQ_UINT(l.set_mask, 0);
    CHECK_EQ_INT(gale__rate_limit_take(&l, 1, 100, 0), 0);
    for (uint64_t key = 2; key < 100000; key++) {
        CHECK_EQ_INT(gale__rate_limit_take(&l, key, 1, 0), 0);
    }
    CHECK_EQ_INT(gale__rate_limit_take(&l, 1, 1, 0), 1000);
    /* When it is full again its place is free like any other. */
    for (uint64_t key = 2; key < 10; key++) {
        CHECK_EQ_INT(gale__rate_limit_take(&l, key, 100, 100000), 0);
    }
    CHECK_EQ_INT(gale__rate_limit_take(&l, 1, 100, 100000), 0);
    gale__free(l.buckets);
}

TEST(rate_limit, memory_is_that_of_the_keys) {
    static const struct {
        uint32_t keys, sets;
    } cases[] = {{1, 1}, {8, 1}, {9, 2}, {17, 4}, {65536, 8192}, {65537, 16384}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gale__rate_limit_t l = limit(1, 1, 1, cases[i].keys);
        CHECK_EQ_UINT(l.set_mask + 1, cases[i].sets);
        gale__free(l.buckets);
    }
    CHECK_EQ_UINT(sizeof(gale__rate_bucket_t), 16);
}

TEST(rate_limit, figures_that_make_no_sense) {
    static const uint32_t cases[][4] = {
        {0, 1000, 1, 1},
        {1, 1000, 0, 1},
        {1, 1000, 1, 0},
        {1, 1000, 1, UINT32_MAX},
        {1000001, 1, 1, 1},          /* less than a nanosecond a token */
        {1, 4294967295u, 100000, 1}, /* more than a century to fill */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gale__rate_limit_t l;
        CHECK_MSG(!gale__rate_limit_init(&l, cases[i][0], cases[i][1], cases[i][2], cases[i][3]),
                  "case %zu", i);
        CHECK(l.buckets == NULL);
    }
}

TEST(rate_limit, without_memory) {
    rig_alloc_begin(1, true);
    gale__rate_limit_t l;
    CHECK(gale__rate_limit_init(&l, 1, 1, 1, 1));
    CHECK(l.buckets == NULL);
    rig_alloc_end();
}
