/* Counting by key. */
#include "tally.h"

#include "rig_alloc.h"
#include "test.h"

static const gale__sip_key_t secret = {11, 22};

TEST(tally, counts_up_to_the_limit) {
    gale__tally_t t;
    REQUIRE(gale__tally_init(&t, secret, 10));
    uint32_t a = gale__tally_add(&t, 7, 2);
    CHECK(a != 0);
    CHECK_EQ_UINT(gale__tally_add(&t, 7, 2), a);
    CHECK_EQ_UINT(gale__tally_add(&t, 7, 2), 0);
    CHECK_EQ_UINT(gale__tally_add(&t, 8, 0), 0);
    uint32_t b = gale__tally_add(&t, 8, 2);
    CHECK(b != 0 && b != a);
    gale__tally_drop(&t, a);
    CHECK_EQ_UINT(gale__tally_add(&t, 7, 2), a);
    CHECK_EQ_UINT(gale__tally_add(&t, 7, 2), 0);
    gale__tally_free(&t);
}

TEST(tally, places_come_back) {
    gale__tally_t t;
    REQUIRE(gale__tally_init(&t, secret, 3));
    uint32_t place[3];
    for (uint64_t key = 0; key < 3; key++) place[key] = gale__tally_add(&t, key, 1);
    CHECK_EQ_UINT(gale__tally_add(&t, 3, 1), 0);
    gale__tally_drop(&t, place[1]);
    CHECK_EQ_UINT(gale__tally_add(&t, 3, 1), place[1]);
    CHECK_EQ_UINT(gale__tally_add(&t, 1, 1), 0);
    CHECK_EQ_UINT(t.used, 3);
    gale__tally_free(&t);
}

/* Against a plain array, with keys enough that buckets hold several. */
TEST(tally, agrees_with_a_model) {
    enum { KEYS = 300, LIMIT = 3 };
    gale__tally_t t;
    REQUIRE(gale__tally_init(&t, secret, KEYS));
    uint32_t count[KEYS] = {0}, place[KEYS] = {0}, x = 1;
    for (int step = 0; step < 100000; step++) {
        x = x * 1664525u + 1013904223u;
        uint32_t key = (x >> 8) % KEYS;
        if (x >> 31) {
            uint32_t got = gale__tally_add(&t, (uint64_t)key << 32, LIMIT);
            CHECK((got != 0) == (count[key] < LIMIT));
            if (got == 0) continue;
            CHECK(count[key] == 0 || got == place[key]);
            place[key] = got;
            count[key]++;
        } else if (count[key] > 0) {
            count[key]--;
            gale__tally_drop(&t, place[key]);
        }
    }
    for (uint32_t key = 0; key < KEYS; key++) {
        for (; count[key] > 0; count[key]--) gale__tally_drop(&t, place[key]);
    }
    for (uint32_t i = 0; i <= t.mask; i++) CHECK_EQ_UINT(t.buckets[i], 0);
    gale__tally_free(&t);
}

TEST(tally, without_memory) {
    for (unsigned long fail = 1; fail <= 2; fail++) {
        gale__tally_t t;
        rig_alloc_begin(fail, false);
        CHECK(!gale__tally_init(&t, secret, 10));
        rig_alloc_end();
    }
}
