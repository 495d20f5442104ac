/* References: what they name, when they go stale, and that asking is safe from any thread. */
#include "ref_table.h"

#include <pthread.h>

#include "rig_alloc.h"
#include "test.h"

TEST(ref_table, names_an_object_until_it_is_dropped) {
    gale__ref_table_t t = {.worker = 7};
    int object;
    uint32_t slot = 0;
    gale_ref_t ref = gale__ref_take(&t, &object, GALE__REF_REQ, &slot);
    CHECK(ref.bits != 0 && slot != 0);
    CHECK_EQ_UINT(gale__ref_worker(ref), 7);
    CHECK(gale__ref_alive(&t, ref));
    CHECK(gale__ref_get(&t, ref, GALE__REF_REQ) == &object);
    CHECK(gale__ref_get(&t, ref, GALE__REF_WS) == NULL);
    CHECK_EQ_UINT(gale__ref_again(&t, slot).bits, ref.bits);
    gale__ref_drop(&t, slot);
    CHECK(!gale__ref_alive(&t, ref));
    CHECK(gale__ref_get(&t, ref, GALE__REF_REQ) == NULL);
    gale__ref_table_clear(&t);
}

TEST(ref_table, a_slot_used_again_has_other_references) {
    gale__ref_table_t t = {0};
    gale_ref_t old[100];
    int object;
    uint32_t slot, first = 0;
    for (int i = 0; i < 100; i++) {
        old[i] = gale__ref_take(&t, &object, GALE__REF_WS, &slot);
        if (i == 0) first = slot;
        CHECK_EQ_UINT(slot, first);
        for (int j = 0; j < i; j++)
            CHECK(old[j].bits != old[i].bits && !gale__ref_alive(&t, old[j]));
        gale__ref_drop(&t, slot);
    }
    gale__ref_table_clear(&t);
}

TEST(ref_table, zero_and_nonsense_name_nothing) {
    gale__ref_table_t t = {0};
    uint32_t slot;
    int object;
    CHECK(!gale__ref_alive(&t, (gale_ref_t){0}));
    CHECK(!gale__ref_alive(&t, (gale_ref_t){1}));
    CHECK(!gale__ref_alive(&t, (gale_ref_t){UINT64_MAX}));
    gale_ref_t ref = gale__ref_take(&t, &object, GALE__REF_REQ, &slot);
    for (int bit = 34; bit < 64; bit++) {
        CHECK(!gale__ref_alive(&t, (gale_ref_t){ref.bits ^ (uint64_t)1 << bit}));
    }
    gale__ref_drop(&t, slot);
    gale__ref_table_clear(&t);
}

TEST(ref_table, many_slots_and_no_memory) {
    enum { MANY = 1000 };
    static uint32_t slots[MANY];
    static gale_ref_t refs[MANY];
    static int objects[MANY];
    gale__ref_table_t t = {0};
    for (int i = 0; i < MANY; i++)
        refs[i] = gale__ref_take(&t, &objects[i], GALE__REF_REQ, &slots[i]);
    for (int i = 0; i < MANY; i++) {
        CHECK(gale__ref_get(&t, refs[i], GALE__REF_REQ) == &objects[i]);
        if (i % 2 == 0) gale__ref_drop(&t, slots[i]);
    }
    for (int i = 0; i < MANY; i++) CHECK(gale__ref_alive(&t, refs[i]) == (i % 2 != 0));
    gale__ref_table_clear(&t);
    rig_alloc_begin(1, true);
    gale__ref_table_t empty = {0};
    uint32_t slot = 0;
    CHECK_EQ_UINT(gale__ref_take(&empty, objects, GALE__REF_REQ, &slot).bits, 0);
    rig_alloc_end();
}

static gale__ref_table_t shared;
static _Atomic uint64_t asked;
static atomic_bool over;

static void *ask(void *arg) {
    unsigned *alive = arg;
    while (!atomic_load(&over)) {
        *alive += gale__ref_alive(&shared, (gale_ref_t){atomic_load(&asked)});
    }
    return NULL;
}

TEST(ref_table, other_threads_may_ask_meanwhile) {
    pthread_t thread;
    unsigned alive = 0;
    uint32_t slots[300];
    atomic_store(&over, false);
    REQUIRE(pthread_create(&thread, NULL, ask, &alive) == 0);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 300; i++) {
            atomic_store(&asked, gale__ref_take(&shared, slots, GALE__REF_REQ, &slots[i]).bits);
        }
        for (int i = 0; i < 300; i++) gale__ref_drop(&shared, slots[i]);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    gale__ref_table_clear(&shared);
}
