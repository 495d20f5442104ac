/* Content codings (RFC 9110 8.4.1), inwards: one interface over zlib, brotli and zstd, for those
 * of them that are built in (gale__coding_built). */
#ifndef GALE_CORE_DECODER_H
#define GALE_CORE_DECODER_H

#include "accept.h"
#include "coder.h"

typedef struct gale__decoder gale__decoder_t;

/* How one library does it; step is that of the interface. */
typedef struct {
    gale__decoder_t *(*make)(gale__coding_t coding, gale__budget_t *budget);
    bool (*reset)(gale__decoder_t *d);
    int (*step)(gale__decoder_t *d, gale__coder_io_t *io);
    size_t (*bytes)(const gale__decoder_t *d);
    void (*free)(gale__decoder_t *d);
} gale__decoder_kind_t;

/* Begins each of their structs. */
struct gale__decoder {
    const gale__decoder_kind_t *kind;
    gale__decoder_t *next; /* the owner's */
    gale__coder_heap_t heap;
    uint8_t coding;
    bool open; /* within a member or frame: more must come */
    bool over; /* nothing may come any more */
};

/* Null without memory. */
gale__decoder_t *gale__decoder_new(gale__coding_t coding, gale__budget_t *budget);
/* DONE: all is taken and put out. FULL. BAD: not of this coding, or with something behind its end;
 * gzip may have several members (RFC 1952 2.2), zstd several frames. NOMEM. After the last two only
 * free may follow. */
int gale__decoder_step(gale__decoder_t *d, gale__coder_io_t *io);
/* After DONE: whether the input may end here. It may also be empty altogether. */
static inline bool gale__decoder_whole(const gale__decoder_t *d) {
    return !d->open;
}
/* Begins anew; false without memory: only free may follow. */
bool gale__decoder_reset(gale__decoder_t *d);
static inline size_t gale__decoder_bytes(const gale__decoder_t *d) {
    return d->kind->bytes(d);
}
/* Null is allowed. */
static inline void gale__decoder_free(gale__decoder_t *d) {
    if (d != NULL) d->kind->free(d);
}

extern const gale__decoder_kind_t gale__decoder_zlib, gale__decoder_brotli, gale__decoder_zstd;

#endif
