#include "deflate.h"

#if GALE_WITH_ZLIB
#include <limits.h>
#include <zlib.h>

#include "mem.h"
#include "zlib_memory.h"

struct gale__deflate {
    z_stream z;
    gale__coder_heap_t heap;
};

static int zlib_bits(const gale__deflate_params_t *p) {
    int bits = p->window_bits;
    return p->format == GALE__FORMAT_RAW    ? -bits
           : p->format == GALE__FORMAT_GZIP ? bits + 16
                                            : bits;
}

gale__deflate_t *gale__deflate_new(const gale__deflate_params_t *p, gale__budget_t *budget) {
    if (p->window_bits < 9 || p->window_bits > 15) return NULL;
    gale__deflate_t *d = gale__calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    gale__coder_heap_init(&d->heap, budget);
    gale__zlib_memory(&d->z, &d->heap);
    if (deflateInit2(&d->z, p->level, Z_DEFLATED, zlib_bits(p), p->mem_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        gale__coder_heap_clear(&d->heap);
        gale__free(d);
        return NULL;
    }
    return d;
}

void gale__deflate_reset(gale__deflate_t *d) {
    deflateReset(&d->z);
}

int gale__deflate_step(gale__deflate_t *d, gale__coder_io_t *io, int request) {
    static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *z = &d->z;
    for (;;) {
        uInt in = gale__zlib_size(io->in_len), out = gale__zlib_size(io->out_len);
        bool all = in == io->in_len;
        z->next_in = (Bytef *)io->in; /* older headers lack the const */
        z->avail_in = in;
        z->next_out = (Bytef *)io->out;
        z->avail_out = out;
        int result = deflate(z, all ? flush[request] : Z_NO_FLUSH);
        gale__zlib_moved(io, in - z->avail_in, out - z->avail_out);
        if (all && request == GALE__CODER_FINISH && result == Z_STREAM_END) return GALE__CODER_DONE;
        if (io->out_len == 0) return GALE__CODER_FULL;
        if (io->in_len == 0 && request != GALE__CODER_FINISH) return GALE__CODER_DONE;
    }
}

size_t gale__deflate_bytes(const gale__deflate_t *d) {
    return sizeof *d + d->heap.bytes;
}

void gale__deflate_free(gale__deflate_t *d) {
    if (d == NULL) return;
    deflateEnd(&d->z);
    gale__coder_heap_clear(&d->heap);
    gale__free(d);
}

#else

gale__deflate_t *gale__deflate_new(const gale__deflate_params_t *p, gale__budget_t *budget) {
    (void)p;
    (void)budget;
    return NULL;
}

void gale__deflate_reset(gale__deflate_t *d) {
    (void)d;
}

int gale__deflate_step(gale__deflate_t *d, gale__coder_io_t *io, int request) {
    (void)d;
    (void)io;
    (void)request;
    return GALE__CODER_NOMEM;
}

size_t gale__deflate_bytes(const gale__deflate_t *d) {
    (void)d;
    return 0;
}

void gale__deflate_free(gale__deflate_t *d) {
    (void)d;
}

#endif
