/*
 * Decompression of zlib's three formats (RFC 1950-1952), by zlib: content codings of requests, and
 * the messages of a WebSocket with permessage-deflate (RFC 7692: RAW; a message is its bytes and
 * then 00 00 ff ff; without takeover, a reset follows).
 * In a build without zlib gale__inflate_new gives null.
 */
#ifndef GALE_CORE_INFLATE_H
#define GALE_CORE_INFLATE_H

#include "coder.h"

typedef struct gale__inflate gale__inflate_t;

/* window_bits 8-15: what needs a larger window is refused. Null without memory or zlib. */
gale__inflate_t *gale__inflate_new(gale__format_t format, unsigned window_bits,
                                   gale__budget_t *budget);
/* Forgets everything and begins anew, in the same memory. */
void gale__inflate_reset(gale__inflate_t *i);
/* DONE: wants more input. FULL, END: behind one stream (for gzip: one member). BAD, NOMEM: only a
 * reset or free may follow. After END: a reset first. */
int gale__inflate_step(gale__inflate_t *i, gale__coder_io_t *io);
/* After DONE: whether the input may end here but for more blocks. */
bool gale__inflate_between_blocks(const gale__inflate_t *i);
size_t gale__inflate_bytes(const gale__inflate_t *i);
/* Null is allowed. */
void gale__inflate_free(gale__inflate_t *i);

#endif
