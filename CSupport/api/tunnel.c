/* gale_tunnel_*. */
#include "../io/tunnel.h"

#include "config.h"
#include "given.h"

int gale_tunnel_accept(gale_req_t *r, gale_str_t protocol, const gale_tunnel_handler_t *handler,
                       void *data, const gale_header_t *headers, size_t count,
                       gale_tunnel_t **out) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (gale__str_lacks(protocol) || gale__fields_lack(headers, count)) return UV_EINVAL;
    gale_tunnel_handler_t taken = {0};
    size_t smallest = offsetof(gale_tunnel_handler_t, on_close) + sizeof taken.on_close;
    int err = gale__struct_take(&taken, sizeof taken, handler, smallest);
    return err < 0 ? err : gale__tunnel_accept(r, protocol, &taken, data, headers, count, out);
}

bool gale_req_wants_upgrade(const gale_req_t *r, gale_str_t protocol) {
    return protocol.ptr != NULL && gale__tunnel_wanted(r, protocol);
}

gale_worker_t *gale_tunnel_worker(const gale_tunnel_t *t) {
    return t->conn->worker;
}

static bool ours(const gale_tunnel_t *t) {
    return gale__on_loop(t->conn->worker);
}

int gale_tunnel_write(gale_tunnel_t *t, gale_str_t bytes) {
    if (!ours(t)) return GALE_ETHREAD;
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__tunnel_write(t, bytes);
}

int gale_tunnel_write_buf(gale_tunnel_t *t, gale_buf_t bytes) {
    int err = ours(t) ? 0 : GALE_ETHREAD;
    if (gale__lacks(bytes.ptr, bytes.len)) err = UV_EINVAL;
    if (err < 0) {
        gale_buf_free(bytes);
        return err;
    }
    return gale__tunnel_write_buf(t, bytes);
}

int gale_tunnel_end(gale_tunnel_t *t) {
    return ours(t) ? gale__tunnel_end(t) : GALE_ETHREAD;
}

void gale_tunnel_abort(gale_tunnel_t *t) {
    if (ours(t)) gale__conn_cut(t->conn, GALE_EABORTED);
}

void gale_tunnel_pause(gale_tunnel_t *t) {
    if (ours(t)) t->conn->paused = true;
}

void gale_tunnel_resume(gale_tunnel_t *t) {
    if (!ours(t) || !t->conn->paused) return;
    t->conn->paused = false;
    gale__conn_touch(t->conn);
}

size_t gale_tunnel_queued(const gale_tunnel_t *t) {
    return gale__conn_queued(t->conn);
}
void gale_tunnel_set_data(gale_tunnel_t *t, void *data) {
    t->data = data;
}
void *gale_tunnel_data(const gale_tunnel_t *t) {
    return t->data;
}

gale_ref_t gale_tunnel_ref(gale_tunnel_t *t) {
    gale__ref_table_t *refs = &t->conn->worker->refs;
    if (!ours(t) || t->conn->tunnel != t) return (gale_ref_t){0}; /* none in on_close */
    return t->ref_slot != 0 ? gale__ref_again(refs, t->ref_slot)
                            : gale__ref_take(refs, t, GALE__REF_TUNNEL, &t->ref_slot);
}
