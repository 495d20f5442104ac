#include "topics.h"

#include <string.h>

#include "connection.h"
#include "mem.h"
#include "reader.h"
#include "server.h"
#include "siphash.h"
#include "ws.h"

enum { TABLE_FIRST = 16, SUBS_FIRST = 4 };

bool gale__topic_name_ok(gale_str_t name) {
    return name.ptr != NULL && name.len > 0 && name.len <= GALE__TOPIC_NAME;
}

uint64_t gale__topic_hash(const gale_server_t *s, gale_str_t name) {
    return gale__siphash(s->topic_secret, name);
}

/* Other bits than those the buckets go by. */
static size_t filter_place(uint64_t hash) {
    return (size_t)(hash >> 32) & (GALE__FILTER - 1);
}

bool gale__topic_maybe(const gale__topics_t *t, uint64_t hash) {
    const gale__topic_filter_t *f = atomic_load_explicit(&t->filter, memory_order_acquire);
    return f != NULL &&
           atomic_load_explicit(&f->count[filter_place(hash)], memory_order_relaxed) > 0;
}

/* One more topic of that hash, or with -1 one less. */
static void count_topic(gale_worker_t *w, uint64_t hash, int by) {
    gale__topics_t *t = &w->topics;
    gale__topic_filter_t *f = atomic_load_explicit(&t->filter, memory_order_relaxed);
    atomic_fetch_add_explicit(&f->count[filter_place(hash)], (unsigned)by, memory_order_relaxed);
    t->count += (size_t)by;
    gale__count_set(&w->counters, GALE__N_TOPICS, t->count);
}

/* ---------------------------------------------------------------------------------------- table */

gale__topic_t *gale__topic_find(const gale__topics_t *t, uint64_t hash, gale_str_t name) {
    if (t->capacity == 0) return NULL;
    gale__topic_t *topic = t->table[hash & (t->capacity - 1)];
    while (topic != NULL && (topic->hash != hash || topic->name_len != name.len ||
                             memcmp(topic->name, name.ptr, name.len) != 0)) {
        topic = topic->next;
    }
    return topic;
}

static bool resize(gale__topics_t *t, size_t capacity) {
    gale__topic_t **table = gale__calloc(capacity, sizeof(gale__topic_t *));
    if (table == NULL) return false;
    for (size_t i = 0; i < t->capacity; i++) {
        for (gale__topic_t *topic = t->table[i], *next; topic != NULL; topic = next) {
            gale__topic_t **bucket = &table[topic->hash & (capacity - 1)];
            next = topic->next;
            topic->next = *bucket;
            *bucket = topic;
        }
    }
    gale__free(t->table);
    t->table = table;
    t->capacity = capacity;
    return true;
}

/* What the first topic of a worker needs, and all others then have. */
static bool make_log(gale_worker_t *w) {
    gale__topics_t *t = &w->topics;
    if (atomic_load_explicit(&t->filter, memory_order_relaxed) == NULL) {
        gale__topic_filter_t *f = gale__calloc(1, sizeof *f);
        if (f == NULL) return false;
        atomic_store_explicit(&t->filter, f, memory_order_release);
    }
    if (t->log == NULL) {
        size_t forms = w->server->config.ws_deflate == 0 ? 1 : GALE__FORMS;
        t->log = gale__malloc(sizeof *t->log + forms * GALE__JOINED);
        if (t->log == NULL) return false;
        memset(t->log, 0, offsetof(gale__log_t, entry));
        t->turn = 1;
    }
    return true;
}

static gale__topic_t *add_topic(gale_worker_t *w, uint64_t hash, gale_str_t name) {
    gale__topics_t *t = &w->topics;
    if (!make_log(w)) return NULL;
    if (t->count >= t->capacity && !resize(t, t->capacity == 0 ? TABLE_FIRST : 2 * t->capacity)) {
        return NULL;
    }
    gale__topic_t *topic = gale__calloc(1, sizeof *topic + name.len);
    if (topic == NULL) return NULL;
    topic->hash = hash;
    topic->name_len = (uint8_t)name.len;
    memcpy(topic->name, name.ptr, name.len);
    gale__topic_t **bucket = &t->table[hash & (t->capacity - 1)];
    topic->next = *bucket;
    *bucket = topic;
    count_topic(w, hash, 1);
    return topic;
}

