/*
 * Compressed messages as they come (RFC 7692 7.2.2). Their bytes wait until all are there, and are
 * then inflated in one go: until its end, a message holds what its client has sent, not what that
 * would become, and the decoder can be one that all sockets share. What comes out is judged as it
 * comes: no byte more is made of it when it is too big or not UTF-8.
 */
#include <string.h>

#include "mem.h"
#include "ws.h"

typedef struct {
    char *bytes;
    size_t len, cap;
    gale__piece_t *piece; /* which they are in, while they fit */
} output_t;

static void output_free(output_t *o) {
    if (o->piece != NULL) {
        gale__coders_piece_back(o->piece);
    } else {
        gale__free(o->bytes);
    }
}

/* More room, up to `most` bytes in all. */
static bool output_grow(output_t *o, size_t most) {
    size_t cap = o->cap < most / 2 ? o->cap * 2 : most;
    char *bytes = gale__realloc(o->piece != NULL ? NULL : o->bytes, cap);
    if (bytes == NULL) return false;
    if (o->piece != NULL) {
        memcpy(bytes, o->bytes, o->len);
        gale__coders_piece_back(o->piece);
        o->piece = NULL;
    }
    o->bytes = bytes;
    o->cap = cap;
    return true;
}

/* 0 when all of it is out, or the close code. */
static int inflate_all(gale_ws_t *ws, gale__inflate_t *i, int kind, gale_str_t payload,
                       output_t *o) {
    uint64_t max = gale__ws_config(ws)->ws_max_message_bytes;
    size_t most = max < SIZE_MAX / 2 ? (size_t)max + 1 : SIZE_MAX / 2; /* one byte shows it */
    gale__ws_inflating_t state = {.in = payload};
    gale__utf8_t utf8 = {0};
    for (;;) {
        size_t made;
        if (o->len == o->cap && !output_grow(o, most)) return 1011;
        size_t room = o->cap < most ? o->cap : most;
        int result = gale__ws_inflate_some(i, &state, o->bytes + o->len, room - o->len, &made);
        if (result == GALE__CODER_NOMEM) return 1011;
        if (result < 0) return 1007;
        if (kind == GALE_WS_TEXT && !gale__utf8_next(&utf8, o->bytes + o->len, made)) return 1007;
        o->len += made;
        if (o->len > max) return 1009;
        if (result == GALE__CODER_DONE) return gale__utf8_complete(&utf8) ? 0 : 1007;
    }
}

/* The window of the messages before, or none. */
static gale__inflate_t *decoder(gale_ws_t *ws) {
    gale__ws_coders_t *c = &ws->conn->worker->ws_coders;
    bool kept = ws->windows != NULL && ws->windows->inflate_kept;
    return kept ? gale__ws_windows_inflate(c, ws->windows) : gale__ws_coders_inflate(c);
}

static const char *reason_of(int code) {
    return code == 1009   ? "message too big"
           : code == 1011 ? "out of memory"
                          : "the message is not UTF-8, or its compressed bytes are broken";
}

void gale__ws_inflate(gale_ws_t *ws, int kind, gale_str_t payload) {
    gale_worker_t *w = ws->conn->worker;
    gale__inflate_t *i = decoder(ws);
    output_t o = {.piece = gale__coders_piece(&w->coders), .cap = GALE__PIECE};
    int code = 1011;
    if (o.piece != NULL) o.bytes = o.piece->bytes;
    if (i != NULL && o.piece != NULL) code = inflate_all(ws, i, kind, payload, &o);
    if (code == 0) {
        /* A large one was worth more than its turn. */
        if (o.len > GALE__PIECE) gale__conn_work(ws->conn, GALE__TURN_WORK);
        gale__ws_deliver(ws, kind, gale_str(o.bytes, o.len));
    } else {
        gale__ws_fail(ws, code, reason_of(code));
    }
    output_free(&o);
}
