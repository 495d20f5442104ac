/* The memory of coders: budget, blocks kept for the next use, memory that others allocate. */
#include "coder.h"

#include "rig_alloc.h"
#include "test.h"

TEST(coder, a_budget_bounds_what_all_of_its_heaps_take) {
    gale__budget_t budget = {0, 10000};
    gale__coder_heap_t a, b;
    gale__coder_heap_init(&a, &budget);
    gale__coder_heap_init(&b, &budget);
    void *p = gale__coder_alloc(&a, 6000), *q = gale__coder_alloc(&b, 3000);
    CHECK(p != NULL && q != NULL && !a.starved && !b.starved);
    CHECK(budget.used >= 9000 && budget.used == a.bytes + b.bytes);
    CHECK(gale__coder_alloc(&b, 1500) == NULL && b.starved && !a.starved);
    CHECK(gale__coder_alloc(&b, SIZE_MAX) == NULL);
    gale__coder_release(&a, p);
    gale__coder_release(&a, NULL);
    CHECK(budget.used >= 9000); /* kept */
    gale__coder_heap_clear(&a);
    CHECK_EQ_UINT(a.bytes, 0);
    CHECK((p = gale__coder_alloc(&b, 1500)) != NULL);
    gale__coder_release(&b, p);
    gale__coder_release(&b, q);
    gale__coder_heap_clear(&b);
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(coder, what_was_freed_serves_again) {
    gale__budget_t budget = {0, SIZE_MAX};
    gale__coder_heap_t heap;
    rig_alloc_begin(0, false);
    gale__coder_heap_init(&heap, &budget);
    for (int round = 0; round < 10; round++) {
        void *p[3];
        for (size_t i = 0; i < 3; i++) {
            CHECK((p[i] = gale__coder_alloc(&heap, 1000 << i)) != NULL);
            CHECK((uintptr_t)p[i] % 16 == 0);
            memset(p[i], 0xaa, 1000u << i);
        }
        for (size_t i = 0; i < 3; i++) gale__coder_release(&heap, p[i]);
    }
    CHECK_EQ_UINT(rig_alloc_calls(), 3);
    /* A block much too large is left for those that want it. */
    void *small = gale__coder_alloc(&heap, 10);
    CHECK_EQ_UINT(rig_alloc_calls(), 4);
    gale__coder_release(&heap, small);
    gale__coder_heap_clear(&heap);
    rig_alloc_end();
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(coder, kept_blocks_are_bounded_in_number) {
    gale__budget_t budget = {0, SIZE_MAX};
    gale__coder_heap_t heap;
    void *p[100];
    gale__coder_heap_init(&heap, &budget);
    for (size_t i = 0; i < 100; i++) p[i] = gale__coder_alloc(&heap, 100);
    for (size_t i = 0; i < 100; i++) gale__coder_release(&heap, p[i]);
    CHECK(heap.kept_count <= 32 && heap.bytes < 50 * 116);
    gale__coder_heap_clear(&heap);
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(coder, claims_of_what_others_allocate) {
    gale__budget_t budget = {50, 1000};
    gale__coder_heap_t heap;
    gale__coder_heap_init(&heap, &budget);
    CHECK(gale__coder_heap_claim(&heap, 900));
    CHECK_EQ_UINT(budget.used, 950);
    CHECK(!gale__coder_heap_claim(&heap, 2000));
    CHECK(gale__coder_heap_claim(&heap, 100));
    CHECK_EQ_UINT(budget.used, 150);
    gale__coder_heap_claim(&heap, 0);
    CHECK_EQ_UINT(budget.used, 50);
}
