/*
 * Byte strings: see str.h. The table below is what RFC 9110 5.6.2 (tchar), RFC 9110 5.5 (field
 * values) and RFC 9112 3.2 (request targets) allow. Targets hold every visible ASCII character but
 * '"', '<', '>' and '#': RFC 3986 also bans
 * "[\]^`{|}" outside brackets, but browsers send those unescaped (URL Standard, query
 * percent-encode set), so that refusing them would turn people away. A fragment is never sent by an
 * honest client, and non-ASCII isn't either.
 */
#include "str.h"

/* clang-format off */
const uint8_t gale__char_class[256] = {
    /* GALE__TOKEN 1 | GALE__FIELD 2 | GALE__TARGET 4 | GALE__DIGIT 8 | GALE__HEX 16 | GALE__HOST 32 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0, /* 00 */
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, /* 10 */
     2, 39,  2,  3, 39,  7, 39, 39, 38, 38, 39, 39,  6, 39, 39,  6, /* 20 */
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63,  6, 38,  2, 38,  2,  6, /* 30 */
     6, 55, 55, 55, 55, 55, 55, 39, 39, 39, 39, 39, 39, 39, 39, 39, /* 40 */
    39, 39, 39, 39, 39, 39, 39, 39, 39, 39, 39,  6,  6,  6,  7, 39, /* 50 */
     7, 55, 55, 55, 55, 55, 55, 39, 39, 39, 39, 39, 39, 39, 39, 39, /* 60 */
    39, 39, 39, 39, 39, 39, 39, 39, 39, 39, 39,  6,  7,  6, 39,  0, /* 70 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 80 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* 90 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* a0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* b0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* c0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* d0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* e0 */
     2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2, /* f0 */
};
/* clang-format on */

static uint8_t lower(char c) {
    uint8_t u = (uint8_t)c;
    return (uint8_t)(u - 'A') < 26 ? (uint8_t)(u | 0x20) : u;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool gale__eq(gale_str_t a, gale_str_t b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool gale__eq_nocase(gale_str_t a, gale_str_t b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    }
    return true;
}

gale_str_t gale__trim(gale_str_t s) {
    while (s.len > 0 && is_blank(s.ptr[0])) s.ptr++, s.len--;
    while (s.len > 0 && is_blank(s.ptr[s.len - 1])) s.len--;
    return s;
}

bool gale__list_next(gale_str_t *list, gale_str_t *element) {
    if (list->ptr == NULL) return false;
    const char *comma = list->len == 0 ? NULL : memchr(list->ptr, ',', list->len);
    size_t len = comma == NULL ? list->len : (size_t)(comma - list->ptr);
    *element = gale__trim(gale_str(list->ptr, len));
    *list = comma == NULL ? gale_str(NULL, 0) : gale_str(comma + 1, list->len - len - 1);
    return true;
}

bool gale__list_has(gale_str_t list, gale_str_t token) {
    gale_str_t element;
    /* Empty elements are legal and mean nothing (RFC 9110 5.6.1.2), so an empty token is never
     * found. */
    while (gale__list_next(&list, &element)) {
        if (element.len > 0 && gale__eq_nocase(element, token)) return true;
    }
    return false;
}

static bool all_are(gale_str_t s, uint8_t class_bits) {
    for (size_t i = 0; i < s.len; i++) {
        if (!gale__is((uint8_t)s.ptr[i], class_bits)) return false;
    }
    return true;
}

bool gale__is_token(gale_str_t s) {
    return s.len > 0 && all_are(s, GALE__TOKEN);
}

bool gale__is_field_value(gale_str_t s) {
    return all_are(s, GALE__FIELD);
}

bool gale__parse_int64(gale_str_t s, int64_t *out) {
    uint64_t value = 0;
    if (s.len == 0) return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (uint8_t)s.ptr[i] - (unsigned)'0';
        if (digit > 9 || value > ((uint64_t)INT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    *out = (int64_t)value;
    return true;
}

int gale__hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int gale__percent_byte(gale_str_t s, size_t i) {
    if (s.len - i < 3 || s.ptr[i] != '%') return -1;
    int high = gale__hex_value(s.ptr[i + 1]), low = gale__hex_value(s.ptr[i + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

size_t gale__format_uint64(char *out, uint64_t value) {
    char reversed[20];
    size_t len = 0;
    do {
        reversed[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < len; i++) out[i] = reversed[len - 1 - i];
    return len;
}
