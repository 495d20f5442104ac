/* The trailer section behind a chunked body (RFC 9110 6.5, RFC 9112 7.1.2): kept by itself, never
 * merged into the header. */
#ifndef GALE_CORE_HTTP1_TRAILERS_H
#define GALE_CORE_HTTP1_TRAILERS_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__TRAILER_BYTES = 8192, GALE__TRAILER_FIELDS = 64 };

typedef struct {
    uint32_t len, count;                        /* count: 0 until all have come */
    gale_header_t fields[GALE__TRAILER_FIELDS]; /* slices of bytes */
    char bytes[GALE__TRAILER_BYTES];
} gale__trailers_t;

/* Whether a field of this name may stand in a trailer section: none that says how the message is
 * framed, routed, authorised or read, which comes too late behind it (RFC 9110 6.5.1). */
bool gale__trailer_allowed(gale_str_t name);
/* Adds checked bytes of field lines; *t is made, on Gale's heap, when it is null. False without
 * memory. */
bool gale__trailers_add(gale__trailers_t **t, gale_str_t bytes);
/* All lines have come: fills the table with those that are allowed. */
void gale__trailers_finish(gale__trailers_t *t);

#endif
