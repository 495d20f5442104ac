#include "forwarded.h"

#include <string.h>

#include "host.h"
#include "str.h"

/* --------------------------------------------------------------------------- addresses, schemes */

/* Digits up to 65535, or the obfuscated "_name" of RFC 7239 6.3, which is as good as none. */
static bool parse_port(gale_str_t s, uint16_t *port) {
    int64_t value;
    if (s.len > 1 && s.ptr[0] == '_') {
        *port = 0;
        return gale__is_token(s);
    }
    if (s.len > 5 || !gale__parse_int64(s, &value) || value > 65535) return false;
    *port = (uint16_t)value;
    return true;
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. */
static bool parse_node(gale_str_t s, gale__ip_t *ip, uint16_t *port) {
    gale_str_t address = s, rest = gale_str(NULL, 0);
    *port = 0;
    if (s.len == 0) return false;
    const char *colon = memchr(s.ptr, ':', s.len);
    if (s.ptr[0] == '[') {
        const char *close = memchr(s.ptr, ']', s.len);
        if (close == NULL || colon == NULL || colon > close) return false;
        address = gale_str(s.ptr + 1, (size_t)(close - s.ptr) - 1);
        rest = gale_str(close + 1, s.len - address.len - 2);
    } else if (colon != NULL &&
               memchr(colon + 1, ':', s.len - (size_t)(colon + 1 - s.ptr)) == NULL) {
        address.len = (size_t)(colon - s.ptr);
        rest = gale_str(colon, s.len - address.len);
    }
    if (!gale__ip_parse(address, ip)) return false;
    if (rest.len == 0) return true;
    return rest.ptr[0] == ':' && parse_port(gale_str(rest.ptr + 1, rest.len - 1), port);
}

/* Some proxies name the scheme of a WebSocket. */
static uint8_t parse_scheme(gale_str_t s) {
    if (gale__eq_nocase(s, GALE__LIT("https")) || gale__eq_nocase(s, GALE__LIT("wss"))) {
        return GALE__SCHEME_HTTPS;
    }
    if (gale__eq_nocase(s, GALE__LIT("http")) || gale__eq_nocase(s, GALE__LIT("ws"))) {
        return GALE__SCHEME_HTTP;
    }
    return GALE__SCHEME_UNKNOWN;
}

static gale_str_t valid_host(gale_str_t s) {
    return gale__is_authority(s, false) ? s : gale_str(NULL, 0);
}

static bool is_trusted(const gale__forwarded_rules_t *rules, const gale__ip_t *ip) {
    return gale__networks_have(rules->networks, rules->count, ip);
}

/* ---------------------------------------------------------------------------------- X-Forwarded */

/* Takes the last entry off a comma-separated list; false when there was none left. Empty ones are
 * none (RFC 9110 5.6.1.2). */
static bool last_entry(gale_str_t *list, gale_str_t *entry) {
    while (list->ptr != NULL) {
        size_t at = list->len;
        while (at > 0 && list->ptr[at - 1] != ',') at--;
        *entry = gale__trim(gale_str(list->ptr + at, list->len - at));
        *list = at == 0 ? gale_str(NULL, 0) : gale_str(list->ptr, at - 1);
        if (entry->len > 0) return true;
    }
    return false;
}

/* The last entry of the last field: what the nearest proxy said, when it adds to lists. */
static gale_str_t last_of(const gale_header_t *headers, size_t count, gale_str_t name) {
    gale_str_t entry = {NULL, 0};
    for (size_t i = count; i-- > 0;) {
        gale_str_t list = headers[i].value;
        if (gale__eq_nocase(headers[i].name, name) && last_entry(&list, &entry)) break;
    }
    return entry;
}

/* One X-Forwarded-For from its right end. True: go on with the field before it. */
static bool walk_back(gale__forwarded_t *f, const gale__forwarded_rules_t *rules, gale_str_t list) {
    gale_str_t entry;
    while (last_entry(&list, &entry)) {
        if (!parse_node(entry, &f->ip, &f->port)) {
            f->ip.family = GALE__IP_NONE;
            f->port = 0;
            return false;
        }
        if (!is_trusted(rules, &f->ip)) return false;
    }
    return true;
}

static void read_x_forwarded(gale__forwarded_t *f, const gale__forwarded_rules_t *rules,
                             const gale_header_t *headers, size_t count) {
    bool more = true;
    for (size_t i = count; more && i-- > 0;) {
        if (gale__eq_nocase(headers[i].name, GALE__LIT("X-Forwarded-For"))) {
            more = walk_back(f, rules, headers[i].value);
        }
    }
    f->scheme = parse_scheme(last_of(headers, count, GALE__LIT("X-Forwarded-Proto")));
    if (rules->host) f->host = valid_host(last_of(headers, count, GALE__LIT("X-Forwarded-Host")));
}

/* ------------------------------------------------------------------------------------ X-Real-Ip */

/* The value of a field that must stand alone: of two, who knows which is the proxy's. */
static gale_str_t only(const gale_header_t *headers, size_t count, gale_str_t name) {
    gale_str_t found = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        if (!gale__eq_nocase(headers[i].name, name)) continue;
        if (found.ptr != NULL) return gale_str(NULL, 0);
        found = headers[i].value;
    }
    return found;
}

