#include "inflate.h"

#if GALE_WITH_ZLIB
#include <zlib.h>

#include "mem.h"
#include "zlib_memory.h"

struct gale__inflate {
    z_stream z;
    gale__coder_heap_t heap;
};

gale__inflate_t *gale__inflate_new(gale__format_t format, unsigned window_bits,
                                   gale__budget_t *budget) {
    if (window_bits < 8 || window_bits > 15) return NULL;
    gale__inflate_t *i = gale__calloc(1, sizeof *i);
    if (i == NULL) return NULL;
    int bits = (int)window_bits;
    if (format != GALE__FORMAT_ZLIB) bits = format == GALE__FORMAT_RAW ? -bits : bits + 16;
    gale__coder_heap_init(&i->heap, budget);
    gale__zlib_memory(&i->z, &i->heap);
    if (inflateInit2(&i->z, bits) != Z_OK) {
        gale__coder_heap_clear(&i->heap);
        gale__free(i);
        return NULL;
    }
    return i;
}

void gale__inflate_reset(gale__inflate_t *i) {
    inflateReset(&i->z);
}

int gale__inflate_step(gale__inflate_t *i, gale__coder_io_t *io) {
    z_stream *z = &i->z;
    for (;;) {
        uInt in = gale__zlib_size(io->in_len), out = gale__zlib_size(io->out_len);
        z->next_in = (Bytef *)io->in; /* older headers lack the const */
        z->avail_in = in;
        z->next_out = (Bytef *)io->out;
        z->avail_out = out;
        int result = inflate(z, Z_NO_FLUSH);
        gale__zlib_moved(io, in - z->avail_in, out - z->avail_out);
        if (result == Z_STREAM_END) return GALE__CODER_END;
        if (result == Z_MEM_ERROR) return GALE__CODER_NOMEM;
        /* Z_BUF_ERROR only says that this call got nowhere; a preset dictionary is no content. */
        if (result != Z_OK && result != Z_BUF_ERROR) return GALE__CODER_BAD;
        if (io->out_len == 0) return GALE__CODER_FULL;
        if (io->in_len == 0) return GALE__CODER_DONE;
    }
}

bool gale__inflate_between_blocks(const gale__inflate_t *i) {
    /* zlib.h, of inflate: 128 behind a block, and the number of bits not used of the last byte. */
    return (i->z.data_type & 128) != 0 && (i->z.data_type & 63) == 0;
}

size_t gale__inflate_bytes(const gale__inflate_t *i) {
    return sizeof *i + i->heap.bytes;
}

void gale__inflate_free(gale__inflate_t *i) {
    if (i == NULL) return;
    inflateEnd(&i->z);
    gale__coder_heap_clear(&i->heap);
    gale__free(i);
}

#else

gale__inflate_t *gale__inflate_new(gale__format_t format, unsigned window_bits,
                                   gale__budget_t *budget) {
    (void)format;
    (void)window_bits;
    (void)budget;
    return NULL;
}

void gale__inflate_reset(gale__inflate_t *i) {
    (void)i;
}

int gale__inflate_step(gale__inflate_t *i, gale__coder_io_t *io) {
    (void)i;
    (void)io;
    return GALE__CODER_NOMEM;
}

bool gale__inflate_between_blocks(const gale__inflate_t *i) {
    (void)i;
    return false;
}

size_t gale__inflate_bytes(const gale__inflate_t *i) {
    (void)i;
    return 0;
}

void gale__inflate_free(gale__inflate_t *i) {
    (void)i;
}

#endif
