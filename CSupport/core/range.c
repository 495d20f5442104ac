/*
 * Ranges (STA-07, STA-08, STA-09).
 *
 * A field is taken as a whole or not at all: one malformed member and the client gets everything,
 * which is always right (RFC 9110 14.2). Numbers are digits and nothing else; one too large for 64
 * bits lies behind the end of any file.
 *
 * A server that answered each member with a part of its own could be made to send a file a thousand
 * times for one request (RFC 9110 17.15). So members are merged where they overlap or touch, which
 * bounds the answer by the file's size, and a field of more members or parts than a client has use
 * for is ignored.
 */
#include "range.h"

#include "str.h"

enum { MEMBERS = 64 };

typedef struct {
    uint64_t first, last; /* inclusive */
} span_t;

static bool is_digit(char c) {
    return gale__is((uint8_t)c, GALE__DIGIT);
}

/* Takes the digits at the start of *s; UINT64_MAX when they are too large. False: there are none. */
static bool take_number(gale_str_t *s, uint64_t *out) {
    size_t n = 0;
    uint64_t value = 0;
    for (; n < s->len && is_digit(s->ptr[n]); n++) {
        unsigned digit = (unsigned)(s->ptr[n] - '0');
        bool too_large = value > (UINT64_MAX - digit) / 10;
        value = too_large ? UINT64_MAX : value * 10 + digit;
    }
    *s = gale_str(s->ptr + n, s->len - n);
    *out = value;
    return n > 0;
}

/* One member: 1 and its span, 0 when it can't be satisfied, -1 when it is malformed. */
static int read_member(gale_str_t s, uint64_t size, span_t *span) {
    uint64_t first, last = UINT64_MAX;
    bool prefix = take_number(&s, &first);
    if (s.len == 0 || s.ptr[0] != '-') return -1;
    s = gale_str(s.ptr + 1, s.len - 1);
    bool bounded = take_number(&s, &last);
    if (s.len > 0 || (!prefix && !bounded)) return -1;
    if (!prefix) { /* the last so many bytes */
        if (last == 0 || size == 0) return 0;
        *span = (span_t){last < size ? size - last : 0, size - 1};
        return 1;
    }
    if (!bounded) last = UINT64_MAX;
    if (last < first) return -1;
    if (first >= size) return 0;
    *span = (span_t){first, last < size ? last : size - 1};
    return 1;
}

static bool touch(span_t a, span_t b) {
    /* Neither last + 1 overflows: it is at most the size. */
    return a.first <= b.last + 1 && b.first <= a.last + 1;
}

/* Adds a span to those there are, in the place of the first it touches. False: no room. */
static bool merge(span_t *spans, size_t *count, span_t s) {
    size_t at = *count;
    for (size_t i = 0; i < *count;) {
        if (!touch(spans[i], s)) {
            i++;
            continue;
        }
        if (spans[i].first < s.first) s.first = spans[i].first;
        if (spans[i].last > s.last) s.last = spans[i].last;
        if (at == *count || i < at) at = i;
        /* Taken out, and looked at again from the start: the larger one may touch others. */
        memmove(spans + i, spans + i + 1, (*count - i - 1) * sizeof *spans);
        --*count;
        if (at > *count) at = *count;
        i = 0;
    }
    if (*count == GALE__RANGES) return false;
    memmove(spans + at + 1, spans + at, (*count - at) * sizeof *spans);
    spans[at] = s;
    ++*count;
    return true;
}

/* "bytes=", without case; units are registered names (RFC 9110 14.1). */
static bool is_bytes(gale_str_t *value) {
    static const size_t len = sizeof "bytes=" - 1;
    gale_str_t v = gale__trim(*value);
    if (v.len < len || !gale__eq_nocase(gale_str(v.ptr, len), GALE__LIT("bytes="))) return false;
    *value = gale_str(v.ptr + len, v.len - len);
    return true;
}

int gale__range_parse(gale_str_t value, uint64_t size, gale__range_t out[GALE__RANGES]) {
    span_t spans[GALE__RANGES], span;
    size_t count = 0, members = 0;
    if (!is_bytes(&value)) return 0;
    for (bool more = true; more;) {
        const char *comma = value.len > 0 ? memchr(value.ptr, ',', value.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - value.ptr) : value.len;
        gale_str_t member = gale__trim(gale_str(value.ptr, len));
        more = comma != NULL;
        if (more) value = gale_str(comma + 1, value.len - len - 1);
        if (member.len == 0) continue; /* empty members are legal (RFC 9110 5.6.1.2) */
        int read = read_member(member, size, &span);
        if (read < 0 || ++members > MEMBERS) return 0;
        if (read > 0 && !merge(spans, &count, span)) return 0;
    }
    if (members == 0) return 0;
    for (size_t i = 0; i < count; i++)
        out[i] = (gale__range_t){spans[i].first, spans[i].last - spans[i].first + 1};
    return count > 0 ? (int)count : -1;
}

/* ---------------------------------------------------------------------------------------- texts */

/* Appends to out, which may be null: then only the length counts. */
static size_t put(char *out, size_t at, gale_str_t s) {
    if (out != NULL && s.len > 0) memcpy(out + at, s.ptr, s.len);
    return at + s.len;
}

size_t gale__content_range(char *out, const gale__range_t *range, uint64_t size) {
    size_t at = put(out, 0, GALE__LIT("bytes "));
    if (range == NULL) {
        at = put(out, at, GALE__LIT("*"));
    } else {
        at += gale__format_uint64(out + at, range->first);
        at = put(out, at, GALE__LIT("-"));
        at += gale__format_uint64(out + at, range->first + range->length - 1);
    }
    at = put(out, at, GALE__LIT("/"));
    return at + gale__format_uint64(out + at, size);
}

size_t gale__range_part(char *out, size_t index, const char boundary[GALE__BOUNDARY],
                        gale_str_t content_type, const gale__range_t *range, uint64_t size) {
    char bytes[GALE__CONTENT_RANGE];
    size_t at = put(out, 0, index == 0 ? GALE__LIT("--") : GALE__LIT("\r\n--"));
    at = put(out, at, gale_str(boundary, GALE__BOUNDARY));
    if (content_type.len > 0) {
        at = put(out, at, GALE__LIT("\r\nContent-Type: "));
        at = put(out, at, content_type);
    }
    at = put(out, at, GALE__LIT("\r\nContent-Range: "));
    at = put(out, at, gale_str(bytes, gale__content_range(bytes, range, size)));
    return put(out, at, GALE__LIT("\r\n\r\n"));
}

size_t gale__range_end(char *out, const char boundary[GALE__BOUNDARY]) {
    size_t at = put(out, 0, GALE__LIT("\r\n--"));
    at = put(out, at, gale_str(boundary, GALE__BOUNDARY));
    return put(out, at, GALE__LIT("--\r\n"));
}
