/* Conditional requests (RFC 9110 13): what the fields of a GET or HEAD ask of the representation
 * that would be sent. */
#ifndef GALE_CORE_CONDITIONS_H
#define GALE_CORE_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

/* What is known of the representation. */
typedef struct {
    gale_str_t etag;  /* with its quotes; empty: there is none */
    int64_t modified; /* Last-Modified, Unix time; INT64_MIN: there is none */
    int64_t now;      /* Date: a date that is not older is no strong validator (RFC 9110 8.8.2.2) */
} gale__validators_t;

/* 0 when the request is to be answered as usual, else 304 or 412, in the order of RFC 9110 13.2.2.
 * *range becomes the value of Range where there is one that counts: one field, and If-Range holds;
 * else its ptr is null. */
int gale__conditions(const gale_header_t *fields, size_t count, const gale__validators_t *v,
                     gale_str_t *range);

#endif
