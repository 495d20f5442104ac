#include "client.h"

#include <string.h>

#include "proxied.h"
#include "server.h"
#include "str.h"

/* What proxies say, read when it is first asked for. */
static const gale__forwarded_t *forwarded(const gale_req_t *r) {
    static const gale__forwarded_t nothing;
    const gale__forwarded_rules_t *rules = &r->worker->server->forwarded;
    if (rules->count == 0) return &nothing;
    if (r->forwarded_known) return &r->forwarded;
    gale_req_t *known =
        (gale_req_t *)r; /* to everyone else a request that is read stays as it is */
    if (gale__conn_is_trusted(r->conn)) {
        gale__forwarded_read(&known->forwarded, rules, r->headers, r->head.header_count);
    } else {
        known->forwarded = nothing;
    }
    known->forwarded_known = true;
    return &r->forwarded;
}

int gale__client_address(const gale_req_t *r, gale__ip_t *ip) {
    const gale__forwarded_t *f = forwarded(r);
    if (f->ip.family == GALE__IP_NONE) return gale__conn_source(r->conn, ip);
    *ip = f->ip;
    return f->port;
}

uint8_t gale__client_scheme(const gale_req_t *r, bool *sure) {
    uint8_t said = forwarded(r)->scheme;
    *sure = said != GALE__SCHEME_UNKNOWN || r->conn->secure;
    if (said != GALE__SCHEME_UNKNOWN) return said;
    return r->conn->secure ? GALE__SCHEME_HTTPS : GALE__SCHEME_HTTP;
}

/* A trusted proxy that says nothing of the scheme has passed the URL on, and answers for it. */
bool gale__client_is_misdirected(const gale_req_t *r) {
    gale_str_t t = r->head.target;
    bool sure;
    if (t.len < 8 || !gale__eq_nocase(gale_str(t.ptr, 8), GALE__LIT("https://"))) return false;
    if (gale__client_scheme(r, &sure) == GALE__SCHEME_HTTPS) return false;
    return sure || !gale__conn_is_trusted(r->conn);
}

gale_str_t gale__client_host(const gale_req_t *r) {
    const gale__forwarded_t *f = forwarded(r);
    return f->host.len > 0 ? f->host : r->head.host;
}
