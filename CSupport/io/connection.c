#include "connection.h"

#include <string.h>

#include "accept_point.h"
#include "compress.h"
#include "file.h"
#include "http1.h"
#include "mem.h"
#include "proxied.h"
#include "reader.h"
#include "server.h"
#include "str.h"
#include "tunnel.h"
#include "ws.h"
#include "ws_connect.h"

enum {
    IN_FIRST = 1024,  /* a split head seldom needs more */
    IN_LIMIT = 65536, /* bytes of later requests, or of a paused body, before reading stops */
    LINGER_BYTES = 1 << 20,
    TURN_ROUNDS = 32, /* of writing and being drained in one turn of the loop */
    FREE_CONNS = 256
};

gale__conn_t *gale__conn_new(gale_worker_t *w, const gale__transport_t *t) {
    gale__conn_t *c = w->free_conns;
    if (c != NULL) {
        w->free_conns = c->next;
        w->free_conn_count--;
    } else if ((c = gale__malloc(sizeof *c)) == NULL) {
        return NULL;
    }
    memset(c, 0, offsetof(gale__conn_t, uv));
    c->worker = w;
    c->transport = t;
    c->fresh = true;
    c->turn_left = GALE__TURN_WORK;
    c->opened_ms = (uint32_t)uv_now(w->loop);
    return c;
}

static void enlist(gale__conn_t *c) {
    gale_worker_t *w = c->worker;
    c->next = w->conns;
    if (w->conns != NULL) w->conns->prev = c;
    w->conns = c;
    if (w->conn_count > w->tidy.peak) gale__worker_watch_peak(w);
}

void gale__conn_begin(gale__conn_t *c) {
    c->dialed = true;
    enlist(c);
    gale__count(&c->worker->counters, GALE__N_DIALED, 1);
}

void gale__conn_open(gale__conn_t *c) {
    gale_worker_t *w = c->worker;
    enlist(c);
    gale__count(&w->counters, GALE__N_ACCEPTED, 1);
    gale__count(&w->counters, GALE__N_OPEN, 1);
    gale__conn_set_deadline(c, GALE__DEADLINE_HEADER, w->server->config.header_timeout_ms);
    int err = c->transport->read_start(c);
    if (err < 0) {
        gale__conn_cut(c, GALE_EGONE);
        return;
    }
    c->reading = true;
}

void gale__conn_closed(gale__conn_t *c) {
    gale_worker_t *w = c->worker;
    if (w->free_conn_count < FREE_CONNS && w->state < GALE__WORKER_CLOSING) {
        c->next = w->free_conns;
        w->free_conns = c;
        w->free_conn_count++;
    } else {
        gale__free(c);
    }
    w->conn_count--;
    gale__worker_check_stopped(w);
}

/* ---------------------------------------------------------------------------------------- input */

static size_t waiting(const gale__conn_t *c) {
    return c->in == NULL ? 0 : c->in_end - c->in_start;
}

static size_t waiting_limit(const gale__conn_t *c) {
    size_t head = c->worker->limits.max_bytes;
    return c->phase == GALE__PHASE_HEAD && head >= IN_LIMIT ? head + 1 : IN_LIMIT;
}

/* Moves the waiting bytes to a block with more room. An open request keeps its count on the old
 * one, so nothing it points to moves; only a head that is still arriving does. */
static bool grow_in(gale__conn_t *c, size_t need) {
    size_t have = waiting(c), capacity = IN_FIRST;
    while (capacity < have + need) capacity *= 2;
    gale__block_t *b = gale__block_new(capacity);
    if (b == NULL) return false;
    if (c->in != NULL) {
        char *from = c->in->data + c->in_start;
        memcpy(b->data, from, have);
        if (c->phase == GALE__PHASE_HEAD && c->req != NULL) {
            gale__head_rebase(&c->req->head, from, b->data);
        }
        gale__block_unref(c->in);
    }
    c->in = b;
    c->in_start = 0;
    c->in_end = (uint32_t)have;
    return true;
}

static void stash(gale__conn_t *c, char *bytes, size_t len) {
    bool first = c->in == NULL;
    if ((c->in == NULL || c->in->capacity - c->in_end < len) && !grow_in(c, len)) {
        gale__conn_cut(c, UV_ENOMEM);
        return;
    }
    memcpy(c->in->data + c->in_end, bytes, len);
    if (first && c->phase == GALE__PHASE_HEAD && c->req != NULL) {
        gale__head_rebase(&c->req->head, bytes, c->in->data);
    }
    c->in_end += (uint32_t)len;
}

