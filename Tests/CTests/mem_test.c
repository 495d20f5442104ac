/* The door to the heap: every call reaches the allocator that was set, and null brings the C
 * library's back. */
#include "mem.h"

#include <stdlib.h>

#include "test.h"

static unsigned mallocs, callocs, reallocs, frees;

static void *count_malloc(size_t size) {
    mallocs++;
    return malloc(size);
}
static void *count_calloc(size_t count, size_t size) {
    callocs++;
    return calloc(count, size);
}
static void *count_realloc(void *ptr, size_t size) {
    reallocs++;
    return realloc(ptr, size);
}
static void count_free(void *ptr) {
    frees += ptr != NULL;
    free(ptr);
}

TEST(mem, allocator) {
    gale_allocator_t counting = {count_malloc, count_realloc, count_calloc, count_free};
    gale__mem_set(&counting);
    memset(&counting, 0, sizeof counting); /* it was copied */
    char *a = gale__malloc(10), *b = gale__calloc(3, 5);
    REQUIRE(a != NULL && b != NULL);
    for (int i = 0; i < 15; i++) CHECK(b[i] == 0);
    memcpy(a, "0123456789", 10);
    a = gale__realloc(a, 1000);
    REQUIRE(a != NULL);
    CHECK_EQ_MEM(a, "0123456789", 10);
    gale__free(a);
    gale__free(b);
    gale__free(NULL);
    gale__mem_set(NULL);
    gale__free(gale__malloc(1));
    CHECK(mallocs == 1 && callocs == 1 && reallocs == 1 && frees == 2);
}

static void *no_malloc(size_t size) {
    (void)size;
    return NULL;
}
static void *no_realloc(void *ptr, size_t size) {
    (void)ptr;
    (void)size;
    return NULL;
}
static void *no_calloc(size_t count, size_t size) {
    (void)count;
    (void)size;
    return NULL;
}

TEST(mem, failure_is_passed_on) {
    gale_allocator_t failing = {no_malloc, no_realloc, no_calloc, count_free};
    gale__mem_set(&failing);
    CHECK(gale__malloc(1) == NULL && gale__calloc(1, 1) == NULL && gale__realloc(NULL, 1) == NULL);
    gale__mem_set(NULL);
}