static void read_real_ip(gale__forwarded_t *f, const gale_header_t *headers, size_t count) {
    if (!parse_node(only(headers, count, GALE__LIT("X-Real-Ip")), &f->ip, &f->port)) {
        f->ip.family = GALE__IP_NONE;
        f->port = 0;
    }
    f->scheme = parse_scheme(only(headers, count, GALE__LIT("X-Scheme")));
}

/* ------------------------------------------------------------------------------------ Forwarded */

typedef struct {
    const char *at, *end;
} cursor_t;

/* An element: what one proxy said (RFC 7239 4). ptr null: not said. */
typedef struct {
    gale_str_t node, proto, host;
    bool pairs; /* it has any */
} element_t;

static bool is_at(const cursor_t *c, char what) {
    return c->at < c->end && *c->at == what;
}

static void skip_blanks(cursor_t *c) {
    while (is_at(c, ' ') || is_at(c, '\t')) c->at++;
}

/* The text between the quotes, with its backslashes: neither addresses nor hosts have any. */
static bool take_quoted(cursor_t *c, gale_str_t *value) {
    const char *first = ++c->at;
    for (; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == '\\' && ++c->at == c->end) return false;
    }
    if (c->at == c->end) return false;
    *value = gale_str(first, (size_t)(c->at++ - first));
    return true;
}

/* More than a token, since addresses often come without the quotes they ought to have. */
static bool take_bare(cursor_t *c, gale_str_t *value) {
    const char *first = c->at;
    while (c->at < c->end && memchr(",;\" \t\\", *c->at, 6) == NULL) c->at++;
    *value = gale_str(first, (size_t)(c->at - first));
    return value->len > 0;
}

static bool take_pair(cursor_t *c, element_t *e) {
    const char *first = c->at;
    while (c->at < c->end && gale__is((uint8_t)*c->at, GALE__TOKEN)) c->at++;
    gale_str_t name = gale_str(first, (size_t)(c->at - first)), value;
    if (name.len == 0 || !is_at(c, '=')) return false;
    c->at++;
    if (!(is_at(c, '"') ? take_quoted(c, &value) : take_bare(c, &value))) return false;
    gale_str_t *slot = gale__eq_nocase(name, GALE__LIT("for"))     ? &e->node
                       : gale__eq_nocase(name, GALE__LIT("proto")) ? &e->proto
                       : gale__eq_nocase(name, GALE__LIT("host"))  ? &e->host
                                                                   : NULL;
    if (slot != NULL && slot->ptr != NULL) return false; /* said twice (RFC 7239 4) */
    if (slot != NULL) *slot = value;
    e->pairs = true;
    return true;
}

/* Up to the next comma, or the end. False: this is no Forwarded. */
static bool take_element(cursor_t *c, element_t *e) {
    memset(e, 0, sizeof *e);
    for (;;) {
        skip_blanks(c);
        if (c->at < c->end && *c->at != ',' && *c->at != ';') {
            if (!take_pair(c, e)) return false;
            skip_blanks(c);
        }
        if (c->at == c->end || *c->at == ',') return true;
        if (*c->at != ';') return false;
        c->at++;
    }
}

/* Whether the address is known: "unknown" and "_hidden" are none. Null: nothing is. */
static bool take_party(gale__forwarded_t *f, const element_t *e) {
    memset(f, 0, sizeof *f);
    if (e == NULL) return false;
    f->scheme = parse_scheme(e->proto);
    f->host = valid_host(e->host);
    if (parse_node(e->node, &f->ip, &f->port)) return true;
    f->ip.family = GALE__IP_NONE;
    f->port = 0;
    return false;
}

/* From the left, since only so quotes can be told: the last element that is not a trusted proxy's
 * stands, or the first of all. What stands left of a malformed part is worth nothing. */
static void read_forwarded(gale__forwarded_t *f, const gale__forwarded_rules_t *rules,
                           const gale_header_t *headers, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        gale_str_t value = headers[i].value;
        if (!gale__eq_nocase(headers[i].name, GALE__LIT("Forwarded")) || value.len == 0) continue;
        cursor_t c = {value.ptr, value.ptr + value.len};
        while (c.at < c.end) {
            element_t e;
            bool good = take_element(&c, &e);
            if (good && c.at < c.end) c.at++; /* over the comma */
            if (good && !e.pairs) continue;
            gale__forwarded_t now;
            bool known = take_party(&now, good ? &e : NULL);
            if (!any || !known || !is_trusted(rules, &now.ip)) *f = now;
            any = true;
            if (!good) break;
        }
    }
}

void gale__forwarded_read(gale__forwarded_t *out, const gale__forwarded_rules_t *rules,
                          const gale_header_t *headers, size_t count) {
    memset(out, 0, sizeof *out);
    switch (rules->family) {
    case GALE_FORWARDED_RFC7239:
        read_forwarded(out, rules, headers, count);
        break;
    case GALE_FORWARDED_X_REAL_IP:
        read_real_ip(out, headers, count);
        break;
    default:
        read_x_forwarded(out, rules, headers, count);
    }
}
