#include "ws_handshake.h"

#include <string.h>

#include "str.h"
#include "ws_frame.h"

/* ------------------------------------------------------------------------------------ the request */

typedef struct {
    char *out; /* null: only counted */
    size_t len;
} writer_t;

static void add(writer_t *w, gale_str_t text) {
    if (w->out != NULL && text.len > 0) memcpy(w->out + w->len, text.ptr, text.len);
    w->len += text.len;
}

static void add_field(writer_t *w, gale_str_t name, gale_str_t value) {
    add(w, name);
    add(w, GALE__LIT(": "));
    add(w, value);
    add(w, GALE__LIT("\r\n"));
}

size_t gale__ws_request_write(char *out, const gale__ws_request_t *r) {
    writer_t w = {out, 0};
    char offer[GALE__WS_DEFLATE_ANSWER];
    gale_str_t target = r->url->target;
    add(&w, GALE__LIT("GET "));
    if (target.len == 0 || target.ptr[0] != '/') add(&w, GALE__LIT("/"));
    add(&w, target);
    add(&w, GALE__LIT(" HTTP/1.1\r\n"));
    if (!r->names_host) add_field(&w, GALE__LIT("Host"), r->url->authority);
    add(&w, GALE__LIT("Upgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Version: 13\r\n"));
    add_field(&w, GALE__LIT("Sec-WebSocket-Key"), gale_str(r->key, GALE__WS_KEY));
    if (r->subprotocols.len > 0) {
        add_field(&w, GALE__LIT("Sec-WebSocket-Protocol"), r->subprotocols);
    }
    if (r->deflate) {
        gale_str_t value = gale_str(offer, gale__ws_deflate_offer(offer, r->rules));
        add_field(&w, GALE__LIT("Sec-WebSocket-Extensions"), value);
    }
    add(&w, r->fields);
    add(&w, r->more_fields);
    add(&w, GALE__LIT("\r\n"));
    return w.len;
}

bool gale__ws_request_owns(gale_str_t name) {
    static const gale_str_t ours[] = {
        {"TE", 2},          {"Expect", 6},      {"Trailer", 7},         {"Upgrade", 7},
        {"Connection", 10}, {"Keep-Alive", 10}, {"Content-Length", 14}, {"Transfer-Encoding", 17}};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (gale__eq_nocase(name, ours[i])) return true;
    }
    gale_str_t prefix = GALE__LIT("Sec-WebSocket-");
    return name.len >= prefix.len && gale__eq_nocase(gale_str(name.ptr, prefix.len), prefix);
}

/* ------------------------------------------------------------------------------------- the answer */

/* How many fields have the name; *value is the first one's. */
static unsigned find(const gale__answer_t *a, gale_str_t name, gale_str_t *value) {
    unsigned count = 0;
    for (uint32_t i = 0; i < a->head.header_count; i++) {
        const gale_header_t *h = &a->head.headers[i];
        if (!gale__eq_nocase(h->name, name)) continue;
        if (count++ == 0) *value = h->value;
    }
    return count;
}

static const char *accept_fault(const gale__answer_t *a, const char key[GALE__WS_KEY]) {
    char want[28];
    gale_str_t value;
    if (find(a, GALE__LIT("Sec-WebSocket-Accept"), &value) != 1) {
        return "the answer has no Sec-WebSocket-Accept, or more than one";
    }
    if (!gale__ws_accept_key(gale_str(key, GALE__WS_KEY), want)) return "the key is none";
    if (gale__eq(value, gale_str(want, sizeof want))) return NULL;
    return "Sec-WebSocket-Accept does not answer the key";
}

static const char *subprotocol_fault(const gale__answer_t *a, gale_str_t offered,
                                     gale_str_t *chosen) {
    gale_str_t value, one;
    *chosen = gale_str(NULL, 0);
    unsigned count = find(a, GALE__LIT("Sec-WebSocket-Protocol"), &value);
    if (count == 0) return NULL;
    if (count > 1) return "the answer has more than one subprotocol";
    while (offered.len > 0 && gale__list_next(&offered, &one)) {
        if (!gale__eq(one, value)) continue;
        *chosen = value;
        return NULL;
    }
    return "the answer has a subprotocol that was not offered";
}

static const char *extensions_fault(const gale__answer_t *a, const gale__ws_request_t *r,
                                    gale__ws_deflate_t *agreed) {
    *agreed = (gale__ws_deflate_t){0};
    for (uint32_t i = 0; i < a->head.header_count; i++) {
        const gale_header_t *h = &a->head.headers[i];
        if (!gale__eq_nocase(h->name, GALE__LIT("Sec-WebSocket-Extensions"))) continue;
        if (!r->deflate) return "the answer has an extension that was not offered";
        if (!gale__ws_deflate_agreed(h->value, r->rules, agreed)) {
            return "the answer has an extension that is not as it was offered";
        }
    }
    return NULL;
}

const char *gale__ws_answer_fault(const gale__answer_t *a, const gale__ws_request_t *r,
                                  gale__ws_agreed_t *agreed) {
    gale_str_t upgrade;
    if (a->head.minor != 1) return "the answer is of HTTP/1.0, which knows no upgrades";
    if (find(a, GALE__LIT("Upgrade"), &upgrade) != 1 ||
        !gale__eq_nocase(upgrade, GALE__LIT("websocket"))) {
        return "the answer's Upgrade is not websocket";
    }
    if (!a->head.upgrade) return "the answer's Connection is not upgrade";
    if (a->head.has_content_length || a->head.chunked) return "an answer of 101 has no body";
    const char *fault = accept_fault(a, r->key);
    if (fault == NULL) fault = subprotocol_fault(a, r->subprotocols, &agreed->subprotocol);
    return fault != NULL ? fault : extensions_fault(a, r, &agreed->deflate);
}