char *gale__conn_room(gale__conn_t *c, size_t *size) {
    if (c->in == NULL) {
        char *body = gale__http1_body_room(c, size);
        return body != NULL ? body : gale__block_pool_room(&c->worker->blocks, size);
    }
    if (c->in->capacity == c->in_end && !grow_in(c, waiting(c) + 1)) return NULL;
    *size = c->in->capacity - c->in_end;
    return c->in->data + c->in_end;
}

static size_t discard(gale__conn_t *c, size_t len) {
    if (c->phase == GALE__PHASE_LINGER) {
        if (len >= c->linger_bytes) gale__conn_cut(c, GALE_OK);
        c->linger_bytes -= len < c->linger_bytes ? (uint32_t)len : c->linger_bytes;
    }
    return len;
}

/* Hands bytes to whatever the connection speaks, until all are taken or it wants no more now. */
static size_t process(gale__conn_t *c, char *bytes, size_t len, gale__block_t *block) {
    size_t pos = 0;
    while (pos < len) {
        uint8_t phase = c->phase;
        size_t n;
        if (phase <= GALE__PHASE_ANSWER && !c->cut_due) {
            n = gale__http1_feed(c, bytes + pos, len - pos, block);
        } else if (c->cut_due || phase >= GALE__PHASE_LINGER) {
            n = discard(c, len - pos);
        } else if (phase == GALE__PHASE_WS) {
            n = gale__ws_feed(c, bytes + pos, len - pos);
        } else if (phase == GALE__PHASE_TUNNEL) {
            n = gale__tunnel_feed(c, bytes + pos, len - pos);
        } else if (phase == GALE__PHASE_CONNECT) {
            n = gale__ws_connect_feed(c->ws, bytes + pos, len - pos);
        } else {
            n = gale__proxied_feed(c, bytes + pos, len - pos);
        }
        pos += n;
        if (n == 0 && c->phase == phase && !c->cut_due) break;
    }
    return pos;
}

/* True when something was taken. */
static bool process_waiting(gale__conn_t *c) {
    gale__block_t *b = c->in;
    if (b == NULL) return false;
    b->refs++; /* the connection may drop it meanwhile */
    uint32_t phase = c->phase;
    size_t n = process(c, b->data + c->in_start, waiting(c), b);
    if (c->in == b) {
        c->in_start += (uint32_t)n;
        if (c->in_start == c->in_end) {
            gale__block_unref(b);
            c->in = NULL;
            c->in_start = c->in_end = 0;
        }
    }
    gale__block_unref(b);
    return n > 0 || c->phase != phase;
}

void gale__conn_read(gale__conn_t *c, char *bytes, size_t n) {
    c->depth++;
    c->fresh = false;
    if (c->turn_left > 0 || c->in == NULL) c->turn_left = GALE__TURN_WORK;
    gale__count(&c->worker->counters, GALE__N_BYTES_IN, n);
    if (c->in != NULL) {
        c->in_end += (uint32_t)n;
        process_waiting(c);
    } else if (c->req != NULL && c->req->body_mem != NULL &&
               bytes == c->req->body_mem + c->req->body.len) {
        gale__http1_body_read(c, n);
    } else {
        gale__block_t *b = c->worker->blocks.current;
        uint32_t start = b->tail, pins = b->pins;
        gale__block_pool_take(&c->worker->blocks, n);
        size_t taken = process(c, bytes, n, b);
        if (taken < n) stash(c, bytes + taken, n - taken);
        gale__block_pool_give(b, start, (uint32_t)n, pins);
    }
    c->depth--;
    if (c->deadline == GALE__DEADLINE_HEADER || c->deadline == GALE__DEADLINE_BODY) {
        gale__conn_received(c, n);
    }
    gale__conn_settle(c);
}

void gale__conn_eof(gale__conn_t *c) {
    c->eof = true;
    c->transport->read_stop(c);
    c->reading = false;
    gale__conn_settle(c);
}

void gale__conn_broken(gale__conn_t *c, int reason) {
    gale__conn_cut(c, reason);
    gale__conn_settle(c);
}

/* ------------------------------------------------------------------------------------- settling */

