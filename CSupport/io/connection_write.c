/* What a connection has to send: corked in its outbox, written at once when flushed, queued when the
 * system refuses. */
#include <string.h>

#include "connection.h"
#include "server.h"
#include "ws.h"

enum { COPY_LIMIT = 4096 /* larger borrowed writes go out from where they lie */ };

static gale__outbox_t *outbox(gale__conn_t *c) {
    if (c->out == NULL && (c->out = gale__worker_outbox(c->worker)) == NULL) {
        gale__conn_cut(c, UV_ENOMEM);
    }
    return c->out;
}

typedef long (*try_write_t)(gale__conn_t *c, const uv_buf_t *parts, unsigned count);

static int flush_by(gale__conn_t *c, try_write_t try_write) {
    gale__outbox_t *o = c->out;
    if (o == NULL || o->bytes == 0) return 0;
    if (c->cut_due) {
        gale__outbox_clear(o);
        return GALE_EGONE;
    }
    long sent = 0;
    bool of_file = c->req != NULL && c->req->file != NULL; /* its rest is counted there */
    if (c->deadline == GALE__DEADLINE_WRITE && !of_file) c->untaken += o->bytes;
    if (c->backlogs == 0) {
        sent = try_write(c, o->part, o->parts);
        if (sent < 0 && sent != UV_EAGAIN) {
            gale__outbox_clear(o);
            gale__conn_cut(c, GALE_EGONE);
            return GALE_EGONE;
        }
        if (sent < 0) sent = 0;
        gale__count(&c->worker->counters, GALE__N_BYTES_OUT, (size_t)sent);
    }
    if ((size_t)sent == o->bytes) {
        gale__outbox_clear(o);
        return 0;
    }
    gale__backlog_t *b = gale__outbox_backlog(o, (size_t)sent);
    int err = b == NULL ? UV_ENOMEM : c->transport->write(c, b);
    if (err < 0) {
        if (b != NULL) gale__backlog_free(b);
        gale__conn_cut(c, GALE_EGONE);
        return err;
    }
    c->backlogs++;
    return 0;
}

int gale__conn_flush(gale__conn_t *c) {
    return flush_by(c, c->transport->try_write);
}

long gale__conn_send_file(gale__conn_t *c, int fd, uint64_t offset, size_t n) {
    int err = flush_by(c, c->transport->try_cork);
    if (err < 0) return err;
    if (c->backlogs > 0) return UV_EAGAIN;
    long sent = c->transport->send_file(c, fd, offset, n);
    if (sent > 0) gale__count(&c->worker->counters, GALE__N_BYTES_OUT, (uint64_t)sent);
    return sent;
}

char *gale__conn_reserve(gale__conn_t *c, size_t n) {
    if (c->cut_due || outbox(c) == NULL) return NULL;
    char *room = gale__outbox_room(c->out, n);
    if (room != NULL) return room;
    if (gale__conn_flush(c) < 0) return NULL;
    return gale__outbox_room(c->out, n);
}

int gale__conn_write(gale__conn_t *c, gale_str_t bytes) {
    if (bytes.len == 0) return c->cut_due ? GALE_EGONE : 0;
    if (bytes.len <= COPY_LIMIT) {
        char *room = gale__conn_reserve(c, bytes.len);
        if (room == NULL) return GALE_EGONE;
        memcpy(room, bytes.ptr, bytes.len);
        gale__outbox_commit(c->out, bytes.len);
        return 0;
    }
    if (c->cut_due || outbox(c) == NULL) return GALE_EGONE;
    if (!gale__outbox_borrow(c->out, bytes)) {
        if (gale__conn_flush(c) < 0) return GALE_EGONE;
        gale__outbox_borrow(c->out, bytes);
    }
    return gale__conn_flush(c);
}

int gale__conn_write_buf(gale__conn_t *c, gale_buf_t buf) {
    if (buf.len <= GALE__OUT_SMALL) {
        int err = gale__conn_write(c, gale_str(buf.ptr, buf.len));
        gale_buf_free(buf);
        return err;
    }
    if (c->cut_due || outbox(c) == NULL) {
        gale_buf_free(buf);
        return GALE_EGONE;
    }
    if (!gale__outbox_add(c->out, buf)) {
        if (gale__conn_flush(c) < 0 || !gale__outbox_add(c->out, buf)) {
            gale_buf_free(buf);
            return GALE_EGONE;
        }
    }
    return 0;
}

int gale__conn_pressure(gale__conn_t *c) {
    const gale_config_t *config = &c->worker->server->config;
    size_t queued = c->phase == GALE__PHASE_WS ? gale__ws_queued(c->ws) : gale__conn_queued(c);
    if (config->write_limit > 0 && queued > config->write_limit) {
        gale__conn_cut(c, GALE_ELIMIT);
        return GALE_ELIMIT;
    }
    gale__conn_touch(c);
    return queued > config->write_high_water;
}

void gale__conn_written(gale__conn_t *c, gale__backlog_t *b, int status) {
    if (status == 0) gale__count(&c->worker->counters, GALE__N_BYTES_OUT, b->bytes);
    gale__backlog_free(b);
    c->backlogs--;
    if (c->phase == GALE__PHASE_CLOSED) return;
    if (status < 0) gale__conn_cut(c, GALE_EGONE);
    gale__conn_settle(c);
}
