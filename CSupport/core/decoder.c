#include "decoder.h"

#include "inflate.h"
#include "mem.h"

static const gale__decoder_kind_t *kind_of(gale__coding_t coding) {
    switch (coding) {
#if GALE_WITH_ZLIB
    case GALE__GZIP:
    case GALE__DEFLATE:
        return &gale__decoder_zlib;
#endif
#if GALE_WITH_BROTLI
    case GALE__BROTLI:
        return &gale__decoder_brotli;
#endif
#if GALE_WITH_ZSTD
    case GALE__ZSTD:
        return &gale__decoder_zstd;
#endif
    default:
        return NULL;
    }
}

gale__decoder_t *gale__decoder_new(gale__coding_t coding, gale__budget_t *budget) {
    const gale__decoder_kind_t *kind = kind_of(coding);
    gale__decoder_t *d = kind == NULL ? NULL : kind->make(coding, budget);
    if (d == NULL) return NULL;
    d->kind = kind;
    d->coding = (uint8_t)coding;
    return d;
}

int gale__decoder_step(gale__decoder_t *d, gale__coder_io_t *io) {
    /* Between two members no library has anything left to put out. */
    if (io->in_len == 0 && !d->open) return GALE__CODER_DONE;
    return d->over ? GALE__CODER_BAD : d->kind->step(d, io);
}

bool gale__decoder_reset(gale__decoder_t *d) {
    d->open = d->over = false;
    return d->kind->reset(d);
}

/* ----------------------------------------------------------------------------------------- zlib */

typedef struct {
    gale__decoder_t base;
    gale__inflate_t *inflate;
} zlib_t;

static gale__decoder_t *make(gale__coding_t coding, gale__budget_t *budget) {
    zlib_t *d = gale__calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    gale__format_t format = coding == GALE__GZIP ? GALE__FORMAT_GZIP : GALE__FORMAT_ZLIB;
    d->inflate = gale__inflate_new(format, 15, budget);
    if (d->inflate == NULL) {
        gale__free(d);
        return NULL;
    }
    return &d->base;
}

static bool reset(gale__decoder_t *d) {
    gale__inflate_reset(((zlib_t *)d)->inflate);
    return true;
}

/* What follows a member of gzip must be one, too; its header is checked like the first. */
static int step(gale__decoder_t *base, gale__coder_io_t *io) {
    zlib_t *d = (zlib_t *)base;
    for (;;) {
        base->open = true;
        int result = gale__inflate_step(d->inflate, io);
        if (result != GALE__CODER_END) return result;
        base->open = false;
        if (base->coding == GALE__GZIP) {
            gale__inflate_reset(d->inflate);
        } else {
            base->over = true;
        }
        if (io->in_len == 0) return GALE__CODER_DONE;
        if (base->over) return GALE__CODER_BAD;
        if (io->out_len == 0) return GALE__CODER_FULL;
    }
}

static size_t bytes(const gale__decoder_t *d) {
    return sizeof(zlib_t) + gale__inflate_bytes(((const zlib_t *)d)->inflate);
}

static void zlib_free(gale__decoder_t *d) {
    gale__inflate_free(((zlib_t *)d)->inflate);
    gale__free(d);
}

const gale__decoder_kind_t gale__decoder_zlib = {make, reset, step, bytes, zlib_free};