/* Everything that ends with the connection; its memory goes when the transport is closed. */
static void tear_down(gale__conn_t *c) {
    gale_worker_t *w = c->worker;
    c->phase = GALE__PHASE_CLOSED;
    gale__worker_deadline(w, &c->timer, 0);
    gale__worker_forget_dirty(w, c);
    if (c->next != NULL) c->next->prev = c->prev;
    if (c->prev != NULL) c->prev->next = c->next;
    if (w->conns == c) w->conns = c->next;
    if (w->evict_hand == c) w->evict_hand = c->next;
    c->next = c->prev = NULL;
    gale__accept_left(c);
    gale__count(&w->counters, c->dialed ? GALE__N_DIALED : GALE__N_OPEN, (uint64_t)-1);
    if (c->req != NULL) {
        gale_req_t *r = c->req;
        gale__exchange_done(r, c->cut_reason == GALE_OK ? GALE_EGONE : c->cut_reason);
        c->req = NULL;
        gale__exchange_free(r);
    }
    if (c->ws != NULL) {
        gale_ws_t *ws = c->ws;
        gale_tunnel_t *tunnel = c->tunnel;
        c->ws = NULL;
        if (c->tunneled) {
            gale__tunnel_gone(tunnel, c->cut_reason);
        } else {
            gale__ws_gone(ws, c->cut_reason);
        }
    }
    if (c->in != NULL) gale__block_unref(c->in);
    c->in = NULL;
    gale__free(c->proxied);
    c->proxied = NULL;
    if (c->out != NULL) gale__worker_outbox_back(w, c->out);
    c->out = NULL;
    c->transport->close(c);
}

/* Tells a writer that was told to wait. True when someone was told, who may have written. */
static bool tell_drained(gale__conn_t *c) {
    if (gale__conn_queued(c) > c->worker->server->config.write_low_water) return false;
    gale_req_t *r = c->req;
    bool told = false;
    c->depth++;
    if (r != NULL && r->file != NULL) {
        gale__file_drain(r);
    } else if (r != NULL && r->source != NULL) {
        told = gale__compress_drain(r);
    } else if (r != NULL && r->want_drain && !r->done) {
        const gale_server_t *s = c->worker->server;
        r->want_drain = false;
        told = true;
        if (s->handler.on_drain != NULL) s->handler.on_drain(r, s->handler_data);
    } else if (c->tunneled) {
        told = c->tunnel->want_drain;
        if (told) gale__tunnel_drained(c->tunnel);
    } else if (c->ws != NULL && c->ws->want_drain) {
        told = gale__ws_queued(c->ws) <= c->worker->server->config.write_low_water;
        if (told) gale__ws_drained(c->ws);
    }
    c->depth--;
    return told;
}

/* Whether some of what the client has sent waits for its next turn. */
static bool rests(const gale__conn_t *c) {
    return c->in != NULL && c->turn_left == 0;
}

/* Whether the response is on its way without more of the handler's doing. */
static bool is_sending(const gale__conn_t *c) {
    const gale_req_t *r = c->req;
    return r->resp_state == GALE__RESP_ENDED || r->file != NULL || r->source != NULL ||
           (r->resp_state == GALE__RESP_BEGUN && gale__conn_queued(c) > 0);
}

/* The client has shut down its sending side, and all that it sent before has had its turn. */
static void take_eof(gale__conn_t *c) {
    const gale_req_t *r = c->req;
    bool may_wait = c->worker->server->config.allow_half_close;
    switch (c->phase) {
    case GALE__PHASE_HEAD:
        c->close_when_flushed = true; /* answers may still be on their way out */
        break;
    case GALE__PHASE_ANSWER:
        if (!is_sending(c) && !may_wait) gale__conn_cut(c, GALE_EGONE);
        break;
    case GALE__PHASE_BODY:
        if (r->held != NULL && !c->paused) break; /* its turn comes */
        if ((c->in != NULL || r->held != NULL) && c->paused && may_wait) break;
        if (r->done) {
            gale__http1_refuse(c, 400, ""); /* nobody needs what is missing of the body */
        } else if (r->resp_state != GALE__RESP_ENDED) {
            gale__conn_cut(c, GALE_EGONE);
        }
        break;
    case GALE__PHASE_WS:
    case GALE__PHASE_PROXY:
    case GALE__PHASE_CONNECT:
        gale__conn_cut(c, GALE_EGONE);
        break;
    default: /* closed as soon as the last response is out */
        break;
    }
}

