/*
 * See urlencoded.h. A pair is gathered as it stands and decoded in place when its end is there:
 * decoding never makes it longer, and an escape that two pieces share needs no state of its own.
 */
#include "urlencoded.h"

#include "str.h"

bool gale__pairs_next(gale_str_t *rest, gale_str_t *name, gale_str_t *value) {
    while (rest->len > 0) {
        const char *start = rest->ptr, *amp = memchr(start, '&', rest->len);
        size_t n = amp == NULL ? rest->len : (size_t)(amp - start);
        size_t taken = amp == NULL ? n : n + 1;
        *rest = gale_str(start + taken, rest->len - taken);
        if (n == 0) continue;
        const char *equals = memchr(start, '=', n);
        *name = gale_str(start, equals == NULL ? n : (size_t)(equals - start));
        *value = gale_str(start + n, 0);
        if (equals != NULL) *value = gale_str(equals + 1, (size_t)(start + n - equals - 1));
        return true;
    }
    return false;
}

bool gale__pairs_within(gale_str_t text, uint32_t max) {
    gale_str_t name, value;
    for (uint32_t count = 0; gale__pairs_next(&text, &name, &value); count++) {
        if (count == max) return false;
    }
    return true;
}

/* Takes one character, decoded, from s at *i. */
static char take(gale_str_t s, size_t *i) {
    char c = s.ptr[*i];
    int byte = c == '%' ? gale__percent_byte(s, *i) : -1;
    *i += byte >= 0 ? 3 : 1;
    return byte >= 0 ? (char)byte : c == '+' ? ' ' : c;
}

size_t gale__form_decode(gale_str_t raw, char *out, size_t size) {
    size_t len = 0;
    for (size_t i = 0; i < raw.len; len++) {
        char c = take(raw, &i);
        if (len < size) out[len] = c;
    }
    return len;
}

bool gale__form_equals(gale_str_t raw, gale_str_t text) {
    size_t len = 0;
    for (size_t i = 0; i < raw.len; len++) {
        if (len == text.len || take(raw, &i) != text.ptr[len]) return false;
    }
    return len == text.len;
}

void gale__urlencoded_init(gale__urlencoded_t *u, char *room, size_t size, uint32_t max_fields) {
    *u = (gale__urlencoded_t){.room = room, .size = size, .max_fields = max_fields};
}

/* The pair that the room holds. */
static int give(gale__urlencoded_t *u, gale_str_t *name, gale_str_t *value) {
    gale_str_t all = gale_str(u->room, u->len);
    gale__pairs_next(&all, name, value);
    name->len = gale__form_decode(*name, u->room, name->len);
    char *start = u->room + (value->ptr - u->room);
    value->len = gale__form_decode(*value, start, value->len);
    u->given = true;
    return GALE__URLENCODED_PAIR;
}

int gale__urlencoded_next(gale__urlencoded_t *u, gale_str_t bytes, size_t *pos, bool last,
                          gale_str_t *name, gale_str_t *value) {
    if (u->given) u->len = 0;
    u->given = false;
    while (*pos < bytes.len) {
        const char *start = bytes.ptr + *pos, *amp = memchr(start, '&', bytes.len - *pos);
        size_t n = amp == NULL ? bytes.len - *pos : (size_t)(amp - start);
        if (u->len == 0 && n > 0 && u->fields == u->max_fields) return GALE__URLENCODED_LIMIT;
        if (n > u->size - u->len) return GALE__URLENCODED_FULL;
        if (u->len == 0 && n > 0) u->fields++;
        if (n > 0) memcpy(u->room + u->len, start, n);
        u->len += n;
        *pos += amp == NULL ? n : n + 1;
        if (amp != NULL && u->len > 0) return give(u, name, value);
    }
    return last && u->len > 0 ? give(u, name, value) : GALE__URLENCODED_MORE;
}
