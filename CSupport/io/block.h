/*
 * Blocks: the memory that socket reads land in. A worker reads into one pooled block at a time;
 * whoever keeps slices of a block longer than the read callback holds a count on it. Counts belong
 * to the loop thread and are plain integers.
 */
#ifndef GALE_IO_BLOCK_H
#define GALE_IO_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GALE__BLOCK_SIZE = 65536, GALE__BLOCK_MIN_ROOM = 8192 };

typedef struct gale__block_pool gale__block_pool_t;

typedef struct gale__block {
    struct gale__block *next; /* in the pool's free list */
    gale__block_pool_t *pool; /* null: an allocation of its own */
    uint32_t refs;
    uint32_t capacity;
    uint32_t tail; /* where the next read goes, while it is the pool's current block */
    uint32_t pins; /* how often a slice was kept, ever: tells whether a read left anything behind */
    char data[];
} gale__block_t;

struct gale__block_pool {
    gale__block_t *free;
    gale__block_t *current;
    uint32_t free_count;
    uint32_t live;    /* pooled blocks that exist */
    atomic_uint held; /* those that are not free; for gale_stats, on any thread */
    uint64_t pinned;  /* bytes of the requests that hold blocks */
};

/* A block of its own with room for `capacity` bytes and a count of 1; null without memory. */
gale__block_t *gale__block_new(size_t capacity);
void gale__block_ref(gale__block_t *b);
void gale__block_unref(gale__block_t *b);

/* What every read goes through stands here, to be compiled into its callers. */

/* Another block becomes the current one; false without memory. */
bool gale__block_pool_next(gale__block_pool_t *pool);

/* Room for a read: the free tail of the current block, at least 8 KiB; null without memory. */
static inline char *gale__block_pool_room(gale__block_pool_t *pool, size_t *size) {
    gale__block_t *b = pool->current;
    if (b == NULL || b->capacity - b->tail < GALE__BLOCK_MIN_ROOM) {
        if (!gale__block_pool_next(pool)) return NULL;
        b = pool->current;
    }
    *size = b->capacity - b->tail;
    return b->data + b->tail;
}

/* Takes n bytes of the tail just handed out, while they are being processed. */
static inline gale__block_t *gale__block_pool_take(gale__block_pool_t *pool, size_t n) {
    gale__block_t *b = pool->current;
    b->tail += (uint32_t)n;
    b->refs++; /* for the time of the processing */
    return b;
}

/* Ends the processing of the n bytes from `start`, and gives them back if nobody kept a slice of
 * them: `pins` is what the block's counter was when they were taken. */
static inline void gale__block_pool_give(gale__block_t *b, uint32_t start, uint32_t n,
                                         uint32_t pins) {
    if (b->pins == pins && b->tail == start + n) b->tail = start;
    if (b->refs == 1 && b->pool->current == b) {
        b->refs = b->tail = 0;
    } else {
        gale__block_unref(b);
    }
}

static inline uint32_t gale__block_pool_held(const gale__block_pool_t *pool) {
    return pool->live - pool->free_count;
}

/* Many blocks are held for few bytes: heads should be copied out before dispatch. */
static inline bool gale__block_pool_sparse(const gale__block_pool_t *pool) {
    uint32_t held = gale__block_pool_held(pool);
    return held > 16 && pool->pinned < (uint64_t)held * (GALE__BLOCK_SIZE / 4);
}

/* Frees the free ones. */
void gale__block_pool_trim(gale__block_pool_t *pool);
void gale__block_pool_clear(gale__block_pool_t *pool);

#endif
