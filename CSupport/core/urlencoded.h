/*
 * application/x-www-form-urlencoded (URL Standard 5.1; HU-13), of a query or a body: only '&'
 * separates, '+' is a blank, a value may be blank, a '%' without two digits stands for itself.
 */
#ifndef GALE_CORE_URLENCODED_H
#define GALE_CORE_URLENCODED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__MAX_FIELDS = 1000 }; /* CVE-2026-82397 */

/* Cuts the next pair, still encoded, off the front of *rest; empty ones are passed over. False at
 * the end. */
bool gale__pairs_next(gale_str_t *rest, gale_str_t *name, gale_str_t *value);
/* Whether there are at most `max` of them; looks no further. */
bool gale__pairs_within(gale_str_t text, uint32_t max);
/* Decodes into `out`, which may be raw.ptr and gets at most `size` bytes. Gives the decoded length,
 * which is never more than raw.len. */
size_t gale__form_decode(gale_str_t raw, char *out, size_t size);
/* Whether `raw`, decoded, is `text`. */
bool gale__form_equals(gale_str_t raw, gale_str_t text);

/* Pairs of a body that comes in pieces. */
typedef struct {
    char *room; /* the caller's: a pair as it is encoded must fit; may move between calls */
    size_t size, len;
    uint32_t fields, max_fields;
    bool given; /* room holds a pair that was given */
} gale__urlencoded_t;

enum {
    GALE__URLENCODED_MORE = 0,
    GALE__URLENCODED_PAIR = 1,
    GALE__URLENCODED_FULL = -1, /* with a larger room the call can be made again */
    GALE__URLENCODED_LIMIT = -2
};

void gale__urlencoded_init(gale__urlencoded_t *u, char *room, size_t size, uint32_t max_fields);
/* Takes bytes from *pos on, up to the end of a pair; `last` says that none come behind them. name
 * and value live in the room until the next call. To be called until it gives MORE. */
int gale__urlencoded_next(gale__urlencoded_t *u, gale_str_t bytes, size_t *pos, bool last,
                          gale_str_t *name, gale_str_t *value);

#endif
