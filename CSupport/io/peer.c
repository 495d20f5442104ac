/*
 * The in-memory transport: a client that is a pair of functions instead of a socket. Bytes of both
 * directions go through a pipe, which a pump empties when the server is at rest: before
 * gale_peer_send returns, or in the next turn of the loop. So neither side is ever called from
 * within the other.
 */
#include <string.h>

#include "connection.h"
#include "mem.h"
#include "peer.h"
#include "server.h"

typedef struct {
    char *bytes;
    size_t start, end, capacity;
} pipe_t;

struct gale_peer_s {
    gale__conn_t *conn; /* null once the server has closed */
    gale_worker_t *worker;
    gale_peer_handler_t handler;
    void *data;
    pipe_t in;        /* sent, not yet taken by the server */
    pipe_t out, away; /* written, not yet handed over; being handed over */
    gale__backlog_t *queue, **queue_end;
    size_t queued;
    uv_idle_t later; /* does what must not happen within a call of the server's */
    bool stalled, reading, pumping, eof, leaving, closing;
    bool end_due; /* the server's side has ended, which the client does not know yet */
};

static gale_peer_t *peer_of(const gale__conn_t *c) {
    return c->uv.peer;
}

static bool pipe_add(pipe_t *p, const char *bytes, size_t len) {
    if (p->start == p->end) p->start = p->end = 0;
    if (p->capacity - p->end < len) {
        size_t capacity = p->capacity == 0 ? 4096 : p->capacity;
        while (capacity - p->end < len) capacity *= 2;
        char *grown = gale__realloc(p->bytes, capacity);
        if (grown == NULL) return false;
        p->bytes = grown;
        p->capacity = capacity;
    }
    memcpy(p->bytes + p->end, bytes, len);
    p->end += len;
    return true;
}

/* ------------------------------------------------------------------------------------- the pump */

static void on_later(uv_idle_t *idle);

/* Hands over what the server wrote. The client may do anything meanwhile, so what it causes goes to
 * the other pipe. */
static bool hand_over(gale_peer_t *p) {
    if (p->out.start == p->out.end) return false;
    pipe_t full = p->out;
    p->out = p->away;
    p->away = full;
    gale_str_t bytes = gale_str(full.bytes + full.start, full.end - full.start);
    if (p->handler.on_data != NULL && !p->leaving) p->handler.on_data(p, bytes, p->data);
    p->away.start = p->away.end = 0;
    return true;
}

static bool at_rest(const gale_peer_t *p) {
    return p->conn != NULL && !p->closing && p->conn->depth == 0 && !p->conn->settling;
}

/* One read's worth of what the client sent. */
static bool feed(gale_peer_t *p) {
    size_t left = p->in.end - p->in.start, size = 0;
    if (left == 0 || !p->reading || !at_rest(p)) return false;
    char *room = gale__conn_room(p->conn, &size);
    if (room == NULL) {
        gale__conn_broken(p->conn, UV_ENOMEM);
        return true;
    }
    size_t n = left < size ? left : size;
    memcpy(room, p->in.bytes + p->in.start, n);
    p->in.start += n;
    gale__conn_read(p->conn, room, n);
    return true;
}

/* A backlog that the client takes, now that it is not stalled. */
static bool drain(gale_peer_t *p) {
    gale__backlog_t *b = p->queue;
    if (b == NULL || p->stalled || !at_rest(p)) return false;
    p->queue = b->conn;
    if (p->queue == NULL) p->queue_end = &p->queue;
    p->queued -= b->bytes;
    int status = 0;
    for (uint32_t i = 0; i < b->parts && status == 0; i++) {
        if (!pipe_add(&p->out, b->part[i].base, b->part[i].len)) status = UV_ENOMEM;
    }
    gale__conn_written(p->conn, b, status);
    return true;
}

/* The end of what the server sends, behind all of it. */
static bool tell_end(gale_peer_t *p) {
    if (!p->end_due || p->stalled || p->queue != NULL || p->out.start < p->out.end) return false;
    p->end_due = false;
    p->handler.on_end(p, p->data);
    return true;
}

/* What the client has done last, when all it sent has been taken. */
static bool depart(gale_peer_t *p) {
    if (!at_rest(p)) return false;
    if (p->leaving) {
        gale__conn_broken(p->conn, GALE_EGONE);
        return true;
    }
    if (!p->eof || !p->reading || p->in.start < p->in.end) return false;
    p->eof = false;
    gale__conn_eof(p->conn);
    return true;
}

/* Moves bytes until nothing moves. Within a call of the server's, or of itself, it
 * happens later. */
