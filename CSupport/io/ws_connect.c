#include "ws_connect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "str.h"

enum {
    HEAD_FIRST = 1024,
    LEAST_TRY_MS = 250, /* for one address of several */
    SWITCHING = 101
};

static void on_dialed(gale__dial_t *d, int result);

/* --------------------------------------------------------------------------------------- failing */

static void fail(gale__ws_connecting_t *k, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(gale__ws_connecting_t *k, int err, const char *format, ...) {
    va_list args;
    if (k->client->ws.conn->cut_due) return; /* it has failed before */
    va_start(args, format);
    vsnprintf(k->why, sizeof k->why, format, args);
    va_end(args);
    gale__conn_cut(k->client->ws.conn, err);
}

/* As much of a text as belongs into a sentence. */
static int shown(gale_str_t text) {
    return text.len < 80 ? (int)text.len : 80;
}

static void fail_to_connect(gale__ws_connecting_t *k, int err) {
    gale_str_t where = k->url.is_unix ? k->url.host : k->url.authority;
    fail(k, err, "cannot connect to %.*s: %s", shown(where), where.ptr, gale_strerror(err));
}

void gale__ws_connect_failed(gale_ws_t *ws, int reason) {
    gale__ws_client_t *client = gale__ws_client(ws);
    gale__ws_connecting_t *k = client->connecting;
    gale_worker_t *w = ws->conn->worker;
    gale__count(&w->counters, GALE__N_CONNECTS_FAILED, 1);
    gale__dial_stop(&k->dial);
    if (reason == GALE_EGONE) {
        reason = UV_ECONNRESET;
        snprintf(k->why, sizeof k->why, "the server closed the connection before it had answered");
    }
    gale_str_t why = gale_cstr(k->why[0] != '\0' ? k->why : gale_strerror(reason));
    if (ws->ref_slot != 0) gale__ref_drop(&w->refs, ws->ref_slot);
    ws->ref_slot = 0;
    if (ws->handler->on_close != NULL) ws->handler->on_close(ws, reason, why, ws->data);
    gale__ws_connecting_free(client);
    gale__ws_windows_free(&w->ws_coders, ws->windows);
    gale__ws_tables_drop(&w->ws_tables, ws->handler);
    gale__free(client);
}

/* ----------------------------------------------------------------------------------- connecting */

/* Without a descriptor yet; these cannot fail. */
static void make_handle(gale__conn_t *c) {
    if (c->is_unix) {
        uv_pipe_init(c->worker->loop, &c->uv.pipe, 0);
    } else {
        uv_tcp_init(c->worker->loop, &c->uv.tcp);
    }
    c->uv.handle.data = c;
    c->transport = &gale__transport_stream;
}

/* An address of several has its share of the time that is left. */
static void set_deadline(gale__ws_connecting_t *k) {
    gale__conn_t *c = k->client->ws.conn;
    uint64_t now = uv_now(c->worker->loop), left = k->due_ms > now ? k->due_ms - now : 0;
    unsigned addresses = gale__dial_left(&k->dial);
    uint64_t share = addresses > 1 ? left / addresses : left;
    if (share < LEAST_TRY_MS) share = left < LEAST_TRY_MS ? left : LEAST_TRY_MS;
    gale__conn_set_deadline(c, GALE__DEADLINE_CONNECT, share);
}

static void on_trying(gale__dial_t *d) {
    set_deadline(d->data);
}

static void dial(gale__ws_connecting_t *k) {
    gale__conn_t *c = k->client->ws.conn;
    char host[256];
    gale_str_t name = k->url.host;
    int err = UV_ENAMETOOLONG;
    c->reading = true; /* as far as the connection is concerned, until there is something to read */
    k->dial.done = on_dialed;
    k->dial.trying = on_trying;
    if (k->url.is_unix) {
        err = gale__dial_start_unix(&k->dial, name);
    } else if (name.len < sizeof host) {
        memcpy(host, name.ptr, name.len);
        host[name.len] = '\0';
        err = gale__dial_start(&k->dial, host, k->url.port);
    }
    if (err < 0) {
        fail_to_connect(k, err);
    } else {
        set_deadline(k);
    }
}

static int write_request(gale__ws_connecting_t *k) {
    k->request.url = &k->url;
    size_t size = gale__ws_request_write(NULL, &k->request);
    char *text = gale__malloc(size);
    if (text == NULL) return UV_ENOMEM;
    gale__ws_request_write(text, &k->request);
    return gale__conn_write_buf(k->client->ws.conn, (gale_buf_t){text, size, gale__free, text});
}

static int take_descriptor(gale__conn_t *c, int fd) {
    int err = c->is_unix ? uv_pipe_open(&c->uv.pipe, fd) : uv_tcp_open(&c->uv.tcp, fd);
    if (err < 0) close(fd);
    if (err == 0 && !c->is_unix) uv_tcp_nodelay(&c->uv.tcp, 1);
    return err;
}

static void on_dialed(gale__dial_t *d, int result) {
    gale__ws_connecting_t *k = d->data;
    gale__conn_t *c = k->client->ws.conn;
    int err = result < 0 ? result : take_descriptor(c, result);
    if (err < 0) {
        fail_to_connect(k, err);
    } else {
        c->reading = false; /* settling begins it */
        k->asked = true;
        gale__answer_init(&k->answer, k->table);
        err = write_request(k);
        if (err < 0) gale__conn_cut(c, err);
        set_deadline(k);
    }
    gale__conn_settle(c);
}

void gale__ws_connect_expired(gale_ws_t *ws) {
    gale__ws_connecting_t *k = gale__ws_client(ws)->connecting;
    const char *what = k->asked                 ? "the server did not answer in time"
                       : k->dial.lookup != NULL ? "looking up the server's name took too long"
                                                : "connecting took too long";
    if (uv_now(ws->conn->worker->loop) < k->due_ms && gale__dial_skip(&k->dial)) {
        set_deadline(k);
    } else {
        fail(k, GALE_ETIMEDOUT, "%s", what);
    }
}

/* ------------------------------------------------------------------------------------- redirects */

/* The connection is closed, and the next begins. */
static void on_left(uv_handle_t *h) {
    gale__conn_t *c = h->data;
    gale_worker_t *before = gale__worker_enter(c->worker);
    if (c->phase == GALE__PHASE_CLOSED) {
        gale__conn_closed(c);
    } else {
        gale__ws_connecting_t *k = gale__ws_client(c->ws)->connecting;
        make_handle(c);
        dial(k);
        gale__conn_settle(c);
    }
    gale__worker_leave(before);
}

static void close_later(gale__conn_t *c) {
    (void)c; /* on_left does */
}

/* While the handle of one connection is being closed for the next. */
static const gale__transport_t transport_between = {.close = close_later};

/* Takes the URL over. False when the redirect is none to be followed, and it has failed. */
static bool take_url(gale__ws_connecting_t *k, const char *text, size_t len) {
    gale__ws_url_t next;
    if (len == 0 || !gale__ws_url_parse(&next, gale_str(text, len))) {
        fail(k, GALE_EHANDSHAKE, "the server redirects to what is no WebSocket URL");
        return false;
    }
    if (next.secure != k->url.secure || next.is_unix != k->url.is_unix) {
        fail(k, GALE_EHANDSHAKE, "the server redirects to another scheme");
        return false;
    }
    char *kept = gale__malloc(len);
    if (kept == NULL) {
        gale__conn_cut(k->client->ws.conn, UV_ENOMEM);
        return false;
    }
    memcpy(kept, text, len);
    if (!gale__ws_url_same_server(&k->url, &next)) {
        k->request.more_fields = gale_str(NULL, 0);
        k->request.names_host = false;
    }
    gale__free(k->moved);
    k->moved = kept;
    k->url_text = gale_str(kept, len);
    return gale__ws_url_parse(&k->url, k->url_text);
}

static void redirect(gale__ws_connecting_t *k, gale_str_t location) {
    gale__conn_t *c = k->client->ws.conn;
    char text[GALE__WS_URL_MAX];
    if (k->redirects_left == 0) {
        fail(k, GALE_ELIMIT, "the server redirects more than %u times", k->redirects_max);
        return;
    }
    k->redirects_left--;
    if (c->backlogs > 0) {
        fail(k, GALE_EPROTO, "the server answered before it had read the request");
        return;
    }
    if (!take_url(k, text, gale__ws_url_follow(text, k->url_text, location))) return;
    int err = gale__ws_connecting_key(k);
    if (err < 0) {
        gale__conn_cut(c, err);
        return;
    }
    k->asked = k->is_answered = false;
    k->head_len = 0;
    k->interim = 0;
    c->transport = &transport_between;
    c->reading = true;
    uv_close(&c->uv.handle, on_left);
}

/* ---------------------------------------------------------------------------------------- answers */

static gale_str_t field_of(const gale__answer_t *a, gale_str_t name) {
    for (uint32_t i = 0; i < a->head.header_count; i++) {
        if (gale__eq_nocase(a->head.headers[i].name, name)) return a->head.headers[i].value;
    }
    return gale_str(NULL, 0);
}

static bool is_redirect(int status) {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* What was agreed on, with its windows. False without memory. */
static bool agree(gale__ws_connecting_t *k) {
    gale_ws_t *ws = &k->client->ws;
    gale__ws_coders_t *coders = &ws->conn->worker->ws_coders;
    gale__ws_deflate_t ours = gale__ws_deflate_turned(&k->agreed.deflate);
    gale__ws_windows_free(coders, ws->windows);
    ws->windows = NULL;
    ws->send_bits = k->agreed.deflate.server_bits == 0 ? 0 : ours.server_bits;
    ws->frame_rules = GALE__WS_FROM_SERVER | (ws->send_bits != 0 ? GALE__WS_ALLOW_RSV1 : 0);
    if (ws->send_bits == 0 || (!ours.server_takeover && !ours.client_takeover)) return true;
    ws->windows = gale__ws_windows_new(coders, &ours);
    return ws->windows != NULL;
}

static void open_socket(gale__ws_connecting_t *k) {
    gale_ws_t *ws = &k->client->ws;
    gale__conn_t *c = ws->conn;
    if (!agree(k)) {
        gale__conn_cut(c, UV_ENOMEM);
        return;
    }
    ws->close_sent = false;
    ws->close_code = 1006;
    ws->pinged_ms = ws->message_ms = (uint32_t)uv_now(c->worker->loop);
    c->phase = GALE__PHASE_WS;
    c->deadline = GALE__DEADLINE_NONE; /* settling chooses the next */
    gale__count(&c->worker->counters, GALE__N_CONNECTS, 1);
    gale__count(&c->worker->counters, GALE__N_WEBSOCKETS, 1);
    c->depth++;
    if (k->on_open != NULL) k->on_open(ws, ws->data);
    c->depth--;
    gale__ws_connecting_free(k->client);
}

/* The head is whole. */
static void take_answer(gale__ws_connecting_t *k) {
    const gale__answer_t *a = &k->answer;
    gale_str_t location = field_of(a, GALE__LIT("Location"));
    if (a->status == SWITCHING) {
        const char *fault = gale__ws_answer_fault(a, &k->request, &k->agreed);
        if (fault == NULL) {
            open_socket(k);
        } else {
            fail(k, GALE_EHANDSHAKE, "%s", fault);
        }
    } else if (is_redirect(a->status) && location.len > 0 && k->redirects_max > 0) {
        redirect(k, location);
    } else {
        fail(k, GALE_EHANDSHAKE, "the server answered %d", a->status);
    }
}

/* Room for more of the head, up to its limit. */
static bool grow(gale__ws_connecting_t *k, size_t need) {
    size_t cap = k->head_cap == 0 ? HEAD_FIRST : k->head_cap;
    while (cap < need) cap *= 2;
    if (cap == k->head_cap) return true;
    char *head = gale__malloc(cap);
    if (head == NULL) return false;
    if (k->head_len > 0) memcpy(head, k->head, k->head_len);
    gale__answer_rebase(&k->answer, k->head, head);
    gale__free(k->head);
    k->head = head;
    k->head_cap = cap;
    return true;
}

/* An answer of 1xx that is not the one that is waited for (RFC 9110 15.2). */
static void pass_over(gale__ws_connecting_t *k, size_t size) {
    k->interim += (uint32_t)size;
    k->head_len = 0;
    gale__answer_init(&k->answer, k->table);
}

size_t gale__ws_connect_feed(gale_ws_t *ws, const char *bytes, size_t len) {
    gale__ws_connecting_t *k = gale__ws_client(ws)->connecting;
    gale__head_limits_t limits = k->limits;
    limits.max_bytes -= k->interim < limits.max_bytes ? k->interim : limits.max_bytes;
    size_t had = k->head_len, room = limits.max_bytes - had;
    size_t n = len < room ? len : room;
    if (!grow(k, had + n)) {
        gale__conn_cut(ws->conn, UV_ENOMEM);
        return len;
    }
    memcpy(k->head + had, bytes, n);
    k->head_len += n;
    int size = gale__answer_parse(&k->answer, &limits, k->head, k->head_len);
    if (size < 0) {
        fail(k, GALE_EPROTO, "the server's answer is broken: %s", k->answer.head.error);
        return len;
    }
    if (size == 0) return n;
    size_t taken = (size_t)size - had; /* what is behind the head is frames */
    if (k->answer.status < 200 && k->answer.status != SWITCHING) {
        pass_over(k, (size_t)size);
        return taken;
    }
    k->head_len = (size_t)size;
    k->is_answered = true;
    take_answer(k);
    return ws->conn->phase == GALE__PHASE_WS ? taken : len;
}

/* ----------------------------------------------------------------------------------------- begin */

/* The server's configuration, and in it what the options say. */
static void configure(gale__ws_client_t *client, const gale_ws_connect_options_t *o) {
    gale_config_t *config = &client->config;
    *config = client->ws.conn->worker->server->config;
    config->ws_deflate = o->deflate;
    config->ws_deflate_min_bytes = o->deflate_min_bytes;
    config->ws_max_message_bytes = o->max_message_bytes;
    config->ws_close_timeout_ms = o->close_timeout_ms;
    config->ws_ping_interval_ms = o->ping_interval_ms;
    config->ws_ping_timeout_ms = o->ping_timeout_ms;
    config->ws_idle_timeout_ms = o->idle_timeout_ms;
}

int gale__ws_connect(gale_worker_t *w, gale_str_t url, const gale_ws_handler_t *h, void *data,
                     const gale_ws_connect_options_t *options, gale_ws_t **out) {
    if (w->state != GALE__WORKER_RUNNING) return GALE_ESHUTDOWN;
    gale__ws_client_t *client = gale__calloc(1, sizeof *client);
    gale__conn_t *c = client == NULL ? NULL : gale__conn_new(w, &gale__transport_stream);
    int err = c == NULL ? UV_ENOMEM : 0;
    if (err == 0) {
        client->ws.conn = c;
        client->ws.client = true;
        client->ws.data = data;
        client->ws.handler = gale__ws_tables_take(&w->ws_tables, h);
        client->ws.close_sent = true;
        configure(client, options);
        err =
            client->ws.handler == NULL ? UV_ENOMEM : gale__ws_connecting_new(client, url, options);
    }
    if (err < 0) {
        if (client != NULL) gale__ws_connecting_free(client);
        if (c != NULL) {
            gale__ws_windows_free(&w->ws_coders, client->ws.windows);
            gale__ws_tables_drop(&w->ws_tables, client->ws.handler);
        }
        gale__free(c);
        gale__free(client);
        return err;
    }
    w->conn_count++;
    c->ws = &client->ws;
    c->phase = GALE__PHASE_CONNECT;
    c->is_unix = client->connecting->url.is_unix;
    gale__conn_begin(c);
    make_handle(c);
    dial(client->connecting);
    if (out != NULL) *out = &client->ws;
    return 0;
}
