/* gale_ws_*, gale_peer_*. */
#include "../io/ws.h"

#include "../io/peer.h"
#include "config.h"
#include "given.h"
#include "str.h"

static int accept_with(gale_req_t *r, const gale_ws_handler_t *handler, void *data,
                       const gale_ws_options_t *options, gale_ws_t **out) {
    gale_ws_handler_t taken = {0};
    if (gale__fields_lack(options->headers, options->header_count) ||
        gale__strs_lack(options->origins, options->origin_count) ||
        gale__str_lacks(options->subprotocol))
        return UV_EINVAL;
    size_t smallest = offsetof(gale_ws_handler_t, on_close) + sizeof taken.on_close;
    int err = gale__struct_take(&taken, sizeof taken, handler, smallest);
    return err < 0 ? err : gale__ws_accept(r, &taken, data, options, out);
}

int gale_ws_accept(gale_req_t *r, const gale_ws_handler_t *handler, void *data,
                   const gale_header_t *headers, size_t count, gale_ws_t **out) {
    static const gale_str_t anyone = {"*", 1};
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    gale_ws_options_t options = {
        .origins = &anyone, .origin_count = 1, .headers = headers, .header_count = count};
    return accept_with(r, handler, data, &options, out);
}

int gale_ws_accept_with(gale_req_t *r, const gale_ws_handler_t *handler, void *data,
                        const gale_ws_options_t *options, gale_ws_t **out) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    gale_ws_options_t taken = {0};
    size_t smallest = offsetof(gale_ws_options_t, header_count) + sizeof taken.header_count;
    int err = options == NULL ? 0 : gale__struct_take(&taken, sizeof taken, options, smallest);
    return err < 0 ? err : accept_with(r, handler, data, &taken, out);
}

size_t gale_ws_offered(const gale_req_t *r, gale_str_t *out, size_t max) {
    gale__ws_offers_t offers = {.req = r};
    size_t n = 0;
    for (gale_str_t name; gale__ws_offers_next(&offers, &name); n++) {
        if (n < max && out != NULL) out[n] = name;
    }
    return n;
}

gale_str_t gale_ws_choose(const gale_req_t *r, const gale_str_t *supported, size_t count) {
    gale__ws_offers_t offers = {.req = r};
    if (gale__strs_lack(supported, count)) return gale_str(NULL, 0);
    for (gale_str_t name; gale__ws_offers_next(&offers, &name);) {
        for (size_t i = 0; i < count; i++) {
            if (gale__eq(name, supported[i])) return supported[i];
        }
    }
    return gale_str(NULL, 0);
}

gale_worker_t *gale_ws_worker(const gale_ws_t *ws) {
    return ws->conn->worker;
}

static bool ours(const gale_ws_t *ws) {
    return gale__on_loop(ws->conn->worker);
}

int gale_ws_send(gale_ws_t *ws, int kind, gale_str_t bytes) {
    if (!ours(ws)) return GALE_ETHREAD;
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__ws_send(ws, kind, bytes);
}

int gale_ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t bytes) {
    int err = ours(ws) ? 0 : GALE_ETHREAD;
    if (gale__lacks(bytes.ptr, bytes.len)) err = UV_EINVAL;
    if (err < 0) {
        gale_buf_free(bytes);
        return err;
    }
    return gale__ws_send_buf(ws, kind, bytes);
}

int gale_ws_ping(gale_ws_t *ws, gale_str_t payload) {
    if (!ours(ws)) return GALE_ETHREAD;
    return gale__str_lacks(payload) ? UV_EINVAL : gale__ws_control(ws, GALE__WS_PING, payload);
}

int gale_ws_close(gale_ws_t *ws, int code, gale_str_t reason) {
    if (!ours(ws)) return GALE_ETHREAD;
    if (gale__str_lacks(reason)) return UV_EINVAL;
    int err = gale__ws_close(ws, code, reason);
    if (err == 0) gale__conn_touch(ws->conn);
    return err;
}

void gale_ws_abort(gale_ws_t *ws) {
    if (ours(ws)) gale__conn_cut(ws->conn, GALE_EABORTED);
}

void gale_ws_pause(gale_ws_t *ws) {
    if (ours(ws) && !ws->close_sent) ws->conn->paused = true;
}

void gale_ws_resume(gale_ws_t *ws) {
    if (!ours(ws) || !ws->conn->paused) return;
    ws->conn->paused = false;
    gale__conn_touch(ws->conn);
}

size_t gale_ws_queued(const gale_ws_t *ws) {
    return gale__ws_queued(ws);
}
void gale_ws_set_data(gale_ws_t *ws, void *data) {
    ws->data = data;
}
void *gale_ws_data(const gale_ws_t *ws) {
    return ws->data;
}

gale_ref_t gale_ws_ref(gale_ws_t *ws) {
    gale__ref_table_t *refs = &ws->conn->worker->refs;
    if (!ours(ws) || ws->conn->ws != ws)
        return (gale_ref_t){0}; /* a new one in on_close would never end */
    return ws->ref_slot != 0 ? gale__ref_again(refs, ws->ref_slot)
                             : gale__ref_take(refs, ws, GALE__REF_WS, &ws->ref_slot);
}

/* ----------------------------------------------------------------------------- in-memory client */

int gale_peer_open(gale_worker_t *worker, const gale_peer_handler_t *handler, void *data,
                   gale_peer_t **out) {
    if (out != NULL) *out = NULL;
    if (!gale__on_loop(worker)) return GALE_ETHREAD;
    gale_peer_handler_t taken = {0};
    size_t smallest = offsetof(gale_peer_handler_t, on_close) + sizeof taken.on_close;
    int err = gale__struct_take(&taken, sizeof taken, handler, smallest);
    return err < 0 ? err : gale__peer_open(worker, &taken, data, out);
}

int gale_peer_send(gale_peer_t *peer, gale_str_t bytes) {
    if (!gale__on_loop(gale__peer_worker(peer))) return GALE_ETHREAD;
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__peer_send(peer, bytes);
}

void gale_peer_stall(gale_peer_t *peer, bool stalled) {
    if (gale__on_loop(gale__peer_worker(peer))) gale__peer_stall(peer, stalled);
}

void gale_peer_shutdown(gale_peer_t *peer) {
    if (gale__on_loop(gale__peer_worker(peer))) gale__peer_shutdown(peer);
}

void gale_peer_close(gale_peer_t *peer) {
    if (gale__on_loop(gale__peer_worker(peer))) gale__peer_close(peer);
}
