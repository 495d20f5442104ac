/*
 * Compression in zlib's three formats (RFC 1950-1952), by zlib: content codings of responses, and
 * the messages of a WebSocket with permessage-deflate (RFC 7692: RAW; a message is input with
 * FLUSH, less its last four bytes 00 00 ff ff; without takeover, a reset follows).
 * In a build without zlib gale__deflate_new gives null.
 */
#ifndef GALE_CORE_DEFLATE_H
#define GALE_CORE_DEFLATE_H

#include "coder.h"

typedef struct gale__deflate gale__deflate_t;

typedef struct {
    gale__format_t format;
    uint8_t window_bits; /* 9-15: zlib cannot compress for a window of 2^8 */
    uint8_t mem_level;   /* 1-9; memory is about 4 << window_bits plus 512 << mem_level */
    uint8_t level;       /* 1-9 */
} gale__deflate_params_t;

/* Null without memory or zlib, or with parameters out of range. */
gale__deflate_t *gale__deflate_new(const gale__deflate_params_t *params, gale__budget_t *budget);
/* Forgets everything and begins anew, in the same memory. */
void gale__deflate_reset(gale__deflate_t *d);
/* DONE or FULL. */
int gale__deflate_step(gale__deflate_t *d, gale__coder_io_t *io, int request);
size_t gale__deflate_bytes(const gale__deflate_t *d);
/* Null is allowed. */
void gale__deflate_free(gale__deflate_t *d);

#endif
