#include "reader.h"

#include <string.h>

#include "connection.h"
#include "mem.h"
#include "server.h"
#include "ws.h"

/* Handed to the connection at a time: from then on it cannot be dropped any more. */
enum { FILL = 16384 };

gale__reader_t *gale__reader_of(gale_ws_t *ws) {
    if (ws->reader == NULL) {
        ws->reader = gale__calloc(1, sizeof *ws->reader);
        if (ws->reader == NULL) return NULL;
        ws->reader->ws = ws;
        /* What a client sends is masked, each frame by itself: there is nothing to share. */
        bool deflated =
            !ws->client && gale__ws_takes_deflated(ws, gale__ws_config(ws)->ws_deflate_window_bits);
        ws->reader->form = deflated ? GALE__FORM_DEFLATED : GALE__FORM_PLAIN;
    }
    return ws->reader;
}

/* -------------------------------------------------------------------------------- subscriptions */

void gale__reader_add(gale__reader_t *r, gale__sub_t *sub) {
    sub->reader = r;
    sub->next = sub->prev = sub;
    if (r->subs != NULL) { /* the last of the ring */
        sub->next = r->subs;
        sub->prev = r->subs->prev;
        sub->prev->next = sub->next->prev = sub;
    } else {
        r->subs = sub;
    }
    r->count++;
}

void gale__reader_remove(gale__reader_t *r, gale__sub_t *sub) {
    sub->prev->next = sub->next;
    sub->next->prev = sub->prev;
    if (r->subs == sub) r->subs = sub->next == sub ? NULL : sub->next;
    r->count--;
}