static void watch_reading(gale__conn_t *c) {
    bool want = !c->eof && waiting(c) < waiting_limit(c);
    if (want == c->reading) return;
    if (want && c->transport->read_start(c) < 0) {
        gale__conn_cut(c, GALE_EGONE);
        return;
    }
    if (!want) c->transport->read_stop(c);
    c->reading = want;
}

static void shut_when_flushed(gale__conn_t *c) {
    if (!c->close_when_flushed || gale__conn_queued(c) > 0 || (c->shut && !c->eof)) return;
    if (c->eof) {
        gale__conn_cut(c, GALE_OK);
        return;
    }
    c->shut = true;
    c->transport->shutdown(c);
    gale__conn_set_deadline(c, GALE__DEADLINE_LINGER, GALE__LINGER_MS);
}

void gale__conn_settle(gale__conn_t *c) {
    if (c->settling || c->depth > 0 || c->phase == GALE__PHASE_CLOSED) return;
    c->settling = true;
    bool again = true;
    for (int round = 0; again && !c->cut_due; round++) {
        if (round == TURN_ROUNDS) { /* a writer that is never full must not starve the others */
            gale__worker_mark_later(c->worker, c);
            break;
        }
        bool next = c->req != NULL && gale__http1_advance(c);
        again = gale__http1_pump(c);
        again |= c->in != NULL && (next || !c->paused) && process_waiting(c);
        if (c->req != NULL && c->req->file != NULL && gale__file_push(c->req)) again = true;
        if (c->req != NULL && c->req->unflushed) gale__compress_settle(c->req);
        gale__conn_flush(c);
        if (c->phase == GALE__PHASE_WS && c->ws->reader != NULL) gale__reader_settle(c->ws->reader);
        if (!c->cut_due && tell_drained(c)) again = true;
        if (c->phase == GALE__PHASE_TUNNEL && !c->cut_due) again |= gale__tunnel_settle(c->tunnel);
        if (c->req != NULL && c->req->waiting_flush &&
            gale__conn_queued(c) <= c->worker->server->config.write_low_water) {
            again = true;
        }
    }
    if (rests(c) && !c->cut_due) gale__worker_mark_later(c->worker, c);
    if (c->eof && !rests(c) && !c->cut_due) take_eof(c);
    if (!c->cut_due) shut_when_flushed(c);
    if (!c->cut_due) watch_reading(c);
    if (!c->cut_due) gale__conn_choose_deadline(c);
    if (c->cut_due) {
        tear_down(c);
        return;
    }
    if (c->out != NULL && c->out->bytes == 0) {
        gale__worker_outbox_back(c->worker, c->out);
        c->out = NULL;
    }
    c->settling = false;
}

void gale__conn_touch(gale__conn_t *c) {
    if (c->depth == 0 && !c->settling && !c->dirty) gale__worker_mark_dirty(c->worker, c);
}

void gale__conn_linger(gale__conn_t *c) {
    c->phase = GALE__PHASE_LINGER;
    c->paused = false;
    c->close_when_flushed = true;
    c->linger_bytes = LINGER_BYTES;
    if (c->in != NULL) {
        gale__block_unref(c->in);
        c->in = NULL;
        c->in_start = c->in_end = 0;
    }
    gale__conn_touch(c);
}

void gale__conn_cut(gale__conn_t *c, int reason) {
    if (c->cut_due || c->phase == GALE__PHASE_CLOSED) return;
    c->cut_due = true;
    c->cut_reason = reason;
    gale__conn_touch(c);
}

void gale__conn_retire(gale__conn_t *c, bool idle_too) {
    bool between = c->phase == GALE__PHASE_PROXY ||
                   (c->phase == GALE__PHASE_HEAD && (c->req == NULL || c->fresh));
    c->keep_alive = false;
    if (c->tunneled) {
        gale__tunnel_stop(c->tunnel);
    } else if (c->phase == GALE__PHASE_CONNECT) {
        gale__conn_cut(c, GALE_ESHUTDOWN);
    } else if (c->ws != NULL) {
        gale_str_t why = c->dialed ? GALE__LIT("going away") : GALE__LIT("server is stopping");
        gale__ws_close(c->ws, 1001, why);
    } else if (between && (c->eof || (idle_too && !c->transport->has_input(c)))) {
        c->close_when_flushed = true;
        if (gale__conn_queued(c) == 0) gale__conn_cut(c, GALE_ESHUTDOWN);
    } else {
        gale__conn_hurry_head(c);
    }
    gale__conn_settle(c);
}
