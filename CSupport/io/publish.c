/* From gale_publish to the sockets: the log of a turn, and how it goes out. */
#include <string.h>

#include "connection.h"
#include "reader.h"
#include "server.h"
#include "topics.h"
#include "ws.h"

enum {
    PARTS = 64,         /* of one call of the system */
    LARGE_MAX = 1 << 20 /* bytes that a turn may keep in messages that are not joined */
};

/* Some messages of the log for one reader, as they are sent. */
typedef struct {
    uint32_t first, end; /* in the log */
    uint32_t messages;
    unsigned parts;
    size_t bytes;
    uv_buf_t part[PARTS];
} batch_t;

/* ------------------------------------------------------------------------------------- sending */

/* The next message, from the i-th, that is for the reader whose topics are stamped; null: for all
 * of them. */
static uint32_t next_for(const gale__topics_t *t, const gale__reader_t *r, uint32_t i) {
    const gale__log_t *log = t->log;
    for (; i < log->count; i++) {
        const gale__published_t *p = &log->entry[i];
        if (p->topic->stamp == t->stamp && (r == NULL || p->except != r)) break;
    }
    return i;
}

/* Copies a frame behind those before it, if it is small. */
static gale_str_t join(gale__log_t *log, gale_str_t frame, gale__form_t form) {
    uint32_t *used = &log->joined_len[form];
    if (frame.len > GALE__JOINED_MAX || frame.len > GALE__JOINED - *used) return frame;
    char *at = memcpy(log->joined[form] + *used, frame.ptr, frame.len);
    *used += (uint32_t)frame.len;
    return gale_str(at, frame.len);
}

static gale_str_t wire(gale_worker_t *w, gale__published_t *p, gale__form_t form) {
    if (p->wire[form].ptr == NULL) {
        gale__message_deflate(p->message, &w->ws_coders, &w->server->config);
        p->wire[form] = join(w->topics.log, gale__message_frame(p->message, form), form);
    }
    return p->wire[form];
}

static void build(gale_worker_t *w, const gale__reader_t *r, gale__form_t form, uint32_t i,
                  batch_t *b) {
    const gale__topics_t *t = &w->topics;
    b->first = i;
    b->messages = b->parts = 0;
    b->bytes = 0;
    for (i = next_for(t, r, i); i < t->log->count; i = next_for(t, r, i + 1)) {
        gale_str_t frame = wire(w, &t->log->entry[i], form);
        uv_buf_t *last = &b->part[b->parts];
        if (b->parts > 0 && last[-1].base + last[-1].len == frame.ptr) {
            last[-1].len += frame.len;
        } else if (b->parts == PARTS) {
            break;
        } else {
            *last = (uv_buf_t){.base = (char *)frame.ptr, .len = frame.len};
            b->parts++;
        }
        b->bytes += frame.len;
        b->messages++;
    }
    b->end = i;
}

/* One by one, but for the `sent` bytes the system has taken: to the connection, or behind those that
 * wait. With `refused` the system wants no more now. */
static void give_each(gale__reader_t *r, const batch_t *b, size_t sent, bool refused) {
    gale_ws_t *ws = r->ws;
    gale__conn_t *c = ws->conn;
    const gale__topics_t *t = &c->worker->topics;
    for (uint32_t i = next_for(t, r, b->first); i < b->end; i = next_for(t, r, i + 1)) {
        const gale__published_t *p = &t->log->entry[i];
        size_t len = gale__message_frame(p->message, r->form).len;
        if (sent >= len) {
            sent -= len;
            gale__reader_sent(r, 1, true);
            continue;
        }
        if (c->cut_due) return;
        if (r->first != NULL || c->backlogs > 0) {
            if (!gale__reader_hold(r, p->topic->served, p->message)) return;
            continue;
        }
        gale__reader_sent(r, 1, true);
        if (gale__reader_write(r, p->message, sent) < 0) return;
        if (refused) gale__conn_flush(c);
        sent = 0;
    }
    gale__conn_pressure(c);
}

/* A batch for a reader: at once when nothing is before it, and `corked` doesn't ask for it to go
 * with what follows. */
static void give(gale__reader_t *r, const batch_t *b, bool corked) {
    gale__conn_t *c = r->ws->conn;
    if (c->cut_due || b->messages == 0) return;
    bool free = r->first == NULL && c->backlogs == 0 && (c->out == NULL || c->out->bytes == 0);
    if (!free || corked || r->ws->client) { /* whose bytes are its own */
        give_each(r, b, 0, false);
        return;
    }
    long sent = c->transport->try_write(c, b->part, b->parts);
    if (sent < 0 && sent != UV_EAGAIN) {
        gale__conn_cut(c, GALE_EGONE);
        return;
    }
    if (sent < 0) sent = 0;
    gale__count(&c->worker->counters, GALE__N_BYTES_OUT, (size_t)sent);
    if ((size_t)sent == b->bytes) {
        gale__reader_sent(r, b->messages, true);
    } else {
        give_each(r, b, (size_t)sent, true);
    }
}

void gale__reader_take(gale__reader_t *r, bool corked) {
    gale_ws_t *ws = r->ws;
    gale_worker_t *w = ws->conn->worker;
    gale__topics_t *t = &w->topics;
    uint32_t i = r->special == t->turn ? r->taken : 0, end = t->log == NULL ? 0 : t->log->count;
    if (i == end) return;
    t->stamp++;
    gale__sub_t *sub = r->subs;
    for (uint32_t k = 0; k < r->count; k++, sub = sub->next) {
        sub->topic->stamp = t->stamp;
        sub->topic->served = sub;
    }
    r->special = t->turn;
    r->taken = end;
    while (i < end && ws->reader == r) {
        batch_t b;
        build(w, r, r->form, i, &b);
        give(r, &b, corked);
        i = b.end;
    }
}

