/*
 * If-None-Match (RFC 9110 13.1.2; WEB-26, STA-06): a list of entity tags, compared weakly, or "*".
 *
 * One pass over the value, however it is made. A tag may hold commas, so the list can't be cut at
 * them first. A member that is no tag is passed over up to the next comma: at worst the client gets
 * the content it could have kept.
 */
#include "etag.h"

#include "str.h"

/* Weak comparison ignores the mark (RFC 9110 8.8.3.2). W is case-sensitive. */
static gale_str_t without_weak(gale_str_t tag) {
    if (tag.len >= 2 && tag.ptr[0] == 'W' && tag.ptr[1] == '/')
        return gale_str(tag.ptr + 2, tag.len - 2);
    return tag;
}

/* Length of the quoted part at the start of s, with its quotes; 0 when there is none. */
static size_t quoted_length(gale_str_t s) {
    if (s.len < 2 || s.ptr[0] != '"') return 0;
    const char *end = memchr(s.ptr + 1, '"', s.len - 1);
    return end != NULL ? (size_t)(end - s.ptr) + 1 : 0;
}

bool gale__etag_matches(gale_str_t if_none_match, gale_str_t etag) {
    gale_str_t want = without_weak(etag), rest = gale__trim(if_none_match);
    if (gale__eq(rest, GALE__LIT("*"))) return true;
    while (rest.len > 0) {
        char c = rest.ptr[0];
        size_t step = 1;
        if (c != ',' && c != ' ' && c != '\t') {
            gale_str_t tag = without_weak(rest);
            size_t len = quoted_length(tag);
            if (len > 0 && gale__eq(gale_str(tag.ptr, len), want)) return true;
            step = len > 0 ? len + (rest.len - tag.len) : rest.len;
            if (len == 0) {
                const char *comma = memchr(rest.ptr, ',', rest.len);
                if (comma != NULL) step = (size_t)(comma - rest.ptr);
            }
        }
        rest = gale_str(rest.ptr + step, rest.len - step);
    }
    return false;
}
