/* Content codings (RFC 9110 8.4.1), outwards: one interface over zlib, brotli and zstd, for those
 * of them that are built in. */
#ifndef GALE_CORE_ENCODER_H
#define GALE_CORE_ENCODER_H

#include "accept.h"
#include "coder.h"

typedef struct gale__encoder gale__encoder_t;

/* How one library does it. */
typedef struct {
    gale__encoder_t *(*make)(gale__coding_t coding, unsigned level, gale__budget_t *budget);
    bool (*reset)(gale__encoder_t *e); /* false without memory: only free may follow */
    int (*step)(gale__encoder_t *e, gale__coder_io_t *io, int request);
    size_t (*bytes)(const gale__encoder_t *e);
    void (*free)(gale__encoder_t *e);
} gale__encoder_kind_t;

/* Begins each of their structs. */
struct gale__encoder {
    const gale__encoder_kind_t *kind;
    gale__encoder_t *next; /* the owner's */
    gale__coder_heap_t heap;
    uint8_t coding, level;
};

/* Whether the library can code (and decode) it; identity is no coding. */
bool gale__coding_built(gale__coding_t coding);

/* level 1 (fast) to 9 (small), brought to each library's own scale. Null without memory. */
gale__encoder_t *gale__encoder_new(gale__coding_t coding, unsigned level, gale__budget_t *budget);
/* DONE, FULL, or NOMEM, after which only free may follow. */
static inline int gale__encoder_step(gale__encoder_t *e, gale__coder_io_t *io, int request) {
    return e->kind->step(e, io, request);
}
/* Begins anew; false without memory: only free may follow. */
static inline bool gale__encoder_reset(gale__encoder_t *e) {
    return e->kind->reset(e);
}
static inline size_t gale__encoder_bytes(const gale__encoder_t *e) {
    return e->kind->bytes(e);
}
/* Null is allowed. */
static inline void gale__encoder_free(gale__encoder_t *e) {
    if (e != NULL) e->kind->free(e);
}

extern const gale__encoder_kind_t gale__encoder_zlib, gale__encoder_brotli, gale__encoder_zstd;

#endif
