/* What callers give: a null pointer with a length is no bytes (gale.h, Conventions). */
#ifndef GALE_API_GIVEN_H
#define GALE_API_GIVEN_H

#include <uv.h>

#include "gale.h"

static inline bool gale__lacks(const void *ptr, size_t len) {
    return ptr == NULL && len > 0;
}

static inline bool gale__str_lacks(gale_str_t s) {
    return gale__lacks(s.ptr, s.len);
}

static inline bool gale__fields_lack(const gale_header_t *h, size_t count) {
    if (gale__lacks(h, count)) return true;
    for (size_t i = 0; i < count; i++) {
        if (h[i].name.ptr != NULL && h[i].value.ptr != NULL) continue;
        if (gale__str_lacks(h[i].name) || gale__str_lacks(h[i].value)) return true;
    }
    return false;
}

static inline bool gale__strs_lack(const gale_str_t *s, size_t count) {
    if (gale__lacks(s, count)) return true;
    for (size_t i = 0; i < count; i++) {
        if (gale__str_lacks(s[i])) return true;
    }
    return false;
}

#endif