/* ----------------------------------------------------------------------------------- the turn's end */

/* Makes the batch that all who take a form get, once; false when it is more than one. */
static bool is_whole(gale_worker_t *w, gale__topic_t *topic, gale__form_t form, batch_t *b) {
    if (b->messages == 0) {
        topic->stamp = ++w->topics.stamp;
        build(w, NULL, form, 0, b);
    }
    return b->end == w->topics.log->count;
}

/* All subscribers of a topic. When no other has messages, they all get the same bytes. */
static void flush_topic(gale_worker_t *w, gale__topic_t *topic, bool alone) {
    gale__topics_t *t = &w->topics;
    batch_t common[GALE__FORMS];
    for (int k = 0; k < GALE__FORMS; k++) common[k].messages = 0;
    for (uint32_t i = 0; i < topic->count;) {
        gale__sub_t *sub = topic->subs[i];
        gale__reader_t *r = sub->reader;
        if (alone && r->special != t->turn && is_whole(w, topic, r->form, &common[r->form])) {
            topic->served = sub;
            give(r, &common[r->form], false);
        } else {
            gale__reader_take(r, false);
        }
        /* A socket that was closed has given its place to the last. */
        if (i < topic->count && topic->subs[i] == sub) i++;
    }
}

static void forget_log(gale_worker_t *w) {
    gale__topics_t *t = &w->topics;
    for (uint32_t i = 0; i < t->log->count; i++) gale__message_unref(t->log->entry[i].message);
    memset(t->log, 0, offsetof(gale__log_t, entry));
    t->turn++;
    while (t->pending != NULL) {
        gale__topic_t *topic = t->pending;
        t->pending = topic->pending_next;
        topic->pending = false;
        gale__topic_drop_empty(w, topic);
    }
}

void gale__topics_flush(gale_worker_t *w) {
    gale__topics_t *t = &w->topics;
    if (!gale__topics_waiting(t) || t->flushing) return;
    t->flushing = true;
    bool alone = t->pending->pending_next == NULL;
    for (gale__topic_t *topic = t->pending; topic != NULL; topic = topic->pending_next) {
        flush_topic(w, topic, alone);
    }
    forget_log(w);
    t->flushing = false;
}

/* -------------------------------------------------------------------------------------- publishing */

/* What cannot be kept with the rest goes out first. */
static void make_room(gale_worker_t *w, size_t len) {
    const gale__log_t *log = w->topics.log;
    bool large = len > GALE__JOINED_MAX;
    if (log != NULL && (log->count == GALE__LOG || (large && log->large + len > LARGE_MAX) ||
                        (!large && log->joined_len[GALE__FORM_PLAIN] + len > GALE__JOINED))) {
        gale__topics_flush(w);
    }
}

/* On the worker's thread. */
static void append(gale_worker_t *w, gale__message_t *m, const gale_ws_t *from) {
    gale__topics_t *t = &w->topics;
    gale_str_t frame = gale__message_frame(m, GALE__FORM_PLAIN);
    make_room(w, frame.len);
    gale__topic_t *topic = gale__topic_find(t, m->hash, m->topic);
    if (topic == NULL || topic->count == 0) return;
    gale__log_t *log = t->log;
    gale__reader_t *except = from == NULL ? NULL : from->reader;
    if (log->count == 0) gale__worker_settle_soon(w);
    gale__published_t *p = &log->entry[log->count++];
    *p = (gale__published_t){gale__message_ref(m), topic, except, {join(log, frame, 0)}};
    if (frame.len > GALE__JOINED_MAX) log->large += frame.len;
    if (!topic->pending) {
        topic->pending = true;
        topic->pending_next = t->pending;
        t->pending = topic;
    }
    if (except != NULL && except->special != t->turn) {
        except->special = t->turn;
        except->taken = 0;
    }
}

static void arrive(void *arg) {
    gale__post_t *post = arg;
    append(post->worker, post->message, NULL);
    gale__message_unref(post->message);
}

static void send_post(gale_worker_t *w, gale__message_t *m, gale__post_t *post) {
    post->worker = w;
    post->message = gale__message_ref(m);
    post->letter = (gale__letter_t){.fn = arrive, .arg = post, .lent = true};
    int posted = gale__mailbox_put(&w->mailbox, &post->letter);
    if (posted > 0) gale__worker_wake(w);
    if (posted < 0) gale__message_unref(m); /* it has no sockets any more */
}

int gale__publish(gale_server_t *s, gale_str_t name, int kind, gale_str_t bytes, gale_ws_t *from) {
    if (!gale__topic_name_ok(name) || !gale__ws_is_kind(kind)) return UV_EINVAL;
    uint64_t hash = gale__topic_hash(s, name);
    gale_worker_t *to[GALE__MAX_WORKERS], *here = NULL;
    uint32_t posts = 0;
    unsigned count = atomic_load(&s->worker_count);
    for (unsigned i = 0; i < count; i++) {
        gale_worker_t *w = &s->workers[i];
        if (!gale__topic_maybe(&w->topics, hash)) continue;
        if (gale__on_loop(w) && !w->topics.flushing) {
            here = w;
        } else {
            to[posts++] = w;
        }
    }
    if (here != NULL && gale__topic_find(&here->topics, hash, name) == NULL) here = NULL;
    if (here == NULL && posts == 0) return 0;
    gale__message_t *m = gale__message_new(kind, bytes, name, posts);
    if (m == NULL) return UV_ENOMEM;
    m->hash = hash;
    if (here != NULL) append(here, m, from);
    for (uint32_t i = 0; i < posts; i++) send_post(to[i], m, &m->post[i]);
    gale__message_unref(m);
    return 0;
}
