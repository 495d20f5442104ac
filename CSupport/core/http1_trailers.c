#include "http1_trailers.h"

#include <string.h>

#include "mem.h"
#include "str.h"

bool gale__trailer_allowed(gale_str_t name) {
    static const gale_str_t refused[] = {
        {"TE", 2},
        {"Age", 3},
        {"Date", 4},
        {"Host", 4},
        {"Vary", 4},
        {"Range", 5},
        {"Cookie", 6},
        {"Expect", 6},
        {"Expires", 7},
        {"Trailer", 7},
        {"Upgrade", 7},
        {"Location", 8},
        {"Connection", 10},
        {"Keep-Alive", 10},
        {"Set-Cookie", 10},
        {"Retry-After", 11},
        {"Content-Type", 12},
        {"Max-Forwards", 12},
        {"Authorization", 13},
        {"Cache-Control", 13},
        {"Content-Range", 13},
        {"Content-Length", 14},
        {"Content-Encoding", 16},
        {"WWW-Authenticate", 16},
        {"Transfer-Encoding", 17},
        {"Proxy-Authenticate", 18},
        {"Proxy-Authorization", 19},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (gale__eq_nocase(name, refused[i])) return false;
    }
    bool condition = name.len > 3 && gale__eq_nocase(gale_str(name.ptr, 3), GALE__LIT("If-"));
    return !condition && gale__is_token(name);
}

bool gale__trailers_add(gale__trailers_t **t, gale_str_t bytes) {
    if (*t == NULL) {
        *t = gale__malloc(sizeof **t);
        if (*t == NULL) return false;
        (*t)->len = (*t)->count = 0;
    }
    size_t room = sizeof(*t)->bytes - (*t)->len; /* the decoder's bound is no higher */
    size_t len = bytes.len < room ? bytes.len : room;
    memcpy((*t)->bytes + (*t)->len, bytes.ptr, len);
    (*t)->len += (uint32_t)len;
    return true;
}

void gale__trailers_finish(gale__trailers_t *t) {
    const char *at = t->bytes, *end = t->bytes + t->len;
    while (at < end && t->count < GALE__TRAILER_FIELDS) {
        const char *line_end = memchr(at, '\r', (size_t)(end - at));
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (line_end == NULL || colon == NULL) break;
        gale_str_t name = gale_str(at, (size_t)(colon - at));
        if (gale__trailer_allowed(name)) {
            gale_str_t value = gale_str(colon + 1, (size_t)(line_end - colon) - 1);
            t->fields[t->count++] = (gale_header_t){name, gale__trim(value)};
        }
        at = line_end + 2;
    }
}