gale__sub_t *gale__reader_find(const gale__reader_t *r, const gale__topic_t *topic) {
    if (topic->count < r->count) { /* the shorter way */
        for (uint32_t i = 0; i < topic->count; i++) {
            if (topic->subs[i]->reader == r) return topic->subs[i];
        }
        return NULL;
    }
    gale__sub_t *sub = r->subs;
    for (uint32_t i = 0; i < r->count; i++, sub = sub->next) {
        if (sub->topic == topic) return sub;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------- what waits */

static size_t cost_of(const gale__message_t *m) {
    return sizeof(gale__waiting_t) + m->frame.len;
}

/* Takes a message out of the socket's queue; of its subscription it must be the oldest. */
static void unlink_waiting(gale__reader_t *r, gale__waiting_t *w) {
    *(w->prev != NULL ? &w->prev->next : &r->first) = w->next;
    *(w->next != NULL ? &w->next->prev : &r->last) = w->prev;
    size_t cost = cost_of(w->message);
    r->bytes -= cost;
    gale__sub_t *sub = w->sub;
    if (sub != NULL) {
        sub->bytes -= cost;
        sub->oldest = w->younger;
        if (sub->oldest == NULL) sub->youngest = NULL;
    }
}

static void forget(gale__reader_t *r, gale__waiting_t *w) {
    unlink_waiting(r, w);
    gale__message_unref(w->message);
    gale__free(w);
}

static void free_sub(gale__reader_t *r, gale__sub_t *sub) {
    while (sub->oldest != NULL) forget(r, sub->oldest);
    gale__reader_remove(r, sub);
    gale__topic_leave(sub);
    gale__free(sub);
}

void gale__reader_unsubscribe(gale__reader_t *r, gale__sub_t *sub) {
    gale_ws_t *ws = r->ws;
    gale__reader_take(r, true); /* what was published before it leaves */
    if (ws->reader == r) free_sub(r, sub);
}

void gale__reader_free(gale_ws_t *ws) {
    gale__reader_t *r = ws->reader;
    if (r == NULL) return;
    ws->reader = NULL;
    while (r->first != NULL) forget(r, r->first);
    while (r->subs != NULL) free_sub(r, r->subs);
    gale__free(r);
}

void gale__reader_sent(gale__reader_t *r, uint32_t messages, bool of_topics) {
    gale_ws_t *ws = r->ws;
    gale_worker_t *w = ws->conn->worker;
    gale__count(&w->counters, GALE__N_MESSAGES_OUT, messages);
    if (of_topics) gale__count(&w->counters, GALE__N_DELIVERIES, messages);
    ws->message_ms = (uint32_t)uv_now(w->loop);
    /* The client's window moves on, so what follows must not look back beyond this. */
    if (r->form == GALE__FORM_DEFLATED && ws->windows != NULL) ws->windows->deflate_stale = true;
}

int gale__reader_write(gale__reader_t *r, gale__message_t *m, size_t skip) {
    gale__conn_t *c = r->ws->conn;
    gale_str_t frame = gale__message_frame(m, r->form);
    if (r->ws->client) return gale__ws_write_masked_frame(r->ws, frame);
    gale_str_t rest = gale_str(frame.ptr + skip, frame.len - skip);
    if (rest.len <= GALE__OUT_SMALL) return gale__conn_write(c, rest);
    gale_buf_t shared = {rest.ptr, rest.len, gale__message_release, gale__message_ref(m)};
    return gale__conn_write_buf(c, shared);
}

/* ------------------------------------------------------------------------------------- too slow */

static void lose(gale__sub_t *sub) {
    gale__reader_t *r = sub->reader;
    gale__conn_t *c = r->ws->conn;
    sub->untold++;
    gale__count(&c->worker->counters, GALE__N_DROPPED, 1);
    if (r->subs != sub) { /* to the front */
        gale__reader_remove(r, sub);
        gale__reader_add(r, sub);
        r->subs = sub;
    }
    gale__conn_touch(c);
}

/* A message finds no room, or no memory. */
static void refuse(gale__sub_t *sub) {
    gale_ws_t *ws = sub->reader->ws;
    if (sub->policy == GALE_SLOW_CLOSE) {
        gale__count(&ws->conn->worker->counters, GALE__N_SLOW_CLOSED, 1);
        gale__ws_too_slow(ws);
    } else {
        lose(sub);
    }
}

/* Whether there is room for a message, perhaps instead of older ones. */
static bool make_room(gale__sub_t *sub, size_t cost) {
    while (sub->policy == GALE_SLOW_DROP_OLDEST && sub->oldest != NULL &&
           sub->bytes + cost > sub->limit) {
        forget(sub->reader, sub->oldest);
        lose(sub);
    }
    return sub->bytes + cost <= sub->limit;
}

static bool push(gale__reader_t *r, gale__sub_t *sub, gale__message_t *m) {
    gale__waiting_t *w = gale__malloc(sizeof *w);
    if (w == NULL) return false;
    *w = (gale__waiting_t){.prev = r->last, .sub = sub, .message = gale__message_ref(m)};
    *(r->last != NULL ? &r->last->next : &r->first) = w;
    r->last = w;
    r->bytes += cost_of(m);
    if (sub != NULL) {
        *(sub->youngest != NULL ? &sub->youngest->younger : &sub->oldest) = w;
        sub->youngest = w;
        sub->bytes += cost_of(m);
    }
    return true;
}

bool gale__reader_hold(gale__reader_t *r, gale__sub_t *sub, gale__message_t *m) {
    gale_ws_t *ws = r->ws;
    if (!make_room(sub, cost_of(m)) || !push(r, sub, m)) refuse(sub);
    return ws->reader == r;
}

/* ------------------------------------------------------------------------ messages for it alone */

bool gale__reader_is_behind(gale__reader_t *r) {
    gale_ws_t *ws = r->ws;
    gale__reader_take(r, true);
    return ws->reader != NULL && r->first != NULL;
}

int gale__reader_queue(gale__reader_t *r, int kind, gale_str_t bytes) {
    gale__message_t *m = gale__message_new(kind, bytes, gale_str(NULL, 0), 0);
    bool queued = m != NULL && push(r, NULL, m);
    if (m != NULL) gale__message_unref(m);
    if (!queued) gale__conn_cut(r->ws->conn, UV_ENOMEM);
    return queued ? 0 : UV_ENOMEM;
}

/* ----------------------------------------------------------------------------- on its way */

/* Hands the oldest to the connection. */
static size_t move_first(gale__reader_t *r) {
    gale__waiting_t *w = r->first;
    size_t len = gale__message_frame(w->message, r->form).len;
    gale__reader_sent(r, 1, w->sub != NULL);
    gale__reader_write(r, w->message, 0);
    forget(r, w);
    return len;
}

void gale__reader_hand_over(gale__reader_t *r) {
    const gale_ws_t *ws = r->ws;
    gale__reader_take(r, true);
    while (ws->reader == r && r->first != NULL) move_first(r);
}

static void fill(gale__reader_t *r) {
    gale__conn_t *c = r->ws->conn;
    while (r->first != NULL && c->backlogs == 0 && !c->cut_due) {
        for (size_t moved = 0; r->first != NULL && moved < FILL;) moved += move_first(r);
        gale__conn_flush(c);
    }
}

static void tell(gale__reader_t *r) {
    gale_ws_t *ws = r->ws;
    char name[GALE__TOPIC_NAME];
    while (ws->reader == r && r->subs != NULL && r->subs->untold > 0) {
        gale__sub_t *sub = r->subs;
        uint32_t dropped = sub->untold;
        size_t len = sub->topic->name_len;
        sub->untold = 0;
        r->subs = sub->next; /* it is the last now */
        if (ws->handler->on_lag == NULL) continue;
        memcpy(name, sub->topic->name, len);
        ws->conn->depth++;
        ws->handler->on_lag(ws, gale_str(name, len), dropped, ws->data);
        ws->conn->depth--;
    }
}

void gale__reader_settle(gale__reader_t *r) {
    gale_ws_t *ws = r->ws;
    if (r->first != NULL) fill(r);
    if (ws->reader == r) tell(r);
}
