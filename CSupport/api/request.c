/* gale_req_*: what a request says. */
#include <string.h>

#include "../io/client.h"
#include "../io/connection.h"
#include "../io/form.h"
#include "../io/http1.h"
#include "given.h"
#include "origin.h"
#include "str.h"

gale_worker_t *gale_req_worker(const gale_req_t *r) {
    return r->worker;
}
gale_str_t gale_req_method(const gale_req_t *r) {
    return r->head.method;
}
gale_str_t gale_req_target(const gale_req_t *r) {
    return r->head.target;
}

/* The path begins the target, but for the absolute form, where it begins behind the authority (RFC
 * 9112 3.2.2). */
static gale_str_t path_and_query(const gale_req_t *r) {
    gale_str_t t = r->head.target;
    if (t.len == 0 || t.ptr[0] == '/' || gale__eq(r->head.method, GALE__LIT("CONNECT"))) return t;
    const char *colon = memchr(t.ptr, ':', t.len);
    size_t scheme = colon == NULL ? 0 : (size_t)(colon - t.ptr) + 3;
    if (scheme == 0 || scheme > t.len) return t;
    for (size_t i = scheme; i < t.len; i++) {
        if (t.ptr[i] == '/' || t.ptr[i] == '?') return gale_str(t.ptr + i, t.len - i);
    }
    /* RFC 9112 3.2.4 */
    return gale__eq(r->head.method, GALE__LIT("OPTIONS")) ? GALE__LIT("*") : GALE__LIT("/");
}

gale_str_t gale_req_path(const gale_req_t *r) {
    gale_str_t t = path_and_query(r);
    const char *mark = t.len == 0 ? NULL : memchr(t.ptr, '?', t.len);
    if (mark == t.ptr && mark != NULL) return GALE__LIT("/");
    return mark == NULL ? t : gale_str(t.ptr, (size_t)(mark - t.ptr));
}

gale_str_t gale_req_query(const gale_req_t *r) {
    gale_str_t t = path_and_query(r);
    const char *mark = t.len == 0 ? NULL : memchr(t.ptr, '?', t.len);
    if (mark == NULL) return gale_str(t.ptr == NULL ? NULL : t.ptr + t.len, 0);
    return gale_str(mark + 1, (size_t)(t.ptr + t.len - mark - 1));
}

int gale_req_http_minor(const gale_req_t *r) {
    return r->head.minor;
}

gale_str_t gale_req_host(const gale_req_t *r) {
    return gale__client_host(r);
}

gale_str_t gale_req_header(const gale_req_t *r, gale_str_t name) {
    if (name.ptr == NULL) return gale_str(NULL, 0);
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (gale__eq_nocase(r->headers[i].name, name)) return r->headers[i].value;
    }
    return gale_str(NULL, 0);
}

size_t gale_req_headers(const gale_req_t *r, const gale_header_t **out) {
    if (out != NULL) *out = r->headers;
    return r->head.header_count;
}

size_t gale_req_trailers(const gale_req_t *r, const gale_header_t **out) {
    if (out != NULL) *out = r->trailers == NULL ? r->headers : r->trailers->fields;
    return r->trailers == NULL ? 0 : r->trailers->count;
}

gale_str_t gale_req_body(const gale_req_t *r) {
    return r->collected ? r->body : gale_str(NULL, 0);
}

bool gale_req_has_body(const gale_req_t *r) {
    return r->head.chunked || r->head.content_length > 0;
}

bool gale_req_expects_continue(const gale_req_t *r) {
    return r->continue_due && r->resp_state == GALE__RESP_NONE && !r->done;
}

int64_t gale_req_content_length(const gale_req_t *r) {
    return r->head.chunked || r->decoded ? -1 : r->head.content_length;
}

/* Also of what is too small for the whole, something NUL-terminated. */
static int put_address(int port, const gale__ip_t *ip, char *out, size_t size) {
    char text[GALE__IP_TEXT];
    if (size == 0) return UV_EINVAL;
    out[0] = '\0';
    if (port < 0) return port;
    size_t len = gale__ip_format(ip, text);
    if (len >= size) return UV_ENOSPC;
    memcpy(out, text, len + 1);
    return port;
}

int gale_req_remote(const gale_req_t *r, char *out, size_t size) {
    gale__ip_t ip;
    int port = gale__client_address(r, &ip);
    return put_address(port, &ip, out, size);
}

