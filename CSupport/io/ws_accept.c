/* The opening handshake of a WebSocket (RFC 6455 4.2) and what is agreed on in it. */
#include <string.h>

#include "mem.h"
#include "str.h"
#include "ws.h"

/* What the answer is made of. */
typedef struct {
    char accept[28];
    gale__ws_deflate_t deflate;
    gale__ws_windows_t *windows;
} agreement_t;

static int refuse(gale_req_t *r, int status, const char *why) {
    gale_header_t h[3] = {{GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")}};
    size_t n = 1;
    if (status == 426) {
        h[n++] = (gale_header_t){GALE__LIT("Sec-WebSocket-Version"), GALE__LIT("13")};
        h[n++] = (gale_header_t){GALE__LIT("Upgrade"), GALE__LIT("websocket")};
    }
    if (status == 405) h[n++] = (gale_header_t){GALE__LIT("Allow"), GALE__LIT("GET")};
    int err = gale__exchange_respond(r, status, h, n, gale_cstr(why));
    return err < 0 && err != GALE_EHEADER ? err : GALE_EHANDSHAKE;
}

/* RFC 6455 4.2.1. Answers what is no handshake; `accept` gets the key's answer. */
static int check_handshake(gale_req_t *r, char accept[28]) {
    gale_str_t version = gale_req_header(r, GALE__LIT("Sec-WebSocket-Version"));
    gale_str_t upgrade = gale_req_header(r, GALE__LIT("Upgrade"));
    if (!gale__eq(r->head.method, GALE__LIT("GET"))) {
        return refuse(r, 405, "WebSocket begins with GET\n");
    }
    if (!gale__list_has(upgrade, GALE__LIT("websocket"))) {
        return refuse(r, 400, "Can \"Upgrade\" only to \"WebSocket\".\n");
    }
    if (!r->head.upgrade || r->head.minor == 0) {
        return refuse(r, 400, "\"Connection\" must be \"Upgrade\".\n");
    }
    if (!gale__eq(version, GALE__LIT("13"))) {
        return refuse(r, version.ptr == NULL ? 400 : 426, "Sec-WebSocket-Version must be 13\n");
    }
    if (gale_req_has_body(r)) return refuse(r, 400, "a handshake has no body\n");
    size_t keys = 0;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        keys += gale__eq_nocase(r->headers[i].name, GALE__LIT("Sec-WebSocket-Key"));
    }
    gale_str_t key = gale_req_header(r, GALE__LIT("Sec-WebSocket-Key"));
    if (keys != 1 || !gale__ws_accept_key(key, accept)) {
        return refuse(r, 400, "Sec-WebSocket-Key must be 16 bytes of base64\n");
    }
    return 0;
}

/* --------------------------------------------------------------------------------- subprotocols */

bool gale__ws_offers_next(gale__ws_offers_t *o, gale_str_t *name) {
    for (;;) {
        while (gale__list_next(&o->list, name)) {
            if (gale__is_token(*name)) return true;
        }
        const gale_header_t *h;
        do {
            if (o->field == o->req->head.header_count) return false;
            h = &o->req->headers[o->field++];
        } while (!gale__eq_nocase(h->name, GALE__LIT("Sec-WebSocket-Protocol")));
        o->list = h->value;
    }
}

static bool is_offered(const gale_req_t *r, gale_str_t protocol) {
    gale__ws_offers_t offers = {.req = r};
    for (gale_str_t name; gale__ws_offers_next(&offers, &name);) {
        if (gale__eq(name, protocol)) return true;
    }
    return false;
}

/* Whether the fields leave to the handshake what is its own, and name at most one subprotocol, one
 * that was offered: clients close at anything else (RFC 6455 4.1). */
static bool are_fields_right(const gale_req_t *r, const gale_ws_options_t *options) {
    gale_str_t agreed = options->subprotocol;
    if (agreed.len > 0 && !is_offered(r, agreed)) return false;
    for (size_t i = 0; i < options->header_count; i++) {
        gale_header_t h = options->headers[i];
        if (gale__eq_nocase(h.name, GALE__LIT("Sec-WebSocket-Extensions")) ||
            gale__eq_nocase(h.name, GALE__LIT("Sec-WebSocket-Accept"))) {
            return false;
        }
        if (!gale__eq_nocase(h.name, GALE__LIT("Sec-WebSocket-Protocol"))) continue;
        if (agreed.len > 0 || !is_offered(r, h.value)) return false;
        agreed = h.value;
    }
    return true;
}

/* ----------------------------------------------------------------------------------- extensions */

/* False: the client's fields are malformed. */
static bool choose_deflate(const gale_req_t *r, bool wanted, gale__ws_deflate_t *agreed) {
    const gale_config_t *config = &r->worker->server->config;
    gale__ws_deflate_rules_t rules = {.takeover = config->ws_deflate == 2,
                                      .window_bits = (uint8_t)config->ws_deflate_window_bits};
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (!gale__eq_nocase(r->headers[i].name, GALE__LIT("Sec-WebSocket-Extensions"))) continue;
        if (!gale__ws_deflate_choose(r->headers[i].value, rules, agreed)) return false;
    }
    if (!wanted || config->ws_deflate == 0) *agreed = (gale__ws_deflate_t){0};
    return true;
}

