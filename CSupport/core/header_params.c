/*
 * See header_params.h. The text is walked once, whatever quotes and semicolons it holds
 * (CVE-2025-67726); the segments of a continued parameter may come in any order, and their number
 * is bounded, so that putting them in order costs a table and no sorting.
 */
#include "header_params.h"

#include "str.h"
#include "utf8.h"

enum { MAX_SEGMENTS = 32 };

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static void skip_blanks(gale_str_t s, size_t *i) {
    while (*i < s.len && is_blank(s.ptr[*i])) (*i)++;
}

/* Past a quoted string that begins at *i; false if it does not end. */
static bool skip_quoted(gale_str_t s, size_t *i) {
    for (size_t k = *i + 1; k < s.len; k++) {
        if (s.ptr[k] == '\\') {
            k++;
        } else if (s.ptr[k] == '"') {
            *i = k + 1;
            return true;
        }
    }
    return false;
}

static void cut(gale_str_t *rest, size_t n) {
    if (n > 0) *rest = gale_str(rest->ptr + n, rest->len - n);
}

bool gale__params_begin(gale_str_t *rest, gale_str_t *main) {
    size_t i = 0;
    while (i < rest->len && rest->ptr[i] != ';') {
        if (rest->ptr[i] != '"') {
            i++;
        } else if (!skip_quoted(*rest, &i)) {
            return false;
        }
    }
    *main = gale__trim(gale_str(rest->ptr, i));
    cut(rest, i);
    return true;
}

/* The value that begins at *i. */
static bool take_value(gale_str_t s, size_t *i, gale__param_t *out) {
    skip_blanks(s, i);
    size_t start = *i;
    out->quoted = start < s.len && s.ptr[start] == '"';
    if (out->quoted) {
        if (!skip_quoted(s, i)) return false;
        out->value = gale_str(s.ptr + start + 1, *i - start - 2);
        skip_blanks(s, i);
        return *i == s.len || s.ptr[*i] == ';';
    }
    /* More than a token, as long as it is clear where it ends: file names without quotes have
     * blanks. */
    while (*i < s.len && s.ptr[*i] != ';' && s.ptr[*i] != '"') (*i)++;
    out->value = gale__trim(gale_str(s.ptr + start, *i - start));
    return *i == s.len || s.ptr[*i] == ';';
}

int gale__params_next(gale_str_t *rest, gale__param_t *out) {
    gale_str_t s = *rest;
    size_t i = 0;
    while (i < s.len && (s.ptr[i] == ';' || is_blank(s.ptr[i]))) i++;
    if (i == s.len) {
        cut(rest, i);
        return 0;
    }
    size_t start = i;
    while (i < s.len && s.ptr[i] != ';' && s.ptr[i] != '=') i++;
    *out = (gale__param_t){.name = gale__trim(gale_str(s.ptr + start, i - start))};
    if (!gale__is_token(out->name)) return -1;
    if (i < s.len && s.ptr[i] == '=') {
        i++;
        if (!take_value(s, &i, out)) return -1;
    }
    cut(rest, i);
    return 1;
}

/* ------------------------------------------------------------------------------------- decoding */

typedef struct {
    char *out;
    size_t size, len;
    bool full;
    gale__utf8_t utf8; /* of all, also of what there is no room for */
} sink_t;

static void put(sink_t *sink, uint8_t byte) {
    gale__utf8_next(&sink->utf8, (const char *)&byte, 1);
    if (sink->len == sink->size) {
        sink->full = true;
    } else {
        sink->out[sink->len++] = (char)byte;
    }
}

/* RFC 9110 5.6.4. */
static void put_plain(sink_t *sink, gale_str_t raw, bool quoted, unsigned flags) {
    for (size_t i = 0; i < raw.len; i++) {
        if (quoted && raw.ptr[i] == '\\' && i + 1 < raw.len) {
            char next = raw.ptr[i + 1];
            if ((flags & GALE__PARAM_FORM) == 0 || next == '"' || next == '\\') i++;
        }
        put(sink, (uint8_t)raw.ptr[i]);
    }
}

typedef enum { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_ASCII, CHARSET_UNKNOWN } charset_t;

static charset_t charset_of(gale_str_t name) {
    if (name.len == 0 || gale__eq_nocase(name, GALE__LIT("UTF-8"))) return CHARSET_UTF8;
    if (gale__eq_nocase(name, GALE__LIT("ISO-8859-1"))) return CHARSET_LATIN1;
    return gale__eq_nocase(name, GALE__LIT("US-ASCII")) ? CHARSET_ASCII : CHARSET_UNKNOWN;
}

/* ext-value of RFC 8187 without its charset. Control characters are what percent-encoding is used
 * for to bring them past whoever looks at the field (HU-17). */
static bool put_extended(sink_t *sink, gale_str_t raw, charset_t charset) {
    for (size_t i = 0; i < raw.len; i++) {
        int byte = (uint8_t)raw.ptr[i];
        if (byte == '%') {
            if ((byte = gale__percent_byte(raw, i)) < 0) return false;
            i += 2;
        } else if (byte >= 0x80) {
            return false;
        }
        if (byte < 0x20 || byte == 0x7f || (charset == CHARSET_ASCII && byte >= 0x80)) return false;
        if (charset == CHARSET_LATIN1 && byte >= 0x80) {
            put(sink, (uint8_t)(0xc0 | byte >> 6));
            byte = 0x80 | (byte & 0x3f);
        }
        put(sink, (uint8_t)byte);
    }
    return true;
}

