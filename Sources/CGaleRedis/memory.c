#include "memory.h"

#include <stdlib.h>

#include "include/memory_tests.h"

static _Thread_local long left = -1;

void gale_redis_fail_allocation(long count) {
    left = count;
}

void *gale__redis_realloc(void *ptr, size_t size) {
    if (left == 0) return NULL;
    if (left > 0) left--;
    return realloc(ptr, size);
}

void gale__redis_free(void *ptr) {
    free(ptr);
}
