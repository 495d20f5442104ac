/*
 * Token buckets in a table of fixed size: how often may each key do something. A bucket is one
 * moment, that at which it will be full again (the generic cell rate algorithm), so a full one is
 * nothing at all and its place is free. Buckets stand in sets of eight by the hash of their key;
 * when a set has no free place the fullest bucket gives way, so that whoever owes most is
 * remembered longest. Not for several threads at a time.
 */
#ifndef GALE_CORE_RATE_LIMIT_H
#define GALE_CORE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__RATE_SET = 8 };

typedef struct {
    uint64_t hash;    /* stands for the key; 0: never used */
    uint64_t full_ns; /* when the bucket is full again */
} gale__rate_bucket_t;

typedef struct {
    uint64_t token_ns;            /* in which one token comes back */
    uint64_t burst_ns;            /* in which an empty bucket fills up */
    uint32_t set_mask;            /* number of sets - 1 */
    gale__rate_bucket_t *buckets; /* zeroed at first; the caller's to free */
} gale__rate_limit_t;

/* Checks the figures and makes the table; UV_EINVAL is the caller's to say: false on figures that
 * make no sense (0, a token in less than a nanosecond, a bucket that takes a century to fill).
 * `buckets` is null without memory. */
bool gale__rate_limit_init(gale__rate_limit_t *l, uint32_t tokens, uint32_t period_ms,
                           uint32_t burst, uint32_t max_keys);
/* The set of a hash, so that a caller can lock by it. */
static inline uint32_t gale__rate_limit_set(const gale__rate_limit_t *l, uint64_t hash) {
    return (uint32_t)hash & l->set_mask;
}
/* Takes tokens of the bucket of `hash`: 0; or, with nothing taken, milliseconds (at least 1) until
 * they will be there; -1 when they are more than a bucket holds. */
int64_t gale__rate_limit_take(gale__rate_limit_t *l, uint64_t hash, uint32_t tokens,
                              uint64_t now_ms);

#endif
