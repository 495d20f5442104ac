/* See cookie.h. Nothing here can fail: a cookie that makes no sense is the sender's text as it
 * stands (HU-31), and each byte is looked at a bounded number of times (CVE-2024-52804). */
#include "cookie.h"

#include "str.h"

bool gale__cookie_next(gale_str_t *rest, gale_str_t *name, gale_str_t *value) {
    while (rest->len > 0) {
        const char *start = rest->ptr, *end = memchr(start, ';', rest->len);
        size_t n = end == NULL ? rest->len : (size_t)(end - start);
        size_t taken = end == NULL ? n : n + 1;
        *rest = gale_str(start + taken, rest->len - taken);
        const char *equals = n == 0 ? NULL : memchr(start, '=', n);
        size_t name_len = equals == NULL ? 0 : (size_t)(equals - start);
        size_t value_at = equals == NULL ? 0 : name_len + 1;
        *name = gale__trim(gale_str(start, name_len));
        *value = gale__trim(gale_str(start + value_at, n - value_at));
        if (name->len > 0 || value->len > 0) return true;
    }
    return false;
}

static bool is_quoted(gale_str_t value) {
    return value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"';
}

bool gale__cookie_escaped(gale_str_t *value) {
    if (!is_quoted(*value)) return false;
    if (memchr(value->ptr, '\\', value->len) != NULL) return true;
    *value = gale_str(value->ptr + 1, value->len - 2);
    return false;
}

/* Three octal digits of a byte; -1 when they are none. */
static int octal(const char *p, size_t len) {
    if (len < 3 || p[0] < '0' || p[0] > '3') return -1;
    if (p[1] < '0' || p[1] > '7' || p[2] < '0' || p[2] > '7') return -1;
    return (p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0');
}

size_t gale__cookie_unquote(gale_str_t value, char *out) {
    if (!is_quoted(value)) {
        if (value.len > 0) memcpy(out, value.ptr, value.len);
        return value.len;
    }
    const char *p = value.ptr + 1;
    size_t n = value.len - 2, len = 0;
    for (size_t i = 0; i < n;) {
        if (p[i] != '\\' || i + 1 == n) {
            out[len++] = p[i++];
            continue;
        }
        int byte = octal(p + i + 1, n - i - 1);
        out[len++] = byte >= 0 ? (char)byte : p[i + 1];
        i += byte >= 0 ? 4 : 2;
    }
    return len;
}
