/*
 * Runs bytes through an encoder or a decoder, in pieces of any size in and out. Used by the tests
 * and by the fuzz target, which compare what comes out.
 */
#ifndef GALE_TESTS_CODING_FEED_H
#define GALE_TESTS_CODING_FEED_H

#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "encoder.h"

typedef struct {
    char *bytes;
    size_t len, cap;
    int result; /* of the last step */
    bool whole; /* the decoder's: the input may end here */
    size_t taken;
} coded_t;

static inline void coded_add(coded_t *c, const void *bytes, size_t len) {
    if (c->len + len > c->cap) {
        c->cap = (c->len + len) * 2;
        c->bytes = realloc(c->bytes, c->cap);
        if (c->bytes == NULL) abort();
    }
    if (len > 0) memcpy(c->bytes + c->len, bytes, len);
    c->len += len;
}

static inline void coded_free(coded_t *c) {
    free(c->bytes);
    memset(c, 0, sizeof *c);
}

/* One request, with `room` bytes of output at a time (exactly as large, so that a write too far
 * shows). */
static inline int encode_some(gale__encoder_t *e, coded_t *to, const void *bytes, size_t len,
                              int request, size_t room) {
    char *out = malloc(room);
    if (out == NULL) abort();
    gale__coder_io_t io = {.in = bytes, .in_len = len};
    do {
        io.out = out;
        io.out_len = room;
        to->result = gale__encoder_step(e, &io, request);
        coded_add(to, out, room - io.out_len);
    } while (to->result == GALE__CODER_FULL);
    free(out);
    return to->result;
}

static inline int decode_some(gale__decoder_t *d, coded_t *to, const void *bytes, size_t len,
                              size_t room, size_t limit) {
    char *out = malloc(room);
    if (out == NULL) abort();
    gale__coder_io_t io = {.in = bytes, .in_len = len};
    do {
        io.out = out;
        io.out_len = room;
        to->result = gale__decoder_step(d, &io);
        coded_add(to, out, room - io.out_len);
    } while (to->result == GALE__CODER_FULL && to->len < limit);
    to->taken += len - io.in_len;
    to->whole = to->result == GALE__CODER_DONE && gale__decoder_whole(d);
    free(out);
    return to->result;
}

/* A whole body in pieces of `step` bytes; it stops at an error, or at `limit` bytes. */
static inline coded_t decode_all(gale__decoder_t *d, const char *bytes, size_t len, size_t step,
                                 size_t room, size_t limit) {
    coded_t to = {.whole = true};
    for (size_t pos = 0; pos < len && to.result >= 0 && to.len < limit; pos += step) {
        size_t n = step < len - pos ? step : len - pos;
        char *piece = malloc(n); /* no byte more: an overread shows */
        if (piece == NULL) abort();
        memcpy(piece, bytes + pos, n);
        decode_some(d, &to, piece, n, room, limit);
        free(piece);
    }
    return to;
}

#endif
