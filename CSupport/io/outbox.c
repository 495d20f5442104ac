#include "outbox.h"

#include <string.h>

#include "mem.h"

int gale__outbox_add(gale__outbox_t *o, gale_buf_t buf) {
    if (o->parts == GALE__OUT_PARTS || o->owned == GALE__OUT_OWNED) return false;
    o->part[o->parts++] = (uv_buf_t){.base = (char *)buf.ptr, .len = buf.len};
    o->owner[o->owned++] = buf;
    o->bytes += buf.len;
    return true;
}

int gale__outbox_borrow(gale__outbox_t *o, gale_str_t bytes) {
    if (o->parts == GALE__OUT_PARTS) return false;
    o->part[o->parts++] = (uv_buf_t){.base = (char *)bytes.ptr, .len = bytes.len};
    o->borrowed = bytes.ptr;
    o->borrowed_len = bytes.len;
    o->bytes += bytes.len;
    return true;
}

void gale__outbox_free_owned(gale__outbox_t *o) {
    while (o->owned > 0) gale_buf_free(o->owner[--o->owned]);
}

gale__outbox_mark_t gale__outbox_mark(const gale__outbox_t *o) {
    return (gale__outbox_mark_t){
        .serial = o->serial,
        .bytes = o->bytes,
        .last_len = o->parts == 0 ? 0 : o->part[o->parts - 1].len,
        .arena_used = o->arena_used,
        .parts = o->parts,
        .owned = o->owned,
    };
}

bool gale__outbox_rewind(gale__outbox_t *o, const gale__outbox_mark_t *mark) {
    if (o == NULL || o->serial != mark->serial) return false;
    while (o->owned > mark->owned) gale_buf_free(o->owner[--o->owned]);
    o->bytes = mark->bytes;
    o->arena_used = mark->arena_used;
    o->parts = mark->parts;
    if (o->parts > 0) o->part[o->parts - 1].len = mark->last_len;
    return true;
}

/* Whether a part's memory ends with the flush. */
static bool must_copy(const gale__outbox_t *o, const uv_buf_t *part) {
    if (part->base >= o->arena && part->base < o->arena + GALE__OUT_ARENA) return true;
    return o->borrowed != NULL && part->base >= o->borrowed &&
           part->base < o->borrowed + o->borrowed_len;
}

/* Drops `sent` bytes from the front; gives the index of the first part that is left. */
static uint32_t skip_sent(gale__outbox_t *o, size_t sent) {
    uint32_t i = 0;
    while (i < o->parts && sent >= o->part[i].len) sent -= o->part[i++].len;
    if (i < o->parts) {
        o->part[i].base += sent;
        o->part[i].len -= sent;
    }
    return i;
}

gale__backlog_t *gale__outbox_backlog(gale__outbox_t *o, size_t sent) {
    uint32_t first = skip_sent(o, sent), parts = o->parts - first;
    size_t copied = 0;
    for (uint32_t i = first; i < o->parts; i++) {
        if (must_copy(o, &o->part[i])) copied += o->part[i].len;
    }
    size_t tables = parts * sizeof(uv_buf_t) + o->owned * sizeof(gale_buf_t);
    gale__backlog_t *b = gale__malloc(sizeof *b + tables + copied);
    if (b == NULL) {
        gale__outbox_clear(o);
        return NULL;
    }
    b->bytes = o->bytes - sent;
    b->parts = parts;
    b->owned = o->owned;
    b->part = (uv_buf_t *)(b + 1);
    b->owner = (gale_buf_t *)(b->part + parts);
    memcpy(b->owner, o->owner, o->owned * sizeof(gale_buf_t));
    char *copy = (char *)(b->owner + o->owned);
    for (uint32_t i = 0; i < parts; i++) {
        b->part[i] = o->part[first + i];
        if (!must_copy(o, &b->part[i])) continue;
        memcpy(copy, b->part[i].base, b->part[i].len);
        b->part[i].base = copy;
        copy += b->part[i].len;
    }
    o->owned = 0; /* they are the backlog's now */
    gale__outbox_clear(o);
    return b;
}

void gale__backlog_free(gale__backlog_t *b) {
    for (uint32_t i = 0; i < b->owned; i++) gale_buf_free(b->owner[i]);
    gale__free(b);
}
