/* What gale_ws_connect is told, looked at and kept: the URL, and the parts of the request as they
 * will stand in it. */
#include <string.h>

#include "host.h"
#include "mem.h"
#include "sha1.h"
#include "str.h"
#include "ws_connect.h"

/* ------------------------------------------------------------------------------------- judging */

static bool is_repeated(const gale_str_t *list, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (gale__eq(list[k], list[i])) return true;
    }
    return false;
}

static bool is_host(gale_str_t name) {
    return gale__eq_nocase(name, GALE__LIT("Host"));
}

/* 0, or what is wrong with the options. */
static int judge(const gale_ws_connect_options_t *o) {
    unsigned hosts = 0;
    for (size_t i = 0; i < o->subprotocol_count; i++) {
        if (!gale__is_token(o->subprotocols[i]) || is_repeated(o->subprotocols, i)) {
            return GALE_EHEADER;
        }
    }
    for (size_t i = 0; i < o->header_count; i++) {
        gale_header_t h = o->headers[i];
        if (!gale__is_token(h.name) || !gale__is_field_value(h.value)) return GALE_EHEADER;
        if (gale__ws_request_owns(h.name)) return GALE_EHEADER;
        if (is_host(h.name) && (hosts++ > 0 || !gale__is_authority(h.value, false))) {
            return GALE_EHEADER;
        }
    }
    return gale__is_field_value(o->origin) ? 0 : GALE_EHEADER;
}

/* --------------------------------------------------------------------------------------- keeping */

typedef struct {
    char *out; /* null: only counted */
    size_t len;
} writer_t;

static gale_str_t add(writer_t *w, gale_str_t text) {
    char *at = w->out == NULL ? NULL : w->out + w->len;
    if (at != NULL && text.len > 0) memcpy(at, text.ptr, text.len);
    w->len += text.len;
    return gale_str(at, text.len);
}

static void add_field(writer_t *w, gale_str_t name, gale_str_t value) {
    add(w, name);
    add(w, GALE__LIT(": "));
    add(w, value);
    add(w, GALE__LIT("\r\n"));
}

/* Fields that are for the server they were given for, and for no other that it may lead to. */
static bool is_secret(gale_str_t name) {
    return is_host(name) || gale__eq_nocase(name, GALE__LIT("Cookie")) ||
           gale__eq_nocase(name, GALE__LIT("Authorization")) ||
           gale__eq_nocase(name, GALE__LIT("Proxy-Authorization"));
}

static gale_str_t add_fields(writer_t *w, const gale_ws_connect_options_t *o, bool secret) {
    size_t start = w->len;
    for (size_t i = 0; i < o->header_count; i++) {
        if (is_secret(o->headers[i].name) == secret) {
            add_field(w, o->headers[i].name, o->headers[i].value);
        }
    }
    if (!secret && o->origin.len > 0) add_field(w, GALE__LIT("Origin"), o->origin);
    return gale_str(w->out == NULL ? NULL : w->out + start, w->len - start);
}

/* Everything the caller's memory has, one behind the other. */
static void write_all(writer_t *w, gale__ws_connecting_t *k, gale_str_t url,
                      const gale_ws_connect_options_t *o) {
    k->url_text = add(w, url);
    size_t start = w->len;
    for (size_t i = 0; i < o->subprotocol_count; i++) {
        if (i > 0) add(w, GALE__LIT(", "));
        add(w, o->subprotocols[i]);
    }
    k->request.subprotocols = gale_str(w->out == NULL ? NULL : w->out + start, w->len - start);
    k->fields = add_fields(w, o, false);
    k->secrets = add_fields(w, o, true);
}

static bool keep(gale__ws_connecting_t *k, gale_str_t url, const gale_ws_connect_options_t *o) {
    writer_t w = {NULL, 0};
    write_all(&w, k, url, o);
    k->text = w.out = gale__malloc(w.len);
    if (w.out == NULL) return false;
    w.len = 0;
    write_all(&w, k, url, o);
    return true;
}

/* ------------------------------------------------------------------------------------------ life */

/* Windows that are to be kept need their memory before they are offered. */
static void offer(gale__ws_client_t *client, const gale_ws_connect_options_t *o) {
    gale__ws_request_t *r = &client->connecting->request;
    gale__ws_coders_t *coders = &client->ws.conn->worker->ws_coders;
    r->deflate = client->config.ws_deflate != 0;
    r->rules.window_bits = (uint8_t)o->deflate_window_bits;
    if (client->config.ws_deflate != 2) return;
    gale__ws_deflate_t most = {.server_bits = r->rules.window_bits,
                               .client_bits = r->rules.window_bits,
                               .server_takeover = true,
                               .client_takeover = true};
    client->ws.windows = gale__ws_windows_new(coders, &most);
    r->rules.takeover = client->ws.windows != NULL;
}

int gale__ws_connecting_key(gale__ws_connecting_t *k) {
    uint8_t random[16];
    int err = uv_random(NULL, NULL, random, sizeof random, 0, NULL);
    if (err == 0) gale__base64_encode(random, sizeof random, k->request.key);
    return err;
}

int gale__ws_connecting_new(gale__ws_client_t *client, gale_str_t url,
                            const gale_ws_connect_options_t *o) {
    gale__ws_url_t parsed;
    if (!gale__ws_url_parse(&parsed, url)) return GALE_EWSURL;
    if (parsed.secure) return GALE_ENOTLS;
    int err = judge(o);
    if (err < 0) return err;
    gale__ws_connecting_t *k = gale__calloc(1, sizeof *k);
    client->connecting = k;
    if (k == NULL || !keep(k, url, o)) return UV_ENOMEM;
    k->table = gale__malloc(client->config.max_headers * sizeof *k->table);
    if (k->table == NULL) return UV_ENOMEM;
    gale__ws_url_parse(&k->url, k->url_text);
    gale_worker_t *w = client->ws.conn->worker;
    k->client = client;
    k->on_open = o->on_open;
    k->dial.worker = w;
    k->dial.data = k;
    k->due_ms = uv_now(w->loop) + o->connect_timeout_ms;
    k->redirects_left = k->redirects_max = o->max_redirects;
    k->limits = (gale__head_limits_t){.max_bytes = o->max_header_bytes,
                                      .max_headers = client->config.max_headers};
    k->request.fields = k->fields;
    k->request.more_fields = k->secrets;
    for (size_t i = 0; i < o->header_count; i++) {
        k->request.names_host = k->request.names_host || is_host(o->headers[i].name);
    }
    offer(client, o);
    return gale__ws_connecting_key(k);
}

void gale__ws_connecting_free(gale__ws_client_t *client) {
    gale__ws_connecting_t *k = client->connecting;
    client->connecting = NULL;
    if (k == NULL) return;
    gale__dial_stop(&k->dial);
    gale__free(k->text);
    gale__free(k->moved);
    gale__free(k->table);
    gale__free(k->head);
    gale__free(k);
}
