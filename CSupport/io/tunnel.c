#include "tunnel.h"

#include "mem.h"
#include "server.h"
#include "str.h"

static const gale_config_t *config_of(const gale_tunnel_t *t) {
    return &t->conn->worker->server->config;
}

/* ------------------------------------------------------------------------------------ agreement */

bool gale__tunnel_wanted(const gale_req_t *r, gale_str_t protocol) {
    if (!r->head.upgrade || protocol.len == 0) return false;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        const gale_header_t *h = &r->headers[i];
        if (!gale__eq_nocase(h->name, GALE__LIT("Upgrade"))) continue;
        if (gale__list_has(h->value, protocol)) return true;
    }
    return false;
}

/* What the core writes itself, or what would say how the bytes of a tunnel are framed. */
static bool headers_ok(const gale_header_t *h, size_t n) {
    static const gale_str_t refused[] = {
        {"Upgrade", 7}, {"Connection", 10}, {"Content-Length", 14}};
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sizeof refused / sizeof *refused; j++) {
            if (gale__eq_nocase(h[i].name, refused[j])) return false;
        }
    }
    return true;
}

/* 0 when the request may become a tunnel now. */
static int may_become(const gale_req_t *r, gale_str_t protocol) {
    bool connect = gale__eq(r->head.method, GALE__LIT("CONNECT"));
    if (r->conn->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_NONE) return GALE_ESTATE;
    if (connect ? protocol.len > 0 : !gale__tunnel_wanted(r, protocol)) return GALE_EHANDSHAKE;
    /* Bytes of a body must never be taken for those of the tunnel. */
    if (r->body_mode != GALE__BODY_WHOLE) return GALE_ESTATE;
    return r->worker->state == GALE__WORKER_RUNNING ? 0 : GALE_ESHUTDOWN;
}

int gale__tunnel_accept(gale_req_t *r, gale_str_t protocol, const gale_tunnel_handler_t *h,
                        void *data, const gale_header_t *headers, size_t n, gale_tunnel_t **out) {
    gale__conn_t *c = r->conn;
    if (out != NULL) *out = NULL;
    int err = may_become(r, protocol);
    if (err == 0 && !headers_ok(headers, n)) err = GALE_EHEADER;
    if (err < 0) return err;
    gale_tunnel_t *t = gale__calloc(1, sizeof *t);
    if (t == NULL) return UV_ENOMEM;
    err = gale__exchange_switch(r, protocol, headers, n);
    if (err < 0) {
        gale__free(t);
        return err;
    }
    t->conn = c;
    t->data = data;
    t->handler = *h;
    t->active_ms = uv_now(r->worker->loop);
    c->tunnel = t;
    c->tunneled = true;
    c->phase = GALE__PHASE_TUNNEL;
    c->paused = false;
    gale__exchange_done(r, GALE_EUPGRADED);
    gale__conn_touch(c); /* settling gives the request back */
    if (out != NULL) *out = t;
    return 0;
}

/* -------------------------------------------------------------------------------------- sending */

static int may_write(const gale_tunnel_t *t) {
    if (t->conn->cut_due) return GALE_EGONE;
    return t->ended ? GALE_ESTATE : 0;
}

static int after_write(gale_tunnel_t *t, int err) {
    if (err < 0) return err;
    t->active_ms = uv_now(t->conn->worker->loop);
    int pressure = gale__conn_pressure(t->conn);
    if (pressure == 1) t->want_drain = true;
    return pressure;
}

int gale__tunnel_write(gale_tunnel_t *t, gale_str_t bytes) {
    int err = may_write(t);
    return after_write(t, err < 0 ? err : gale__conn_write(t->conn, bytes));
}

int gale__tunnel_write_buf(gale_tunnel_t *t, gale_buf_t buf) {
    int err = may_write(t);
    if (err < 0) {
        gale_buf_free(buf);
        return err;
    }
    return after_write(t, gale__conn_write_buf(t->conn, buf));
}

void gale__tunnel_drained(gale_tunnel_t *t) {
    t->want_drain = false;
    if (t->handler.on_drain != NULL) t->handler.on_drain(t, t->data);
}

/* ------------------------------------------------------------------------------------ receiving */

size_t gale__tunnel_feed(gale__conn_t *c, const char *bytes, size_t len) {
    gale_tunnel_t *t = c->tunnel;
    if (c->paused) return 0;
    t->active_ms = uv_now(c->worker->loop);
    if (t->handler.on_data == NULL) return len;
    c->depth++;
    t->handler.on_data(t, gale_str(bytes, len), t->data);
    c->depth--;
    return len;
}

/* --------------------------------------------------------------------------------------- ending */

int gale__tunnel_end(gale_tunnel_t *t) {
    int err = may_write(t);
    if (err < 0) return err;
    t->ended = true;
    gale__conn_touch(t->conn);
    return 0;
}

bool gale__tunnel_settle(gale_tunnel_t *t) {
    gale__conn_t *c = t->conn;
    if (c->eof && !t->client_ended && c->in == NULL && !c->paused) {
        t->client_ended = true;
        if (t->handler.on_end == NULL) {
            t->ended = true;
        } else {
            c->depth++;
            t->handler.on_end(t, t->data);
            c->depth--;
        }
        return true;
    }
    if (!t->ended || gale__conn_queued(c) > 0) return false;
    if (t->client_ended) {
        gale__conn_cut(c, GALE_OK);
    } else if (!c->shut) {
        c->shut = true;
        c->transport->shutdown(c);
    }
    return false;
}

uint64_t gale__tunnel_idle_left(const gale_tunnel_t *t) {
    uint64_t idle = uv_now(t->conn->worker->loop) - t->active_ms;
    uint64_t most = config_of(t)->tunnel_idle_timeout_ms;
    return idle < most ? most - idle : 0;
}

void gale__tunnel_stop(gale_tunnel_t *t) {
    if (t->handler.on_stop != NULL) t->handler.on_stop(t, t->data);
}

void gale__tunnel_gone(gale_tunnel_t *t, int reason) {
    if (t->ref_slot != 0) gale__ref_drop(&t->conn->worker->refs, t->ref_slot);
    t->ref_slot = 0;
    if (t->handler.on_close != NULL) t->handler.on_close(t, reason, t->data);
    gale__free(t);
}
