/*
 * Output of one connection during one callback: response heads and small bodies in an arena, larger
 * and owned bytes by reference, all sent with one writev at the end. Outboxes come from the
 * worker's pool; a connection has one only while it has something to send.
 */
#ifndef GALE_IO_OUTBOX_H
#define GALE_IO_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "gale.h"

enum {
    GALE__OUT_ARENA = 16384,
    GALE__OUT_PARTS = 64,
    GALE__OUT_OWNED = 32,
    GALE__OUT_SMALL = 1024
};

typedef struct gale__outbox {
    struct gale__outbox *next; /* in the pool */
    size_t bytes;
    uint64_t serial; /* another one each time it is emptied, and no two of a worker have the same */
    uint32_t arena_used;
    uint32_t parts;
    uint32_t owned;
    const char
        *borrowed; /* a part in the caller's memory: whatever is not sent at once is copied */
    size_t borrowed_len;
    uv_buf_t part[GALE__OUT_PARTS];
    gale_buf_t owner[GALE__OUT_OWNED]; /* buffers that some parts point into */
    char arena[GALE__OUT_ARENA];
} gale__outbox_t;

/* A place in an outbox, good until it is emptied. */
typedef struct {
    uint64_t serial;
    size_t bytes;
    size_t last_len; /* of the last part */
    uint32_t arena_used;
    uint32_t parts;
    uint32_t owned;
} gale__outbox_mark_t;

/* What the system refused, as one libuv write: copies of arena bytes, owned buffers as they are. */
typedef struct {
    uv_write_t req;
    void *conn;
    size_t bytes;
    uint32_t parts, owned;
    uv_buf_t *part;
    gale_buf_t *owner;
} gale__backlog_t;

/* What every response goes through stands here, to be compiled into its callers. */

/* Room for n contiguous bytes (n <= GALE__OUT_ARENA), or null when the outbox must be flushed
 * first. */
static inline char *gale__outbox_room(gale__outbox_t *o, size_t n) {
    if (n > GALE__OUT_ARENA - o->arena_used || o->parts == GALE__OUT_PARTS) return NULL;
    return o->arena + o->arena_used;
}

/* Takes n bytes of the room given last. */
static inline void gale__outbox_commit(gale__outbox_t *o, size_t n) {
    char *start = o->arena + o->arena_used;
    uv_buf_t *last = &o->part[o->parts];
    if (o->parts > 0 && last[-1].base + last[-1].len == start) {
        last[-1].len += n;
    } else {
        last->base = start;
        last->len = n;
        o->parts++;
    }
    o->arena_used += (uint32_t)n;
    o->bytes += n;
}

/* Takes an owned buffer by reference; false when it is full. */
int gale__outbox_add(gale__outbox_t *o, gale_buf_t buf);
/* Adds bytes that live only until the flush, which must follow at once; false when it is full. */
int gale__outbox_borrow(gale__outbox_t *o, gale_str_t bytes);
/* Where the next bytes go. */
gale__outbox_mark_t gale__outbox_mark(const gale__outbox_t *o);
/* Takes back all that was added since; false when something has been sent meanwhile. */
bool gale__outbox_rewind(gale__outbox_t *o, const gale__outbox_mark_t *mark);
void gale__outbox_free_owned(gale__outbox_t *o);

/* Frees what it holds and empties it. */
static inline void gale__outbox_clear(gale__outbox_t *o) {
    if (o->owned > 0) gale__outbox_free_owned(o);
    o->serial++;
    o->bytes = 0;
    o->borrowed = NULL;
    o->borrowed_len = 0;
    o->arena_used = o->parts = o->owned = 0;
}

/* Moves all but the first `sent` bytes into a new backlog, and empties the outbox; null without
 * memory (then all is freed). */
gale__backlog_t *gale__outbox_backlog(gale__outbox_t *o, size_t sent);
void gale__backlog_free(gale__backlog_t *b);

#endif
