#include "proxied.h"

#include "accept_point.h"
#include "mem.h"
#include "proxy_protocol.h"
#include "server.h"

static bool have(const gale__forwarded_rules_t *rules, const gale__ip_t *ip) {
    return gale__networks_have(rules->networks, rules->count, ip);
}

/* Without a list the listener is where only proxies come to; with one, only they may speak. */
static bool may_speak(const gale__conn_t *c) {
    const gale__forwarded_rules_t *rules = &c->worker->server->forwarded;
    gale__ip_t peer;
    if (rules->count == 0) return true;
    return c->transport->peer(c, &peer) >= 0 && have(rules, &peer);
}

static int keep_source(gale__conn_t *c, const gale__proxy_header_t *h) {
    if (!h->proxied) return 0;
    c->proxied = gale__malloc(sizeof *c->proxied);
    if (c->proxied == NULL) return UV_ENOMEM;
    c->proxied->source = h->source;
    c->proxied->port = h->port;
    return gale__accept_source(c, &h->source) ? 0 : GALE_ELIMIT;
}

size_t gale__proxied_feed(gale__conn_t *c, const char *bytes, size_t len) {
    gale__proxy_header_t header;
    int size = gale__proxy_header_parse(&header, bytes, len);
    if (size == 0) return 0;
    int err = size < 0 || !may_speak(c) ? GALE_EPROTO : keep_source(c, &header);
    if (err < 0) {
        gale__conn_cut(c, err);
        return len;
    }
    if (header.secure) c->secure = true;
    c->phase = GALE__PHASE_HEAD;
    c->fresh = (size_t)size == len; /* of the client itself no byte has come yet */
    return (size_t)size;
}

int gale__conn_source(const gale__conn_t *c, gale__ip_t *ip) {
    if (c->proxied == NULL) return c->transport->peer(c, ip);
    *ip = c->proxied->source;
    return c->proxied->port;
}

bool gale__conn_is_trusted(const gale__conn_t *c) {
    const gale__forwarded_rules_t *rules = &c->worker->server->forwarded;
    gale__ip_t ip;
    if (rules->count == 0 || gale__conn_source(c, &ip) < 0) return false;
    /* A unix socket elsewhere is not one of this machine. */
    if (c->proxied != NULL && ip.family == GALE__IP_NONE) return false;
    return have(rules, &ip);
}