/* Splits charset'language'value. */
static bool split_extended(gale_str_t raw, charset_t *charset, gale_str_t *value) {
    const char *end = raw.ptr + raw.len;
    const char *first = raw.len == 0 ? NULL : memchr(raw.ptr, '\'', raw.len);
    const char *second = first == NULL ? NULL : memchr(first + 1, '\'', (size_t)(end - first - 1));
    if (second == NULL) return false;
    *charset = charset_of(gale_str(raw.ptr, (size_t)(first - raw.ptr)));
    *value = gale_str(second + 1, (size_t)(end - second - 1));
    return *charset != CHARSET_UNKNOWN;
}

/* -------------------------------------------------------------------------------------- getting */

typedef struct {
    gale__param_t param; /* name.ptr null: none came */
    bool extended;       /* its name ends with '*' */
} segment_t;

typedef struct {
    segment_t plain, extended, segments[MAX_SEGMENTS];
    uint32_t known; /* segments below this may be set; the table is not cleared */
    bool twice;
} found_t;

static void keep(found_t *f, segment_t *at, gale__param_t param, bool extended) {
    if (at->param.name.ptr != NULL) {
        f->twice = true;
    } else {
        *at = (segment_t){param, extended};
    }
}

/* What follows '*' in a name: digits without a leading zero, and perhaps another '*'. */
static void keep_segment(found_t *f, gale__param_t param, gale_str_t suffix) {
    bool extended = suffix.len > 0 && suffix.ptr[suffix.len - 1] == '*';
    gale_str_t digits = gale_str(suffix.ptr, suffix.len - extended);
    int64_t index;
    if (digits.len > 2 || !gale__parse_int64(digits, &index) || index >= MAX_SEGMENTS) return;
    if (digits.len > 1 && digits.ptr[0] == '0') return;
    while (f->known <= (uint32_t)index) f->segments[f->known++].param.name.ptr = NULL;
    keep(f, &f->segments[index], param, extended);
}

static int find(gale_str_t field, gale_str_t name, found_t *f) {
    gale_str_t main;
    gale__param_t param;
    int more;
    f->plain.param.name.ptr = f->extended.param.name.ptr = NULL;
    f->known = 0;
    f->twice = false;
    if (!gale__params_begin(&field, &main)) return GALE__PARAM_BAD;
    while ((more = gale__params_next(&field, &param)) > 0) {
        gale_str_t n = param.name;
        if (param.value.ptr == NULL || n.len < name.len) continue;
        if (!gale__eq_nocase(gale_str(n.ptr, name.len), name)) continue;
        if (n.len == name.len) {
            keep(f, &f->plain, param, false);
        } else if (n.ptr[name.len] == '*' && n.len == name.len + 1) {
            keep(f, &f->extended, param, true);
        } else if (n.ptr[name.len] == '*') {
            keep_segment(f, param, gale_str(n.ptr + name.len + 1, n.len - name.len - 1));
        }
    }
    return more < 0 ? GALE__PARAM_BAD : 0;
}

/* Segments 0, 1, 2 ... up to the first that is missing. The charset stands in the first. */
static bool put_segments(sink_t *sink, const found_t *f, unsigned flags) {
    charset_t charset = CHARSET_UTF8;
    for (uint32_t i = 0; i < f->known && f->segments[i].param.name.ptr != NULL; i++) {
        gale__param_t p = f->segments[i].param;
        if (!f->segments[i].extended) {
            put_plain(sink, p.value, p.quoted, flags);
            continue;
        }
        if (i == 0 && !split_extended(p.value, &charset, &p.value)) return false;
        if (!put_extended(sink, p.value, charset)) return false;
    }
    return true;
}

static bool put_one(sink_t *sink, const found_t *f) {
    charset_t charset;
    gale_str_t value;
    return split_extended(f->extended.param.value, &charset, &value) &&
           put_extended(sink, value, charset);
}

static void empty(sink_t *sink) {
    sink->len = 0;
    sink->full = false;
    sink->utf8 = (gale__utf8_t){0};
}

int gale__param_get(gale_str_t field, gale_str_t name, unsigned flags, char *out, size_t size) {
    found_t f;
    sink_t sink = {.out = out, .size = size < INT32_MAX ? size : INT32_MAX};
    bool strict = (flags & GALE__PARAM_FORM) != 0;
    if (find(field, name, &f) < 0 || (f.twice && strict)) return GALE__PARAM_BAD;
    bool extended = f.extended.param.name.ptr != NULL;
    bool segments = f.known > 0 && f.segments[0].param.name.ptr != NULL;
    bool done = extended && put_one(&sink, &f) && gale__utf8_complete(&sink.utf8);
    if (!done && segments && !(extended && strict)) {
        empty(&sink);
        done = put_segments(&sink, &f, flags) && gale__utf8_complete(&sink.utf8);
    }
    if (!done) {
        if (strict && (extended || segments)) return GALE__PARAM_BAD;
        if (f.plain.param.name.ptr == NULL) return GALE__PARAM_NONE;
        empty(&sink);
        put_plain(&sink, f.plain.param.value, f.plain.param.quoted, flags);
    }
    return sink.full ? GALE__PARAM_FULL : (int)sink.len;
}
