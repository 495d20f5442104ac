/* gale_query_*, gale_header_main, _param, gale_cookie_next, gale_req_cookie, gale_safe_filename. */
#include <string.h>
#include <uv.h>

#include "../io/exchange.h"
#include "cookie.h"
#include "file_name.h"
#include "given.h"
#include "header_params.h"
#include "mem.h"
#include "str.h"
#include "urlencoded.h"

/* ------------------------------------------------------------------------------------ arguments */

int gale_query_get(gale_str_t query, gale_str_t name, char *out, size_t size) {
    gale_str_t n, v, found = gale_str(NULL, 0);
    if (gale__str_lacks(query) || gale__str_lacks(name) || gale__lacks(out, size)) return UV_EINVAL;
    uint32_t count = 0;
    while (gale__pairs_next(&query, &n, &v)) {
        if (++count > GALE__MAX_FIELDS) return GALE_ELIMIT;
        if (gale__form_equals(n, name)) found = v;
    }
    if (found.ptr == NULL) return UV_ENOENT;
    size_t len = gale__form_decode(found, out, size);
    if (len >= size || len > INT32_MAX) return UV_ENOBUFS;
    out[len] = '\0';
    return (int)len;
}

/* What lies behind *pos; moves it to where `rest` begins afterwards. */
static gale_str_t behind(gale_str_t text, size_t pos) {
    return pos < text.len ? gale_str(text.ptr + pos, text.len - pos) : gale_str(text.ptr, 0);
}

int gale_query_next(gale_str_t query, size_t *pos, char *out, size_t size, gale_str_t *name,
                    gale_str_t *value) {
    if (gale__str_lacks(query) || gale__lacks(out, size)) return UV_EINVAL;
    gale_str_t rest = behind(query, *pos), n, v;
    if (*pos == 0 && !gale__pairs_within(query, GALE__MAX_FIELDS)) return GALE_ELIMIT;
    if (!gale__pairs_next(&rest, &n, &v)) return 0;
    size_t name_len = gale__form_decode(n, out, size);
    if (name_len > size) return UV_ENOBUFS;
    size_t value_len = gale__form_decode(v, out + name_len, size - name_len);
    if (value_len > size - name_len) return UV_ENOBUFS;
    *name = gale_str(out, name_len);
    *value = gale_str(out + name_len, value_len);
    *pos = query.len - rest.len;
    return 1;
}

/* ------------------------------------------------------------------------------- header fields */

gale_str_t gale_header_main(gale_str_t field) {
    gale_str_t main;
    return field.ptr != NULL && gale__params_begin(&field, &main) ? main : gale_str(NULL, 0);
}

int gale_header_param(gale_str_t field, gale_str_t name, char *out, size_t size) {
    if (size == 0) return UV_ENOBUFS;
    if (gale__str_lacks(field) || gale__str_lacks(name) || out == NULL) return UV_EINVAL;
    int len = gale__param_get(field, name, 0, out, size - 1);
    if (len >= 0) out[len] = '\0';
    return len == GALE__PARAM_NONE   ? UV_ENOENT
           : len == GALE__PARAM_FULL ? UV_ENOBUFS
           : len < 0                 ? GALE_EHEADER
                                     : len;
}

/* -------------------------------------------------------------------------------------- cookies */

int gale_cookie_next(gale_str_t field, size_t *pos, char *out, size_t size, gale_str_t *name,
                     gale_str_t *value) {
    if (gale__str_lacks(field) || gale__lacks(out, size)) return UV_EINVAL;
    gale_str_t rest = behind(field, *pos), n, v;
    if (!gale__cookie_next(&rest, &n, &v)) return 0;
    if (n.len > size || v.len > size - n.len) return UV_ENOBUFS;
    if (n.len > 0) memcpy(out, n.ptr, n.len);
    *name = gale_str(out, n.len);
    *value = gale_str(out + n.len, gale__cookie_unquote(v, out + n.len));
    *pos = field.len - rest.len;
    return 1;
}

/* Unescapes a value into the request's memory. Each has its place there, so that what was given
 * before stays. `offset`: of the value in all Cookie fields together, which are `total` bytes. */
static gale_str_t unescape(gale_req_t *r, gale_str_t value, size_t offset, size_t total) {
    if (r->cookie_mem == NULL && (r->cookie_mem = gale__malloc(total)) == NULL) {
        return gale_str(NULL, 0);
    }
    char *at = r->cookie_mem + offset;
    return gale_str(at, gale__cookie_unquote(value, at));
}

gale_str_t gale_req_cookie(gale_req_t *r, gale_str_t name) {
    gale_str_t found = gale_str(NULL, 0), n, v;
    size_t total = 0, offset = 0;
    if (gale__str_lacks(name)) return found;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        gale_str_t field = r->headers[i].value, rest = field;
        if (!gale__eq_nocase(r->headers[i].name, GALE__LIT("Cookie"))) continue;
        while (gale__cookie_next(&rest, &n, &v)) {
            if (!gale__eq(n, name)) continue;
            found = v;
            offset = total + (size_t)(v.ptr - field.ptr);
        }
        total += field.len;
    }
    if (found.ptr == NULL || !gale__cookie_escaped(&found)) return found;
    return unescape(r, found, offset, total);
}

/* ----------------------------------------------------------------------------------- file names */

int gale_safe_filename(gale_str_t name, char *out, size_t size) {
    char safe[GALE__FILE_NAME_MAX];
    if (gale__str_lacks(name) || gale__lacks(out, size)) return UV_EINVAL;
    size_t len = gale__safe_file_name(name, safe);
    if (len >= size) return UV_ENOBUFS;
    memcpy(out, safe, len);
    out[len] = '\0';
    return (int)len;
}
