/*
 * How many there are of each key: a hash table of fixed size for keys that clients choose (their
 * addresses). Constant time, no allocation after init; a place in it stays where it is, so that
 * whoever was counted can be taken off without a second look-up of its own. Not for several threads
 * at a time.
 */
#ifndef GALE_CORE_TALLY_H
#define GALE_CORE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "siphash.h"

typedef struct {
    uint64_t key;
    uint32_t next; /* in its bucket, or among the free ones; 0 ends */
    uint32_t count;
} gale__tally_place_t;

typedef struct {
    gale__sip_key_t secret;
    uint32_t capacity;           /* of different keys */
    uint32_t used;               /* places that were ever taken */
    uint32_t free;               /* the first of those given back; 0: none */
    uint32_t mask;               /* number of buckets - 1 */
    uint32_t *buckets;           /* first place of each; 0: none */
    gale__tally_place_t *places; /* from 1 */
} gale__tally_t;

/* False without memory. Pages of it that are never used are never touched. */
bool gale__tally_init(gale__tally_t *t, gale__sip_key_t secret, uint32_t capacity);
void gale__tally_free(gale__tally_t *t);
/* One more of this key: its place; 0 when there are `limit` of it already, or the table is full. */
uint32_t gale__tally_add(gale__tally_t *t, uint64_t key, uint32_t limit);
/* One less at this place. */
void gale__tally_drop(gale__tally_t *t, uint32_t place);

#endif