int gale_req_peer(const gale_req_t *r, char *out, size_t size) {
    gale__ip_t ip;
    int port = r->conn->transport->peer(r->conn, &ip);
    return put_address(port, &ip, out, size);
}

gale_str_t gale_req_scheme(const gale_req_t *r) {
    bool sure;
    return gale__client_scheme(r, &sure) == GALE__SCHEME_HTTPS ? GALE__LIT("https")
                                                               : GALE__LIT("http");
}

void gale_req_set_data(gale_req_t *r, void *data) {
    r->data = data;
}
void *gale_req_data(const gale_req_t *r) {
    return r->data;
}

gale_ref_t gale_req_ref(gale_req_t *r) {
    gale__ref_table_t *refs = &r->worker->refs;
    if (r->done || !gale__on_loop(r->worker)) return (gale_ref_t){0};
    return r->ref_slot != 0 ? gale__ref_again(refs, r->ref_slot)
                            : gale__ref_take(refs, r, GALE__REF_REQ, &r->ref_slot);
}

void gale_req_pause(gale_req_t *r) {
    if (r->done || !gale__on_loop(r->worker)) return;
    if (r->form != NULL) gale__form_pause(r->form, true);
    if (r->form != NULL || r->body_mode != GALE__BODY_STREAM) return;
    r->conn->paused = true;
    gale__conn_touch(r->conn); /* settling stops the clock of the body */
}

void gale_req_resume(gale_req_t *r) {
    if (r->done || !gale__on_loop(r->worker)) return;
    if (r->form != NULL) {
        gale__form_pause(r->form, false);
    } else if (r->conn->paused) {
        gale__http1_resume(r);
    }
}

int gale_req_collect(gale_req_t *r, uint64_t max_bytes) {
    return gale__on_loop(r->worker) ? gale__http1_collect(r, max_bytes) : GALE_ETHREAD;
}

int gale_req_set_max_body(gale_req_t *r, uint64_t max_bytes) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (!r->in_request || r->body_mode != GALE__BODY_STREAM) return GALE_ESTATE;
    r->max_body = max_bytes;
    return 0;
}

/*
 * ---------------------------------------------------------------------------------------- Origin
 */

/* Browsers send one of them, and scripts cannot set either. Empty: two came, which no origin is. */
static gale_str_t origin_of(const gale_req_t *r) {
    gale_str_t found = {NULL, 0};
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        gale_str_t name = r->headers[i].name;
        if (!gale__eq_nocase(name, GALE__LIT("Origin"))) continue;
        found = found.ptr == NULL ? r->headers[i].value : gale_str("", 0);
    }
    if (found.ptr != NULL) return found;
    return gale_req_header(r, GALE__LIT("Sec-WebSocket-Origin")); /* of drafts of RFC 6455 */
}

/* "https://host:443" and "host" name the same place as what Host says over that scheme. */
bool gale_req_same_origin(const gale_req_t *r) {
    gale_str_t origin = origin_of(r);
    if (origin.ptr == NULL) return true;
    static const struct {
        gale_str_t prefix, port;
        uint8_t scheme;
    } known[] = {{{"http://", 7}, {":80", 3}, GALE__SCHEME_HTTP},
                 {{"https://", 8}, {":443", 4}, GALE__SCHEME_HTTPS}};
    for (size_t i = 0; i < 2; i++) {
        gale_str_t prefix = known[i].prefix, port = known[i].port;
        if (origin.len <= prefix.len ||
            !gale__eq_nocase(gale_str(origin.ptr, prefix.len), prefix)) {
            continue;
        }
        bool sure;
        if (gale__client_scheme(r, &sure) != known[i].scheme && sure) return false;
        gale_str_t place = gale_str(origin.ptr + prefix.len, origin.len - prefix.len);
        return gale__eq_nocase(gale__without_port(place, port),
                               gale__without_port(gale__client_host(r), port));
    }
    return false;
}

bool gale_req_allowed_origin(const gale_req_t *r, const gale_str_t *allowed, size_t count) {
    if (gale_req_same_origin(r)) return true;
    gale_str_t origin = origin_of(r);
    if (gale__strs_lack(allowed, count)) return false;
    for (size_t i = 0; i < count; i++) {
        if (gale__origin_matches(origin, allowed[i])) return true;
    }
    return false;
}

bool gale_req_wants_websocket(const gale_req_t *r) {
    return gale__list_has(gale_req_header(r, GALE__LIT("Upgrade")), GALE__LIT("websocket"));
}
