/*
 * A response's fields before its body is coded: what they say about that, and what they are
 * afterwards (RFC 9110 8.4, 8.8.3, 12.5.3, 12.5.5; GZ-01, GZ-02, GZ-03).
 */
#ifndef GALE_CORE_CODED_FIELDS_H
#define GALE_CORE_CODED_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "accept.h"
#include "gale.h"

typedef enum {
    GALE__CODED_NEVER,   /* by its status, or a field that holds for just these bytes */
    GALE__CODED_FOREIGN, /* of a type that hardly gets smaller: only when the client refuses the
                            plain body */
    GALE__CODED_GLADLY
} gale__coded_fit_t;

/* *length: a Content-Length among the fields, else left as it is. Never are: 1xx, 204, 205, 206,
 * and what has Content-Encoding, Content-Range, a digest of the bytes, or Cache-Control:
 * no-transform. A 304 without a type is as what it stands for may be: gladly. */
gale__coded_fit_t gale__coded_fit(int status, const gale_header_t *h, size_t n, int64_t *length);

/* The fields of a response whose coding was negotiated: Vary names Accept-Encoding. Of one that is
 * coded: Content-Encoding; a strong ETag is made weak; Accept-Ranges and Content-Length fall away.
 * A 304 has the ETag of what it stands for, and no Content-Encoding.
 * `out` has room for n + 2 fields, `text` for gale__coded_text(h, n) bytes, which the fields point
 * into. Gives the number of fields. */
size_t gale__coded_text(const gale_header_t *h, size_t n);
size_t gale__coded_fields(int status, const gale_header_t *h, size_t n, gale__coding_t coding,
                          gale_header_t *out, char *text);

#endif