void gale__topic_drop_empty(gale_worker_t *w, gale__topic_t *topic) {
    gale__topics_t *t = &w->topics;
    if (topic->count > 0 || topic->pending) return;
    gale__topic_t **link = &t->table[topic->hash & (t->capacity - 1)];
    while (*link != topic) link = &(*link)->next;
    *link = topic->next;
    count_topic(w, topic->hash, -1);
    gale__free(topic->subs);
    gale__free(topic);
    if (t->capacity > TABLE_FIRST && t->count < t->capacity / 8) resize(t, t->capacity / 2);
}

/* -------------------------------------------------------------------------------- subscriptions */

static bool add_sub(gale__topic_t *topic, gale__sub_t *sub) {
    if (topic->count == topic->capacity) {
        uint32_t capacity = topic->capacity == 0 ? SUBS_FIRST : 2 * topic->capacity;
        gale__sub_t **grown = gale__realloc(topic->subs, capacity * sizeof(gale__sub_t *));
        if (grown == NULL) return false;
        topic->subs = grown;
        topic->capacity = capacity;
    }
    sub->place = topic->count;
    topic->subs[topic->count++] = sub;
    return true;
}

static int subscribe(gale__reader_t *r, gale__topic_t *topic, int policy, size_t limit) {
    gale__sub_t *sub = gale__calloc(1, sizeof *sub);
    if (sub == NULL || !add_sub(topic, sub)) {
        gale__free(sub);
        return UV_ENOMEM;
    }
    sub->topic = topic;
    sub->policy = (uint8_t)policy;
    sub->limit = limit;
    gale__reader_add(r, sub);
    gale__count(&r->ws->conn->worker->counters, GALE__N_SUBSCRIPTIONS, 1);
    return 0;
}

int gale__topic_join(gale_ws_t *ws, gale_str_t name, int policy, size_t limit) {
    gale_worker_t *w = ws->conn->worker;
    const gale_server_t *s = w->server;
    uint64_t hash = gale__topic_hash(s, name);
    gale__topic_t *topic = gale__topic_find(&w->topics, hash, name);
    gale__reader_t *r = gale__reader_of(ws);
    if (r == NULL) return UV_ENOMEM;
    gale__sub_t *sub = topic == NULL ? NULL : gale__reader_find(r, topic);
    if (sub != NULL) {
        sub->policy = (uint8_t)policy;
        sub->limit = limit;
        return 1;
    }
    if (r->count >= s->config.ws_max_topics) return GALE_ELIMIT;
    gale__reader_take(r, true);              /* what was published before it came is not for it */
    if (ws->reader != r) return GALE_ESTATE; /* it was too slow, and is closed */
    if (topic == NULL && (topic = add_topic(w, hash, name)) == NULL) return UV_ENOMEM;
    int err = subscribe(r, topic, policy, limit);
    gale__topic_drop_empty(w, topic); /* a new one, when it failed */
    return err;
}

void gale__topic_leave(gale__sub_t *sub) {
    gale__topic_t *topic = sub->topic;
    gale_worker_t *w = sub->reader->ws->conn->worker;
    gale__sub_t *last = topic->subs[--topic->count];
    topic->subs[sub->place] = last;
    last->place = sub->place;
    gale__count(&w->counters, GALE__N_SUBSCRIPTIONS, (uint64_t)-1);
    gale__topic_drop_empty(w, topic);
}

void gale__topics_clear(gale_worker_t *w) {
    gale__topics_t *t = &w->topics;
    for (uint32_t i = 0; t->log != NULL && i < t->log->count; i++) {
        gale__message_unref(t->log->entry[i].message);
    }
    while (t->pending != NULL) {
        gale__topic_t *topic = t->pending;
        t->pending = topic->pending_next;
        topic->pending = false;
        gale__topic_drop_empty(w, topic);
    }
    gale__free(t->log);
    gale__free(t->table);
    gale__free(atomic_exchange(&t->filter, NULL));
    t->log = NULL;
    t->table = NULL;
    t->capacity = 0;
}
