#include "form.h"

#include <errno.h>
#include <string.h>

#include "text.h"

enum { DEPTH = 500 }; /* of JSON, as Foundation has it about */

/* Ends a decoded value; it must be text. */
static field_t finish(char *out, size_t len) {
    const char *at = out, *end = out + len;
    while (at < end) {
        if (utf8_next(&at, end) <= 0) {
            out[0] = '\0';
            return FIELD_BAD;
        }
    }
    out[len] = '\0';
    return FIELD_OK;
}

static field_t bad(char *out) {
    out[0] = '\0';
    return FIELD_BAD;
}

field_t form_field(gale_str_t form, const char *name, char *out, size_t size) {
    int len = gale_query_get(form, gale_cstr(name), out, size);
    if (len >= 0) return finish(out, (size_t)len);
    bad(out);
    return len == -ENOENT ? FIELD_MISSING : FIELD_BAD; /* libuv's codes are errno's, negated */
}

/* ----------------------------------------------------------------------------------------- JSON */

typedef struct {
    const char *at, *end;
} reader_t;

static void skip_space(reader_t *r) {
    while (r->at < r->end && memchr(" \t\r\n", *r->at, 4) != NULL) r->at++;
}

/* Takes the next character that is no white space if it is `want`. */
static bool take(reader_t *r, char want) {
    skip_space(r);
    if (r->at == r->end || *r->at != want) return false;
    r->at++;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static int32_t four_digits(reader_t *r) {
    int32_t value = 0;
    if (r->end - r->at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*r->at++);
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Behind a backslash: the character it stands for, or -1. */
static int32_t escaped(reader_t *r) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end) return -1;
    char c = *r->at++;
    const char *simple = memchr(from, c, sizeof from - 1);
    if (simple != NULL) return to[simple - from];
    int32_t unit = c == 'u' ? four_digits(r) : -1;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    /* Half of a pair; a half without the other is no character. */
    if (unit > 0xdbff || r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u') return -1;
    r->at += 2;
    int32_t low = four_digits(r);
    return low < 0xdc00 || low > 0xdfff ? -1 : 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* A string, into `out`; null: passes over it. */
static bool string(reader_t *r, char *out, size_t size) {
    size_t len = 0;
    if (!take(r, '"')) return false;
    while (r->at < r->end && *r->at != '"') {
        char bytes[4];
        size_t count = 1;
        bytes[0] = *r->at++;
        if ((unsigned char)bytes[0] < 0x20) return false;
        if (bytes[0] == '\\') {
            int32_t c = escaped(r);
            if (c < 0) return false;
            count = utf8_put(bytes, c);
        }
        if (out == NULL) continue;
        if (len + count >= size) return false;
        memcpy(out + len, bytes, count);
        len += count;
    }
    return take(r, '"') && (out == NULL || finish(out, len) == FIELD_OK);
}

static bool skip_text(reader_t *r, const char *text) {
    size_t len = strlen(text);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0) return false;
    r->at += len;
    return true;
}

static bool skip_digits(reader_t *r) {
    const char *begin = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > begin;
}

static bool skip_number(reader_t *r) {
    skip_text(r, "-");
    if (!skip_text(r, "0") && !skip_digits(r)) return false;
    if (skip_text(r, ".") && !skip_digits(r)) return false;
    if (!skip_text(r, "e") && !skip_text(r, "E")) return true;
    if (!skip_text(r, "+")) skip_text(r, "-");
    return skip_digits(r);
}

static bool skip_value(reader_t *r, int depth);

/* Behind the bracket that opens an object or array. */
static bool skip_inside(reader_t *r, char end, int depth) {
    if (depth == 0) return false;
    if (take(r, end)) return true;
    do {
        if (end == '}' && (!string(r, NULL, 0) || !take(r, ':'))) return false;
        if (!skip_value(r, depth - 1)) return false;
    } while (take(r, ','));
    return take(r, end);
}

/* Passes over a value of any kind, in which at most `depth` brackets are open at once. */
static bool skip_value(reader_t *r, int depth) {
    if (take(r, '{')) return skip_inside(r, '}', depth);
    if (take(r, '[')) return skip_inside(r, ']', depth);
    if (r->at < r->end && *r->at == '"') return string(r, NULL, 0);
    return skip_text(r, "true") || skip_text(r, "false") || skip_text(r, "null") || skip_number(r);
}

field_t json_member(gale_str_t json, const char *name, char *out, size_t size) {
    reader_t r = {json.ptr, json.ptr + json.len};
    field_t found = FIELD_MISSING;
    bool more = take(&r, '{');
    out[0] = '\0';
    if (!more) return FIELD_BAD;
    if (!take(&r, '}')) {
        do {
            char key[16];
            const char *before = r.at;
            /* A key that is too long for `key` is none that is asked for. */
            if (!string(&r, key, sizeof key)) {
                key[0] = '\0';
                r.at = before;
                if (!string(&r, NULL, 0)) return bad(out);
            }
            bool wanted = found == FIELD_MISSING && strcmp(key, name) == 0;
            if (!take(&r, ':')) return bad(out);
            if (!(wanted ? string(&r, out, size) : skip_value(&r, DEPTH))) return bad(out);
            if (wanted) found = FIELD_OK;
        } while (take(&r, ','));
        if (!take(&r, '}')) return bad(out);
    }
    skip_space(&r);
    return r.at == r.end ? found : bad(out);
}
