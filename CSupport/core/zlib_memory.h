/* What both directions of zlib need: memory from a coder's heap, and sizes of 32 bits. */
#ifndef GALE_CORE_ZLIB_MEMORY_H
#define GALE_CORE_ZLIB_MEMORY_H

#include <zlib.h>

#include "coder.h"

static inline voidpf gale__zlib_alloc(voidpf heap, uInt count, uInt size) {
    return gale__coder_alloc(heap, (size_t)count * size);
}
static inline void gale__zlib_free(voidpf heap, voidpf p) {
    gale__coder_release(heap, p);
}
static inline void gale__zlib_memory(z_stream *z, gale__coder_heap_t *heap) {
    z->zalloc = gale__zlib_alloc;
    z->zfree = gale__zlib_free;
    z->opaque = heap;
}
static inline uInt gale__zlib_size(size_t size) {
    return size < 1u << 30 ? (uInt)size : 1u << 30;
}
static inline void gale__zlib_moved(gale__coder_io_t *io, size_t taken, size_t made) {
    io->in += taken;
    io->in_len -= taken;
    io->out += made;
    io->out_len -= made;
}

#endif
