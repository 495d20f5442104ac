/*
 * If-None-Match (RFC 9110 13.1.2; WEB-26, STA-06) and If-Match (13.1.1): a list of entity tags, or
 * "*".
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

/* Length of the tag at the start of s, with its weak mark; 0 when there is none. */
static size_t tag_length(gale_str_t s) {
    gale_str_t quoted = without_weak(s);
    size_t len = quoted_length(quoted);
    return len > 0 ? len + (s.len - quoted.len) : 0;
}

/* Length of a member that is no tag. */
static size_t member_length(gale_str_t s) {
    const char *comma = memchr(s.ptr, ',', s.len);
    return comma != NULL ? (size_t)(comma - s.ptr) : s.len;
}

/* Whether a member ends here: more behind a tag makes one that is none. */
static bool ends(gale_str_t s) {
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) s = gale_str(s.ptr + 1, s.len - 1);
    return s.len == 0 || s.ptr[0] == ',';
}

static bool list_has(gale_str_t list, gale_str_t etag, bool weakly) {
    gale_str_t rest = gale__trim(list);
    if (gale__eq(rest, GALE__LIT("*"))) return true;
    while (rest.len > 0) {
        char c = rest.ptr[0];
        size_t step = 1;
        if (c != ',' && c != ' ' && c != '\t') {
            step = tag_length(rest);
            gale_str_t tag = gale_str(rest.ptr, step);
            rest = gale_str(rest.ptr + step, rest.len - step);
            if (step > 0 && ends(rest)) {
                if (gale__eq(weakly ? without_weak(tag) : tag, etag)) return true;
                continue;
            }
            step = member_length(rest);
        }
        rest = gale_str(rest.ptr + step, rest.len - step);
    }
    return false;
}

bool gale__etag_matches(gale_str_t if_none_match, gale_str_t etag) {
    return list_has(if_none_match, without_weak(etag), true);
}

bool gale__etag_matches_strongly(gale_str_t if_match, gale_str_t etag) {
    /* Without its mark a weak tag equals none in the list that has one. */
    bool weak = etag.len > 0 && etag.ptr[0] != '"';
    return list_has(if_match, weak ? gale_str(NULL, 0) : etag, false);
}
