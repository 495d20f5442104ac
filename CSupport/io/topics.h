/*
 * Topics of one worker: who subscribes to which name. What is published in a turn of the loop is
 * kept in a log and goes out at the turn's end, to each socket with one call of the system.
 */
#ifndef GALE_IO_TOPICS_H
#define GALE_IO_TOPICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

typedef struct gale__topic gale__topic_t;
typedef struct gale__sub gale__sub_t;
typedef struct gale__reader gale__reader_t;

enum {
    GALE__TOPIC_NAME = 255,
    GALE__FILTER = 4096,    /* a power of two */
    GALE__LOG = 1024,       /* messages of a turn; then they go out at once */
    GALE__JOINED = 65536,   /* bytes of those that are sent from one place */
    GALE__JOINED_MAX = 4096 /* larger ones are sent from where they lie */
};

struct gale__topic {
    gale__topic_t *next;         /* in its bucket */
    gale__topic_t *pending_next; /* of those with messages in the log */
    gale__sub_t **subs;
    uint32_t count, capacity;
    uint64_t hash;
    uint64_t stamp;      /* that of gale__topics_t: the reader being served subscribes */
    gale__sub_t *served; /* by this */
    bool pending;
    uint8_t name_len;
    char name[];
};

typedef struct {
    gale__message_t *message;
    gale__topic_t *topic; /* stays while it is pending */
    gale__reader_t *except;
    /* What is sent; a copy that lies behind the one before, if small. Deflated: null until someone
     * takes it so. */
    gale_str_t wire[GALE__FORMS];
} gale__published_t;

typedef struct {
    uint32_t count;
    uint32_t joined_len[GALE__FORMS];
    size_t large; /* bytes of those that are not joined */
    gale__published_t entry[GALE__LOG];
    char joined[][GALE__JOINED]; /* by form, of those the server has */
} gale__log_t;

typedef struct {
    atomic_uint count[GALE__FILTER];
} gale__topic_filter_t;

typedef struct {
    gale__topic_t **table;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    /* How many topics there are, by some bits of their hashes: other threads ask it before they
     * bring a message. Null until the first. */
    _Atomic(gale__topic_filter_t *) filter;
    gale__log_t *log; /* null until someone subscribes */
    gale__topic_t *pending;
    uint64_t turn;  /* of flushes */
    uint64_t stamp; /* of readers served */
    bool flushing;
} gale__topics_t;

bool gale__topic_name_ok(gale_str_t name);
uint64_t gale__topic_hash(const gale_server_t *s, gale_str_t name);
/* Whether there may be one of that hash. Any thread. */
bool gale__topic_maybe(const gale__topics_t *t, uint64_t hash);
/* Null when nobody subscribes. */
gale__topic_t *gale__topic_find(const gale__topics_t *t, uint64_t hash, gale_str_t name);
/* Adds a socket's subscription; 0, 1 when it has it already, or an error. */
int gale__topic_join(gale_ws_t *ws, gale_str_t name, int policy, size_t limit);
/* Takes it out; the topic goes with its last, if nothing of it is in the log. */
void gale__topic_leave(gale__sub_t *sub);
void gale__topic_drop_empty(gale_worker_t *w, gale__topic_t *topic);
/* The worker has no connections any more. */
void gale__topics_clear(gale_worker_t *w);

/* Any thread; see gale_publish. `from`, on its loop, gets nothing; or null. */
int gale__publish(gale_server_t *s, gale_str_t name, int kind, gale_str_t bytes, gale_ws_t *from);
/* Sends what the log holds. */
void gale__topics_flush(gale_worker_t *w);
/* Hands a reader what the log holds for it, before its time: behind it comes something else. */
void gale__reader_take(gale__reader_t *r, bool corked);
static inline bool gale__topics_waiting(const gale__topics_t *t) {
    return t->log != NULL && t->log->count > 0;
}

#endif
