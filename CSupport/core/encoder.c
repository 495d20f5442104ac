#include "encoder.h"

#include "deflate.h"
#include "mem.h"

static const gale__encoder_kind_t *kind_of(gale__coding_t coding) {
    switch (coding) {
#if GALE_WITH_ZLIB
    case GALE__GZIP:
    case GALE__DEFLATE:
        return &gale__encoder_zlib;
#endif
#if GALE_WITH_BROTLI
    case GALE__BROTLI:
        return &gale__encoder_brotli;
#endif
#if GALE_WITH_ZSTD
    case GALE__ZSTD:
        return &gale__encoder_zstd;
#endif
    default:
        return NULL;
    }
}

bool gale__coding_built(gale__coding_t coding) {
    return kind_of(coding) != NULL;
}

gale__encoder_t *gale__encoder_new(gale__coding_t coding, unsigned level, gale__budget_t *budget) {
    const gale__encoder_kind_t *kind = kind_of(coding);
    gale__encoder_t *e = kind == NULL ? NULL : kind->make(coding, level, budget);
    if (e == NULL) return NULL;
    e->kind = kind;
    e->coding = (uint8_t)coding;
    e->level = (uint8_t)level;
    return e;
}

/* ----------------------------------------------------------------------------------------- zlib */

typedef struct {
    gale__encoder_t base;
    gale__deflate_t *deflate;
} zlib_t;

static gale__encoder_t *make(gale__coding_t coding, unsigned level, gale__budget_t *budget) {
    zlib_t *e = gale__calloc(1, sizeof *e);
    if (e == NULL) return NULL;
    gale__deflate_params_t params = {
        .format = coding == GALE__GZIP ? GALE__FORMAT_GZIP : GALE__FORMAT_ZLIB,
        .window_bits = 15,
        .mem_level = 8,
        .level = (uint8_t)level,
    };
    e->deflate = gale__deflate_new(&params, budget);
    if (e->deflate == NULL) {
        gale__free(e);
        return NULL;
    }
    return &e->base;
}

static bool reset(gale__encoder_t *e) {
    gale__deflate_reset(((zlib_t *)e)->deflate);
    return true;
}

static int step(gale__encoder_t *e, gale__coder_io_t *io, int request) {
    return gale__deflate_step(((zlib_t *)e)->deflate, io, request);
}

static size_t bytes(const gale__encoder_t *e) {
    return sizeof(zlib_t) + gale__deflate_bytes(((const zlib_t *)e)->deflate);
}

static void zlib_free(gale__encoder_t *e) {
    gale__deflate_free(((zlib_t *)e)->deflate);
    gale__free(e);
}

const gale__encoder_kind_t gale__encoder_zlib = {make, reset, step, bytes, zlib_free};