/* Windows that are to be kept need their memory now; a client that got the promise holds on to it. */
static void reserve_windows(gale_worker_t *w, agreement_t *a) {
    if (!a->deflate.server_takeover && !a->deflate.client_takeover) return;
    a->windows = gale__ws_windows_new(&w->ws_coders, &a->deflate);
    if (a->windows != NULL) return;
    a->deflate.server_takeover = a->deflate.client_takeover = a->deflate.client_bits_named = false;
}

/* ------------------------------------------------------------------------------------- accepting */

static int write_101(gale_req_t *r, const agreement_t *a, const gale_ws_options_t *options) {
    enum { MOST = 64, OURS = 3 };
    gale_header_t all[MOST + OURS];
    char extensions[GALE__WS_DEFLATE_ANSWER];
    if (options->header_count > MOST) return GALE_ELIMIT;
    size_t n = 0;
    all[n++] = (gale_header_t){GALE__LIT("Sec-WebSocket-Accept"), gale_str(a->accept, 28)};
    if (options->subprotocol.len > 0) {
        all[n++] = (gale_header_t){GALE__LIT("Sec-WebSocket-Protocol"), options->subprotocol};
    }
    if (a->deflate.server_bits != 0) {
        gale_str_t value = gale_str(extensions, gale__ws_deflate_answer(extensions, &a->deflate));
        all[n++] = (gale_header_t){GALE__LIT("Sec-WebSocket-Extensions"), value};
    }
    for (size_t i = 0; i < options->header_count; i++) all[n++] = options->headers[i];
    return gale__exchange_switch(r, GALE__LIT("websocket"), all, n);
}

static gale_ws_t *open_socket(gale__conn_t *c, const gale_ws_handler_t *h, void *data,
                              const agreement_t *a) {
    gale_ws_t *ws = gale__calloc(1, sizeof *ws);
    if (ws == NULL) return NULL;
    ws->conn = c;
    ws->data = data;
    ws->handler = gale__ws_tables_take(&c->worker->ws_tables, h);
    ws->close_code = 1006;
    ws->send_bits = a->deflate.server_bits;
    ws->frame_rules = a->deflate.server_bits != 0 ? GALE__WS_ALLOW_RSV1 : 0;
    ws->windows = a->windows;
    ws->pinged_ms = ws->message_ms = (uint32_t)uv_now(c->worker->loop);
    if (ws->handler != NULL) return ws;
    gale__free(ws);
    return NULL;
}

/* All of it is well: the answer, and what the connection is from now on. */
static int change_over(gale_req_t *r, gale_ws_t *ws, const agreement_t *a,
                       const gale_ws_options_t *options) {
    gale__conn_t *c = r->conn;
    int err = write_101(r, a, options);
    if (err < 0) return err;
    c->ws = ws;
    gale__count(&c->worker->counters, GALE__N_WEBSOCKETS, 1);
    c->phase = GALE__PHASE_WS;
    c->paused = false;
    gale__exchange_done(r, GALE_EUPGRADED);
    if (c->eof) gale__conn_cut(c, GALE_EGONE); /* it will never say a word */
    gale__conn_touch(c);                       /* settling gives the request back */
    return 0;
}

int gale__ws_accept(gale_req_t *r, const gale_ws_handler_t *h, void *data,
                    const gale_ws_options_t *options, gale_ws_t **out) {
    gale__conn_t *c = r->conn;
    agreement_t a = {0};
    if (out != NULL) *out = NULL;
    if (c->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_NONE) return GALE_ESTATE;
    if (r->worker->state != GALE__WORKER_RUNNING) {
        gale__exchange_respond(r, 503, NULL, 0, gale_str(NULL, 0));
        return GALE_ESHUTDOWN;
    }
    int err = check_handshake(r, a.accept);
    if (err < 0) return err;
    if (!gale_req_allowed_origin(r, options->origins, options->origin_count)) {
        return refuse(r, 403, "Cross origin websockets not allowed\n");
    }
    if (!choose_deflate(r, options->no_deflate == 0, &a.deflate)) {
        return refuse(r, 400, "Sec-WebSocket-Extensions is malformed\n");
    }
    if (!are_fields_right(r, options)) return GALE_EHEADER;
    reserve_windows(c->worker, &a);
    gale_ws_t *ws = open_socket(c, h, data, &a);
    err = ws == NULL ? UV_ENOMEM : change_over(r, ws, &a, options);
    if (err < 0) {
        gale__ws_windows_free(&c->worker->ws_coders, a.windows);
        if (ws != NULL) gale__ws_tables_drop(&c->worker->ws_tables, ws->handler);
        gale__free(ws);
        return err;
    }
    if (out != NULL) *out = ws;
    return 0;
}
