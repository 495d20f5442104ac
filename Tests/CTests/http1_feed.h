/*
 * Feeds a request head or a chunked body in pieces, as a connection does: each call sees a longer
 * buffer of exactly the bytes that have come, at another address, so that AddressSanitizer sees
 * every byte read too many and every pointer left behind. Used by the tests and by the fuzz
 * targets, which compare what comes out.
 */
#ifndef GALE_TESTS_HTTP1_FEED_H
#define GALE_TESTS_HTTP1_FEED_H

#include <stdlib.h>
#include <string.h>

#include "http1_chunked.h"
#include "http1_head.h"

enum { FEED_TABLE = 128 };

typedef struct {
    int result; /* of the last call */
    gale__head_t head;
    gale_header_t table[FEED_TABLE];
    char *bytes; /* what the head points into */
} fed_head_t;

/* A generator of its own, so that runs repeat everywhere. */
static inline uint32_t feed_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Bytes of the next piece: all at once, one by one, or at random. */
enum { FEED_WHOLE, FEED_BYTES, FEED_RANDOM };
static inline size_t feed_step(int mode, size_t left, uint32_t *seed) {
    if (mode == FEED_WHOLE) return left;
    if (mode == FEED_BYTES) return 1;
    size_t step = 1 + feed_random(seed) % (left < 8 ? 8 : left);
    return step < left ? step : left;
}

/* Stops at a result other than 0 or when all bytes are given. To be freed with feed_free. */
static inline void feed_head(fed_head_t *fed, gale__head_parse_fn parse, gale__head_limits_t limits,
                             const char *bytes, size_t len, int mode, uint32_t seed) {
    size_t given = 0;
    memset(fed, 0, sizeof *fed);
    gale__head_init(&fed->head, fed->table);
    while (fed->result == 0 && given < len) {
        size_t before = given;
        given += feed_step(mode, len - given, &seed);
        char *moved = malloc(given);
        if (moved == NULL) abort();
        memcpy(moved, bytes, given);
        if (before > 0) { /* folds were replaced in what has been parsed */
            memcpy(moved, fed->bytes, before);
            gale__head_rebase(&fed->head, fed->bytes, moved);
        }
        free(fed->bytes);
        fed->bytes = moved;
        fed->result = parse(&fed->head, &limits, moved, given);
    }
}

static inline void feed_free(fed_head_t *fed) {
    free(fed->bytes);
}

/* The same text at the same place. */
static inline bool fed_same_str(const fed_head_t *a, gale_str_t x, const fed_head_t *b,
                                gale_str_t y) {
    if (x.ptr == NULL || y.ptr == NULL) return x.ptr == y.ptr;
    return x.len == y.len && x.ptr - a->bytes == y.ptr - b->bytes;
}

/* The same verdict; and of an accepted head, the same meaning. */
static inline bool fed_same(const fed_head_t *a, const fed_head_t *b) {
    const gale__head_t *p = &a->head, *q = &b->head;
    if (a->result != b->result) return false;
    if (a->result < 0) return strcmp(p->error, q->error) == 0;
    if (a->result == 0) return true;
    if (p->header_count != q->header_count || p->minor != q->minor ||
        p->keep_alive != q->keep_alive || p->chunked != q->chunked ||
        p->expect_continue != q->expect_continue || p->upgrade != q->upgrade ||
        p->content_length != q->content_length || p->has_content_length != q->has_content_length ||
        !fed_same_str(a, p->method, b, q->method) || !fed_same_str(a, p->target, b, q->target) ||
        !fed_same_str(a, p->host, b, q->host)) {
        return false;
    }
    for (uint32_t i = 0; i < p->header_count; i++) {
        if (!fed_same_str(a, a->table[i].name, b, b->table[i].name) ||
            !fed_same_str(a, a->table[i].value, b, b->table[i].value)) {
            return false;
        }
    }
    return true;
}

typedef struct {
    int result;   /* the event that ended it */
    size_t taken; /* bytes up to the end */
    const char *error;
    char *body;
    size_t body_len;
    char *trailers; /* their lines, in the same memory */
    size_t trailers_len;
} fed_body_t;

static inline void feed_chunked(fed_body_t *fed, const char *bytes, size_t len, int mode,
                                uint32_t seed) {
    gale__chunked_t d;
    gale__chunked_init(&d);
    memset(fed, 0, sizeof *fed);
    fed->body = malloc(2 * len + 1);
    if (fed->body == NULL) abort();
    fed->trailers = fed->body + len;
    while (fed->result >= 0 && fed->result != GALE__CHUNKED_END && fed->taken < len) {
        size_t step = feed_step(mode, len - fed->taken, &seed), pos = 0;
        char *piece = malloc(step);
        if (piece == NULL) abort();
        memcpy(piece, bytes + fed->taken, step);
        gale_str_t data = {NULL, 0};
        for (;;) {
            fed->result = gale__chunked_next(&d, piece, step, &pos, &data);
            bool trailer = fed->result == GALE__CHUNKED_TRAILERS;
            if (fed->result != GALE__CHUNKED_DATA && !trailer) break;
            if (data.len == 0 || data.ptr < piece || data.ptr + data.len > piece + pos) abort();
            memcpy(trailer ? fed->trailers + fed->trailers_len : fed->body + fed->body_len,
                   data.ptr, data.len);
            *(trailer ? &fed->trailers_len : &fed->body_len) += data.len;
        }
        fed->taken += pos;
        free(piece);
    }
    fed->error = d.error;
}

#endif
