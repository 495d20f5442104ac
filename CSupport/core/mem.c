/*
 * The process's allocator. gale_set_allocator refuses to change it while a server exists, and a
 * server is made before the threads that use it, so that plain variables are enough here.
 */
#include "mem.h"

#include <stdlib.h>

static gale_allocator_t current = {malloc, realloc, calloc, free};

void gale__mem_set(const gale_allocator_t *allocator) {
    static const gale_allocator_t standard = {malloc, realloc, calloc, free};
    current = allocator != NULL ? *allocator : standard;
}

bool gale__mem_is_standard(void) {
    return current.malloc_fn == malloc;
}

void *gale__malloc(size_t size) {
    return current.malloc_fn(size);
}

void *gale__calloc(size_t count, size_t size) {
    return current.calloc_fn(count, size);
}

void *gale__realloc(void *ptr, size_t size) {
    return current.realloc_fn(ptr, size);
}

void gale__free(void *ptr) {
    /* A caller's free need not know that free(NULL) does nothing. */
    if (ptr != NULL) current.free_fn(ptr);
}
