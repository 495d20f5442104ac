/* Blocks: who holds what, when the tail goes back, what the pool keeps. */
#include "block.h"

#include "rig_alloc.h"
#include "test.h"

static gale__block_t *take(gale__block_pool_t *pool, size_t n, uint32_t *start, uint32_t *pins) {
    size_t size = 0;
    if (gale__block_pool_room(pool, &size) == NULL || size < n) return NULL;
    *start = pool->current->tail;
    *pins = pool->current->pins;
    return gale__block_pool_take(pool, n);
}

TEST(block, the_tail_goes_back_when_nothing_was_kept) {
    gale__block_pool_t pool = {0};
    uint32_t start, pins;
    for (int i = 0; i < 100; i++) {
        gale__block_t *b = take(&pool, 5000, &start, &pins);
        REQUIRE(b != NULL);
        CHECK_EQ_UINT(start, 0);
        gale__block_pool_give(b, start, 5000, pins);
    }
    CHECK_EQ_UINT(pool.live, 1);
    gale__block_pool_clear(&pool);
}

TEST(block, kept_bytes_stay_and_the_next_read_goes_behind_them) {
    gale__block_pool_t pool = {0};
    uint32_t start, pins;
    gale__block_t *b = take(&pool, 100, &start, &pins);
    REQUIRE(b != NULL);
    memcpy(b->data, "kept", 4);
    gale__block_ref(b);
    gale__block_pool_give(b, start, 100, pins);
    gale__block_t *again = take(&pool, 50, &start, &pins);
    CHECK(again == b);
    CHECK_EQ_UINT(start, 100);
    gale__block_pool_give(again, start, 50, pins);
    CHECK_EQ_UINT(b->tail, 100);
    CHECK_EQ_MEM(b->data, "kept", 4);
    gale__block_unref(b);
    CHECK_EQ_UINT(b->tail, 0);
    gale__block_pool_clear(&pool);
}

TEST(block, a_full_block_makes_way_and_comes_back) {
    gale__block_pool_t pool = {0};
    uint32_t start, pins;
    gale__block_t *first = take(&pool, 60000, &start, &pins);
    REQUIRE(first != NULL);
    gale__block_ref(first);
    gale__block_pool_give(first, start, 60000, pins);
    gale__block_t *second = take(&pool, 10, &start, &pins);
    CHECK(second != NULL && second != first);
    CHECK_EQ_UINT(pool.live, 2);
    gale__block_pool_give(second, start, 10, pins);
    gale__block_unref(first);
    CHECK_EQ_UINT(pool.free_count, 1);
    gale__block_pool_clear(&pool);
}

TEST(block, room_is_never_small) {
    gale__block_pool_t pool = {0};
    gale__block_t *held[64];
    size_t size, count = 0;
    uint32_t start, pins;
    for (; count < 64; count++) {
        CHECK(gale__block_pool_room(&pool, &size) != NULL && size >= 8192);
        held[count] = take(&pool, 3000, &start, &pins);
        REQUIRE(held[count] != NULL);
        gale__block_ref(held[count]);
        gale__block_pool_give(held[count], start, 3000, pins);
    }
    for (size_t i = 0; i < count; i++) gale__block_unref(held[i]);
    gale__block_pool_clear(&pool);
}

TEST(block, the_pool_keeps_few_and_says_when_it_is_sparse) {
    enum { MANY = 40 };
    gale__block_pool_t pool = {0};
    gale__block_t *held[MANY];
    uint32_t start, pins;
    rig_alloc_begin(0, false);
    CHECK(!gale__block_pool_sparse(&pool));
    for (int i = 0; i < MANY; i++) {
        held[i] = take(&pool, 60000, &start, &pins);
        REQUIRE(held[i] != NULL);
        gale__block_ref(held[i]);
        gale__block_pool_give(held[i], start, 60000, pins);
    }
    CHECK(gale__block_pool_sparse(&pool)); /* nobody claims the bytes as a request's */
    pool.pinned = MANY * 60000;
    CHECK(!gale__block_pool_sparse(&pool));
    for (int i = 0; i < MANY; i++) gale__block_unref(held[i]);
    CHECK(pool.free_count <= 16 && pool.live <= 17);
    gale__block_pool_clear(&pool);
    rig_alloc_end();
}

TEST(block, one_of_its_own_goes_with_its_last_count) {
    rig_alloc_begin(0, false);
    gale__block_t *b = gale__block_new(10);
    REQUIRE(b != NULL);
    CHECK_EQ_UINT(b->capacity, 10);
    gale__block_ref(b);
    gale__block_unref(b);
    CHECK_EQ_UINT(b->refs, 1);
    gale__block_unref(b);
    rig_alloc_end();
    rig_alloc_begin(1, true);
    size_t size;
    gale__block_pool_t pool = {0};
    CHECK(gale__block_new(10) == NULL);
    CHECK(gale__block_pool_room(&pool, &size) == NULL);
    rig_alloc_end();
}