static void pump(gale_peer_t *p) {
    if (p->pumping) return;
    if (!at_rest(p)) {
        uv_idle_start(&p->later, on_later);
        return;
    }
    gale_worker_t *before = gale__worker_enter(p->worker);
    p->pumping = true;
    while ((!p->stalled && hand_over(p)) || drain(p) || tell_end(p) || feed(p) || depart(p)) {
    }
    p->pumping = false;
    gale__worker_leave(before);
}

static void on_handle_closed(uv_handle_t *h) {
    gale_peer_t *p = h->data;
    gale_worker_t *w = p->worker;
    gale__free(p->in.bytes);
    gale__free(p->out.bytes);
    gale__free(p->away.bytes);
    gale__free(p);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

/* The server has closed: the client gets what was written before, and is told. */
static void finish(gale_peer_t *p) {
    gale__conn_t *c = p->conn;
    while (hand_over(p)) {
    }
    while (p->queue != NULL) {
        gale__backlog_t *b = p->queue;
        p->queue = b->conn;
        gale__backlog_free(b);
    }
    p->conn = NULL;
    if (p->handler.on_close != NULL) p->handler.on_close(p, p->data);
    gale__conn_closed(c);
    uv_close((uv_handle_t *)&p->later, on_handle_closed);
}

static void on_later(uv_idle_t *idle) {
    gale_peer_t *p = idle->data;
    uv_idle_stop(idle);
    if (!p->closing) {
        pump(p);
        if (!p->closing) return;
        uv_idle_stop(idle);
    }
    gale_worker_t *before = gale__worker_enter(p->worker);
    finish(p);
    gale__worker_leave(before);
}

/* -------------------------------------------------------------------------------- the transport */

static long peer_try_write(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    gale_peer_t *p = peer_of(c);
    if (p->stalled || p->queue != NULL) return UV_EAGAIN;
    long total = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!pipe_add(&p->out, parts[i].base, parts[i].len)) return UV_ENOMEM;
        total += (long)parts[i].len;
    }
    if (!p->pumping) uv_idle_start(&p->later, on_later);
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

static size_t peer_queued(const gale__conn_t *c) {
    return peer_of(c)->queued;
}

static int peer_read_start(gale__conn_t *c) {
    gale_peer_t *p = peer_of(c);
    p->reading = true;
    if (!p->pumping && (p->in.start < p->in.end || p->eof)) uv_idle_start(&p->later, on_later);
    return 0;
}

static void peer_read_stop(gale__conn_t *c) {
    peer_of(c)->reading = false;
}

static void peer_close(gale__conn_t *c) {
    gale_peer_t *p = peer_of(c);
    p->closing = true;
    uv_idle_start(&p->later, on_later);
}

/* A FIN from the server is followed by the client's own, as a browser's would be, unless the client
 * of a tunnel wants to know. */
static void peer_shutdown(gale__conn_t *c) {
    gale_peer_t *p = peer_of(c);
    if (c->phase != GALE__PHASE_TUNNEL || p->handler.on_end == NULL) {
        gale__conn_cut(c, GALE_OK);
        return;
    }
    p->end_due = true;
    if (!p->pumping) uv_idle_start(&p->later, on_later);
}

static int peer_peer(const gale__conn_t *c, gale__ip_t *ip) {
    (void)c;
    memset(ip, 0, sizeof *ip);
    return 0;
}

static bool peer_has_input(const gale__conn_t *c) {
    const gale_peer_t *p = peer_of(c);
    return p->in.start < p->in.end;
}

static const gale__transport_t transport_peer = {
    .try_write = peer_try_write,
    .write = peer_write,
    .queued = peer_queued,
    .untaken = peer_queued,
    .read_start = peer_read_start,
    .read_stop = peer_read_stop,
    .shutdown = peer_shutdown,
    .close = peer_close,
    .peer = peer_peer,
    .has_input = peer_has_input,
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
    if (out != NULL) *out = p;
    gale__conn_open(c);
    return 0;
}

gale_worker_t *gale__peer_worker(const gale_peer_t *p) {
    return p->worker;
}

int gale__peer_send(gale_peer_t *p, gale_str_t bytes) {
    if (p->conn == NULL || p->closing || p->conn->cut_due || p->eof || p->leaving)
        return GALE_EGONE;
    if (bytes.len > 0 && !pipe_add(&p->in, bytes.ptr, bytes.len)) return UV_ENOMEM;
    p->worker->turn++; /* perhaps outside of any turn */
    pump(p);
    return 0;
}

void gale__peer_stall(gale_peer_t *p, bool stalled) {
    p->stalled = stalled;
    if (!stalled && p->conn != NULL && !p->closing) pump(p);
}

void gale__peer_shutdown(gale_peer_t *p) {
    if (p->conn == NULL || p->closing) return;
    p->eof = true;
    pump(p);
}

void gale__peer_close(gale_peer_t *p) {
    if (p->conn == NULL || p->closing) return;
    p->leaving = true;
    pump(p);
}
