/*
 * The in-memory transport: a client that is a pair of functions instead of a socket. What the server writes is handed over
 * at once, or queued while the client is stalled.
 */
#include <string.h>

#include "connection.h"
#include "mem.h"
#include "peer.h"
#include "server.h"

struct gale_peer_s {
    gale__conn_t *conn; /* null once the server has closed */
    gale_worker_t *worker;
    gale_peer_handler_t handler;
    void *data;
    gale__backlog_t *queue, **queue_end;
    size_t queued;
    bool stalled, reading, in_close;
    uv_idle_t later; /* closes and completes writes outside of the server's own calls */
    bool closing;
};

static gale_peer_t *peer_of(const gale__conn_t *c) { return c->uv.peer; }

static void hand_over(gale_peer_t *p, const uv_buf_t *parts, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (p->handler.on_data != NULL && parts[i].len > 0) {
            p->handler.on_data(p, gale_str(parts[i].base, parts[i].len), p->data);
        }
    }
}

static long peer_try_write(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    gale_peer_t *p = peer_of(c);
    if (p->stalled || p->queue != NULL) return UV_EAGAIN;
    long total = 0;
    for (unsigned i = 0; i < count; i++) total += (long)parts[i].len;
    hand_over(p, parts, count);
    return total;
}

static int peer_write(gale__conn_t *c, gale__backlog_t *b) {
    gale_peer_t *p = peer_of(c);
    b->conn = NULL; /* serves as the link of the queue */
    *p->queue_end = b;
    p->queue_end = (gale__backlog_t **)&b->conn;
    p->queued += b->bytes;
    return 0;
}

static size_t peer_queued(const gale__conn_t *c) { return peer_of(c)->queued; }

static int peer_read_start(gale__conn_t *c) {
    peer_of(c)->reading = true;
    return 0;
}

static void peer_read_stop(gale__conn_t *c) { peer_of(c)->reading = false; }

static gale__backlog_t *take_queued(gale_peer_t *p) {
    gale__backlog_t *b = p->queue;
    if (b == NULL) return NULL;
    p->queue = b->conn;
    if (p->queue == NULL) p->queue_end = &p->queue;
    p->queued -= b->bytes;
    return b;
}

static void on_handle_closed(uv_handle_t *h) {
    gale_peer_t *p = h->data;
    gale_worker_t *w = p->worker;
    gale__free(p);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

/* The server has closed: the client is told from the loop, not from within the call that did it. */
static void on_later(uv_idle_t *idle) {
    gale_peer_t *p = idle->data;
    gale__worker_enter(p->worker);
    uv_idle_stop(idle);
    gale__conn_t *c = p->conn;
    for (gale__backlog_t *b; (b = take_queued(p)) != NULL;) gale__backlog_free(b);
    p->conn = NULL;
    gale__conn_closed(c);
    if (p->handler.on_close != NULL) p->handler.on_close(p, p->data);
    uv_close((uv_handle_t *)&p->later, on_handle_closed);
}

static void peer_close(gale__conn_t *c) {
    gale_peer_t *p = peer_of(c);
    p->closing = true;
    uv_idle_start(&p->later, on_later);
}

/* A FIN from the server is followed by the client's own, as a browser's would be. */
static void peer_shutdown(gale__conn_t *c) { gale__conn_cut(c, GALE_OK); }

static int peer_remote(const gale__conn_t *c, char *out, size_t size) {
    (void)c;
    if (size > 0) out[0] = '\0';
    return 0;
}

static const gale__transport_t transport_peer = {
    .try_write = peer_try_write,
    .write = peer_write,
    .queued = peer_queued,
    .read_start = peer_read_start,
    .read_stop = peer_read_stop,
    .shutdown = peer_shutdown,
    .close = peer_close,
    .remote = peer_remote,
};

int gale__peer_open(gale_worker_t *w, const gale_peer_handler_t *h, void *data, gale_peer_t **out) {
    if (w->state != GALE__WORKER_RUNNING) return GALE_ESHUTDOWN;
    gale_peer_t *p = gale__calloc(1, sizeof *p);
    gale__conn_t *c = p == NULL ? NULL : gale__conn_new(w, &transport_peer);
    if (c == NULL) {
        gale__free(p);
        return UV_ENOMEM;
    }
    w->conn_count++;
    c->uv.peer = p;
    c->is_unix = true; /* no address */
    p->conn = c;
    p->worker = w;
    p->handler = *h;
    p->data = data;
    p->queue_end = &p->queue;
    uv_idle_init(w->loop, &p->later);
    p->later.data = p;
    w->open_handles++;
    *out = p;
    gale__conn_open(c);
    return 0;
}

int gale__peer_send(gale_peer_t *p, gale_str_t bytes) {
    while (bytes.len > 0) {
        gale__conn_t *c = p->conn;
        if (c == NULL || p->closing || c->cut_due) return GALE_EGONE;
        if (!p->reading) return UV_EAGAIN;
        size_t size = 0;
        char *room = gale__conn_room(c, &size);
        if (room == NULL) return UV_ENOMEM;
        size_t n = bytes.len < size ? bytes.len : size;
        memcpy(room, bytes.ptr, n);
        bytes = gale_str(bytes.ptr + n, bytes.len - n);
        gale__conn_read(c, room, n);
    }
    return 0;
}

void gale__peer_stall(gale_peer_t *p, bool stalled) {
    p->stalled = stalled;
    while (!p->stalled && !p->closing && p->queue != NULL) {
        gale__backlog_t *b = take_queued(p);
        hand_over(p, b->part, b->parts);
        gale__conn_written(p->conn, b, 0);
    }
}

void gale__peer_shutdown(gale_peer_t *p) {
    if (p->conn != NULL && !p->closing) gale__conn_eof(p->conn);
}

void gale__peer_close(gale_peer_t *p) {
    if (p->conn != NULL && !p->closing) gale__conn_broken(p->conn, GALE_EGONE);
}
