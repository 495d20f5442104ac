/* zstd (RFC 8878), with the 8 MiB of window that RFC 9659 bounds it to. Its stable interface has no
 * hook for memory: what it allocates is asked for afterwards. */
#include "decoder.h"

#if GALE_WITH_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

#include "mem.h"

enum { WINDOW_BITS_MAX = 23 };

typedef struct {
    gale__decoder_t base;
    ZSTD_DCtx *context;
} zstd_t;

static void zstd_free(gale__decoder_t *base) {
    zstd_t *d = (zstd_t *)base;
    ZSTD_freeDCtx(d->context); /* null is allowed */
    gale__coder_heap_claim(&d->base.heap, 0);
    gale__free(d);
}

static gale__decoder_t *make(gale__coding_t coding, gale__budget_t *budget) {
    (void)coding;
    zstd_t *d = gale__calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    gale__coder_heap_init(&d->base.heap, budget);
    d->context = ZSTD_createDCtx();
    if (d->context != NULL) {
        ZSTD_DCtx_setParameter(d->context, ZSTD_d_windowLogMax, WINDOW_BITS_MAX);
    }
    if (d->context == NULL ||
        !gale__coder_heap_claim(&d->base.heap, ZSTD_sizeof_DCtx(d->context))) {
        zstd_free(&d->base);
        return NULL;
    }
    return &d->base;
}

static bool reset(gale__decoder_t *base) {
    return !ZSTD_isError(ZSTD_DCtx_reset(((zstd_t *)base)->context, ZSTD_reset_session_only));
}

static int refusal(size_t error) {
    return ZSTD_getErrorCode(error) == ZSTD_error_memory_allocation ? GALE__CODER_NOMEM
                                                                    : GALE__CODER_BAD;
}

static int step(gale__decoder_t *base, gale__coder_io_t *io) {
    zstd_t *d = (zstd_t *)base;
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_len, 0};
    size_t left;
    do {
        left = ZSTD_decompressStream(d->context, &out, &in);
        if (ZSTD_isError(left)) return refusal(left);
    } while (in.pos < in.size && out.pos < out.size);
    base->open = left > 0;
    io->in += in.pos;
    io->in_len -= in.pos;
    io->out += out.pos;
    io->out_len -= out.pos;
    if (!gale__coder_heap_claim(&base->heap, ZSTD_sizeof_DCtx(d->context))) {
        return GALE__CODER_NOMEM;
    }
    return io->in_len > 0 || (base->open && io->out_len == 0) ? GALE__CODER_FULL : GALE__CODER_DONE;
}

static size_t bytes(const gale__decoder_t *d) {
    return sizeof(zstd_t) + d->heap.bytes;
}

const gale__decoder_kind_t gale__decoder_zstd = {make, reset, step, bytes, zstd_free};
#endif
