#include "block.h"

#include "mem.h"

enum { KEEP_FREE = 16 };

gale__block_t *gale__block_new(size_t capacity) {
    gale__block_t *b = gale__malloc(sizeof *b + capacity);
    if (b == NULL) return NULL;
    *b = (gale__block_t){.refs = 1, .capacity = (uint32_t)capacity};
    return b;
}

static void show_held(gale__block_pool_t *pool) {
    atomic_store_explicit(&pool->held, gale__block_pool_held(pool), memory_order_relaxed);
}

void gale__block_ref(gale__block_t *b) {
    b->refs++;
    b->pins++;
}

void gale__block_unref(gale__block_t *b) {
    if (--b->refs > 0) return;
    gale__block_pool_t *pool = b->pool;
    if (pool == NULL) {
        gale__free(b);
        return;
    }
    b->tail = 0;
    if (pool->current == b) return;
    if (pool->free_count >= KEEP_FREE) {
        pool->live--;
        gale__free(b);
    } else {
        b->next = pool->free;
        pool->free = b;
        pool->free_count++;
    }
    show_held(pool);
}

static gale__block_t *pool_next(gale__block_pool_t *pool) {
    gale__block_t *b = pool->free;
    if (b != NULL) {
        pool->free = b->next;
        pool->free_count--;
        return b;
    }
    b = gale__block_new(GALE__BLOCK_SIZE);
    if (b == NULL) return NULL;
    b->refs = 0; /* being current is not a count: only slices are */
    b->pool = pool;
    pool->live++;
    return b;
}

bool gale__block_pool_next(gale__block_pool_t *pool) {
    gale__block_t *next = pool_next(pool);
    if (next == NULL) return false;
    pool->current = next;
    show_held(pool);
    return true;
}

void gale__block_pool_trim(gale__block_pool_t *pool) {
    while (pool->free != NULL) {
        gale__block_t *b = pool->free;
        pool->free = b->next;
        gale__free(b);
    }
    pool->live -= pool->free_count;
    pool->free_count = 0;
}

void gale__block_pool_clear(gale__block_pool_t *pool) {
    gale__block_pool_trim(pool);
    if (pool->current != NULL && pool->current->refs == 0) gale__free(pool->current);
    *pool = (gale__block_pool_t){0};
}
