/* UTF-8 validation (RFC 3629), incremental: surrogates, overlong forms and code points above
 * U+10FFFF are refused. */
#ifndef GALE_CORE_UTF8_H
#define GALE_CORE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

typedef struct {
    uint32_t state; /* 0: between characters */
} gale__utf8_t;

/* Checks the next bytes of a text; false at the earliest byte that can't be right. */
bool gale__utf8_next(gale__utf8_t *u, const char *bytes, size_t len);
/* Whether the text may end here. */
static inline bool gale__utf8_complete(const gale__utf8_t *u) {
    return u->state == 0;
}
/* A whole text; fast on ASCII. */
bool gale__utf8_valid(const char *bytes, size_t len);

#endif
