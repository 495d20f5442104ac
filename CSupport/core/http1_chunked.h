/* Decoder of the chunked transfer coding (RFC 9112 7.1): slices out, no copy, resumable at every
 * byte, bounded. */
#ifndef GALE_CORE_HTTP1_CHUNKED_H
#define GALE_CORE_HTTP1_CHUNKED_H

#include <stdint.h>

#include "gale.h"

typedef struct {
    uint64_t left; /* bytes of the present chunk still to come */
    uint32_t state;
    uint32_t line_bytes;      /* of the present size line or trailer section, for the bounds */
    uint32_t line_extensions; /* of the present size line */
    uint32_t ext_bytes;       /* of all extensions, less those that the length of chunks excuses */
    uint32_t size_digits;
    uint32_t trailer_fields;
    int refused;       /* after a refusal: the status, 400 or 431 */
    const char *error; /* one sentence */
} gale__chunked_t;

void gale__chunked_init(gale__chunked_t *d);

enum {
    GALE__CHUNKED_MORE = 0,
    GALE__CHUNKED_DATA = 1,
    GALE__CHUNKED_END = 2,
    GALE__CHUNKED_TRAILERS = 3,
    GALE__CHUNKED_ERROR = -1
};

/* Takes from bytes[*pos..len) up to the next event and moves *pos behind what it took.
 * DATA: *data is a slice of `bytes` (never empty); call again. TRAILERS: the same, of the field lines
 * of the trailer section, checked as header fields are. MORE: all taken, nothing to tell.
 * END: the body with its trailer section is over; *pos is behind it. ERROR: malformed; d->error
 * says why. Bounds: 16 hex digits a size, 32 extensions and 4096 bytes of them a chunk line, in all
 * 64 KiB of them and a byte more for every 16 of a chunk's data; GALE__TRAILER_FIELDS of
 * GALE__TRAILER_BYTES. Overhead is bounded: a body of tiny chunks with long extensions is
 * refused. */
int gale__chunked_next(gale__chunked_t *d, const char *bytes, size_t len, size_t *pos,
                       gale_str_t *data);

#endif
