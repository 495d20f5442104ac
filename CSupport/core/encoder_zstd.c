/* zstd (RFC 8878, RFC 9659). Its stable interface has no hook for memory: what it allocates is
 * asked for afterwards. */
#include "encoder.h"

#if GALE_WITH_ZSTD
#include <zstd.h>

#include "mem.h"

enum { WINDOW_BITS = 18 }; /* far below the 8 MiB that RFC 9659 allows; bounds the memory */

typedef struct {
    gale__encoder_t base;
    ZSTD_CCtx *context;
} zstd_t;

static void zstd_free(gale__encoder_t *base) {
    zstd_t *e = (zstd_t *)base;
    ZSTD_freeCCtx(e->context); /* null is allowed */
    gale__coder_heap_claim(&e->base.heap, 0);
    gale__free(e);
}

static gale__encoder_t *make(gale__coding_t coding, unsigned level, gale__budget_t *budget) {
    static const uint8_t own_level[] = {1, 1, 1, 2, 2, 3, 3, 5, 7, 9};
    (void)coding;
    zstd_t *e = gale__calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    gale__coder_heap_init(&e->base.heap, budget);
    e->context = ZSTD_createCCtx();
    if (e->context != NULL) {
        ZSTD_CCtx_setParameter(e->context, ZSTD_c_compressionLevel, own_level[level]);
        ZSTD_CCtx_setParameter(e->context, ZSTD_c_windowLog, WINDOW_BITS);
    }
    if (e->context == NULL ||
        !gale__coder_heap_claim(&e->base.heap, ZSTD_sizeof_CCtx(e->context))) {
        zstd_free(&e->base);
        return NULL;
    }
    return &e->base;
}

static bool reset(gale__encoder_t *base) {
    return !ZSTD_isError(ZSTD_CCtx_reset(((zstd_t *)base)->context, ZSTD_reset_session_only));
}

static int step(gale__encoder_t *base, gale__coder_io_t *io, int request) {
    static const ZSTD_EndDirective directive[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    zstd_t *e = (zstd_t *)base;
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t left;
    do {
        left = ZSTD_compressStream2(e->context, &out, &in, directive[request]);
        if (ZSTD_isError(left)) return GALE__CODER_NOMEM;
        if (request == GALE__CODER_RUN) left = in.size - in.pos;
    } while (left > 0 && out.pos < out.size);
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    gale__coder_heap_claim(&base->heap, ZSTD_sizeof_CCtx(e->context));
    return left > 0 ? GALE__CODER_FULL : GALE__CODER_DONE;
}

static size_t bytes(const gale__encoder_t *e) {
    return sizeof(zstd_t) + e->heap.bytes;
}

const gale__encoder_kind_t gale__encoder_zstd = {make, reset, step, bytes, zstd_free};
#endif
