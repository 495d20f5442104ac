#include "coding_turn.h"

#include "connection.h"

enum {
    SHARE = 2000000, /* of a turn: two milliseconds' worth */
    LEAST = 1000,    /* what a piece counts, however short */
    DECODED = 3      /* nanoseconds a byte */
};

static int64_t cost(unsigned coding, unsigned level, size_t n) {
    /* Nanoseconds a byte of text, by level; measured. */
    static const uint8_t zlib[] = {8, 8, 9, 12, 12, 19, 30, 35, 50, 56},
                         brotli[] = {4, 4, 7, 9, 14, 14, 21, 26, 31, 36},
                         zstd[] = {3, 3, 3, 4, 4, 6, 6, 10, 16, 20};
    const uint8_t *table = coding == GALE__BROTLI ? brotli : coding == GALE__ZSTD ? zstd : zlib;
    return (int64_t)n * table[level < sizeof zlib ? level : sizeof zlib - 1] + LEAST;
}

/* A callback that runs in another millisecond runs in another turn. */
static void refill(gale__coding_turn_t *t, uint64_t now) {
    t->refilled_ms = now;
    t->left = SHARE;
}

static bool has_left(gale_worker_t *w) {
    gale__coding_turn_t *t = &w->coding;
    uint64_t now = uv_now(w->loop);
    if (t->first == NULL && (t->refilled_ms != now || now == 0)) refill(t, now);
    return t->left > 0;
}

bool gale__coding_has_room(gale_worker_t *w, unsigned coding, unsigned level, size_t n) {
    return has_left(w) && cost(coding, level, n) <= SHARE;
}

bool gale__coding_may(gale_req_t *r) {
    gale__coding_turn_t *t = &r->worker->coding;
    bool left = has_left(r->worker);
    if (left && (t->granted == r || (t->granted == NULL && t->first == NULL))) return true;
    gale__coding_wait(r);
    return false;
}

void gale__coding_wait(gale_req_t *r) {
    gale__coding_turn_t *t = &r->worker->coding;
    if (r->coding_waits) return;
    r->coding_waits = true;
    r->coding_next = NULL;
    r->coding_prev = t->last;
    *(t->last != NULL ? &t->last->coding_next : &t->first) = r;
    t->last = r;
    gale__worker_settle_soon(r->worker);
}

void gale__coding_forget(gale_req_t *r) {
    gale__coding_turn_t *t = &r->worker->coding;
    r->coding_waits = false;
    *(r->coding_prev != NULL ? &r->coding_prev->coding_next : &t->first) = r->coding_next;
    *(r->coding_next != NULL ? &r->coding_next->coding_prev : &t->last) = r->coding_prev;
}

void gale__coding_encoded(gale_worker_t *w, unsigned coding, unsigned level, size_t n) {
    w->coding.left -= cost(coding, level, n);
}

void gale__coding_decoded(gale_worker_t *w, size_t n) {
    w->coding.left -= (int64_t)n * DECODED + LEAST;
}

void gale__coding_turn(gale_worker_t *w) {
    gale__coding_turn_t *t = &w->coding;
    if (t->first == NULL) return;
    refill(t, uv_now(w->loop));
    while (t->first != NULL && t->left > 0) {
        gale_req_t *r = t->first;
        gale__coding_forget(r);
        t->granted = r;
        t->left -= LEAST; /* so that this ends, whatever it is that the connection waits for */
        gale__conn_settle(r->conn);
        t->granted = NULL;
    }
}
