/*
 * What compressors and decompressors have in common: how bytes go through them, and the memory they
 * work in.
 *
 * All of a coder's memory is counted against a budget that the coders of a worker share. What a
 * library frees between two uses of a coder is kept for the next use, so that a coder that is used
 * again allocates nothing.
 */
#ifndef GALE_CORE_CODER_H
#define GALE_CORE_CODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step: bytes are taken from `in` and put at `out`; both move forward. At least 16 bytes of
 * room, or a flush may come out twice. */
typedef struct {
    const char *in;
    size_t in_len;
    char *out;
    size_t out_len;
} gale__coder_io_t;

/* What a compressor is asked for. */
enum {
    GALE__CODER_RUN,   /* take the input; output may come later */
    GALE__CODER_FLUSH, /* and put out all that the decoder needs to see it */
    GALE__CODER_FINISH /* and the end */
};

/* What a step gives. */
enum {
    GALE__CODER_DONE = 0,  /* all input is taken, and what was asked for is done */
    GALE__CODER_FULL = 1,  /* no more room: call again with more, and the same request */
    GALE__CODER_END = 2,   /* of the coded bytes; what is left of `in` lies behind them */
    GALE__CODER_BAD = -1,  /* the input is not what it should be */
    GALE__CODER_NOMEM = -2 /* no memory, or the budget is spent */
};

typedef enum { GALE__FORMAT_RAW, GALE__FORMAT_ZLIB, GALE__FORMAT_GZIP } gale__format_t;

typedef struct {
    size_t used, limit; /* bytes */
} gale__budget_t;

typedef struct gale__coder_block gale__coder_block_t;

typedef struct {
    gale__budget_t *budget;
    gale__coder_block_t *live; /* handed out */
    gale__coder_block_t *kept; /* released ones, for the next use */
    size_t bytes;              /* of this heap, with the kept ones */
    unsigned kept_count;
    bool starved; /* an allocation was refused */
} gale__coder_heap_t;

void gale__coder_heap_init(gale__coder_heap_t *heap, gale__budget_t *budget);
/* Null without memory, or when the budget is spent. */
void *gale__coder_alloc(gale__coder_heap_t *heap, size_t size);
void gale__coder_release(gale__coder_heap_t *heap, void *p);
/* Frees all of it, also what was not released. */
void gale__coder_heap_clear(gale__coder_heap_t *heap);
/* For libraries that allocate by themselves: they hold `bytes` now. False when that is more than
 * the budget has. */
bool gale__coder_heap_claim(gale__coder_heap_t *heap, size_t bytes);

#endif
