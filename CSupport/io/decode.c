#include "decode.h"

#include <string.h>

#include "connection.h"
#include "http1.h"
#include "mem.h"
#include "server.h"
#include "str.h"

#define CONSUMED "X-Consumed-Content-Encoding"
enum { RATIO_FREE = 64 * 1024 }; /* what comes out before the ratio is looked at */

/* Coded bytes that wait for a handler to resume. Their number may be 0: then the decoder alone
 * holds something back. */
struct gale__held {
    size_t pos, len;
    char bytes[];
};

/* ----------------------------------------------------------------------------------------- head */

static bool is_content_encoding(gale_str_t name) {
    return gale__eq_nocase(name, GALE__LIT("Content-Encoding"));
}

/* The one coding of a list, or identity; false when there are several, or one that is not on
 * offer. */
static bool read_codings(gale_str_t list, uint32_t allowed, gale__coding_t *coding) {
    while (list.len > 0) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.ptr) : list.len;
        gale_str_t name = gale__trim(gale_str(list.ptr, len));
        gale__coding_t found = GALE__IDENTITY;
        if (name.len > 0 && !gale__coding_named(name, &found)) return false;
        if (found != GALE__IDENTITY) {
            if (*coding != GALE__IDENTITY || !(allowed & gale__coding_bit(found))) return false;
            if (!gale__coding_built(found)) return false;
            *coding = found;
        }
        if (comma == NULL) break;
        list = gale_str(comma + 1, list.len - len - 1);
    }
    return true;
}

/* Nobody but this server says what it has consumed. */
static void remove_forged(gale_req_t *r) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (!gale__eq_nocase(r->headers[i].name, GALE__LIT(CONSUMED)))
            r->headers[kept++] = r->headers[i];
    }
    r->head.header_count = kept;
}

int gale__decode_begin(gale_req_t *r, const char **why) {
    gale__coding_t coding = GALE__IDENTITY;
    uint32_t allowed = r->worker->server->config.decompress;
    remove_forged(r);
    if (!r->head.chunked && r->head.content_length == 0) return 0;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (!is_content_encoding(r->headers[i].name)) continue;
        if (!read_codings(r->headers[i].value, allowed, &coding)) {
            *why = "the request body is in a content coding that is not accepted";
            return 415;
        }
    }
    if (coding == GALE__IDENTITY) return 0;
    r->decoder = gale__coders_decoder(&r->worker->coders, coding);
    if (r->decoder == NULL) {
        *why = "no memory to decode the request body";
        return 503;
    }
    r->decoded = true;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        if (is_content_encoding(r->headers[i].name)) r->headers[i].name = GALE__LIT(CONSUMED);
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------- body */

void gale__decode_drop(gale_req_t *r) {
    gale__coders_decoder_back(&r->worker->coders, r->decoder);
    gale__free(r->held);
    r->decoder = NULL;
    r->held = NULL;
}

static int refuse(gale_req_t *r, int status, const char *why) {
    gale__http1_refuse(r->conn, status, why);
    return GALE__DECODE_REFUSED;
}

static bool wanted(const gale_req_t *r) {
    return r->body_mode == GALE__BODY_STREAM || r->body_mode == GALE__BODY_COLLECT;
}

/* One step into `p`; what comes out goes on. Gives what the step gave, or -1 after a refusal. */
static int step(gale_req_t *r, gale__coder_io_t *io, gale__piece_t *p) {
    io->out = p->bytes;
    io->out_len = GALE__PIECE;
    int result = gale__decoder_step(r->decoder, io);
    if (result == GALE__CODER_NOMEM) return refuse(r, 503, "no memory to decode the request body");
    if (result < 0) return refuse(r, 400, "the request body is not what its content coding says");
    size_t made = GALE__PIECE - io->out_len;
    gale__coding_decoded(r->worker, made);
    uint64_t out = r->body_seen + made, in = r->wire_seen - io->in_len;
    if (out > RATIO_FREE && out / r->worker->server->config.decompress_ratio > in) {
        return refuse(r, 413, "the request body is compressed too much");
    }
    if (made == 0) return result;
    gale_str_t piece = gale_str(p->bytes, made);
    return gale__http1_take_body(r->conn, r, piece, false) ? result : GALE__DECODE_REFUSED;
}

/* Keeps what is left of the input, which may be the held bytes themselves. */
static int hold(gale_req_t *r, gale_str_t rest) {
    if (r->held != NULL) {
        r->held->pos = r->held->len - rest.len;
        return GALE__DECODE_MORE;
    }
    r->held = gale__malloc(sizeof *r->held + rest.len);
    if (r->held == NULL) {
        gale__conn_cut(r->conn, UV_ENOMEM);
        return GALE__DECODE_REFUSED;
    }
    r->held->pos = 0;
    r->held->len = rest.len;
    if (rest.len > 0) memcpy(r->held->bytes, rest.ptr, rest.len);
    return GALE__DECODE_MORE;
}

static int finish(gale_req_t *r) {
    if (!gale__decoder_whole(r->decoder)) {
        return refuse(r, 400, "the request body ends within its content coding");
    }
    gale__decode_drop(r);
    bool taken = gale__http1_take_body(r->conn, r, gale_str("", 0), true);
    return taken ? GALE__DECODE_COMPLETE : GALE__DECODE_REFUSED;
}

static int run(gale_req_t *r, gale_str_t bytes) {
    gale__piece_t *p = gale__coders_piece(&r->worker->coders);
    if (p == NULL) return refuse(r, 503, "no memory to decode the request body");
    const gale__conn_t *c = r->conn;
    gale__coder_io_t io = {.in = bytes.ptr, .in_len = bytes.len};
    int result;
    bool waits = false;
    do {
        result = step(r, &io, p);
        if (result != GALE__CODER_FULL || c->paused || !wanted(r)) break;
        waits = !gale__coding_may(r);
    } while (!waits);
    gale__coders_piece_back(p);
    if (result < 0) return GALE__DECODE_REFUSED;
    if (!wanted(r)) {
        gale__decode_drop(r);
        return r->wire_over ? GALE__DECODE_COMPLETE : GALE__DECODE_MORE;
    }
    if (waits || (c->paused && (result == GALE__CODER_FULL || r->wire_over))) {
        return hold(r, gale_str(io.in, io.in_len));
    }
    gale__free(r->held);
    r->held = NULL;
    return r->wire_over ? finish(r) : GALE__DECODE_MORE;
}

int gale__decode_feed(gale_req_t *r, gale_str_t bytes, bool over) {
    r->wire_seen += bytes.len;
    r->wire_over = over;
    if (r->wire_seen > r->max_body) return refuse(r, 413, "the request body is too large");
    return run(r, bytes);
}

int gale__decode_pump(gale_req_t *r) {
    return run(r, gale_str(r->held->bytes + r->held->pos, r->held->len - r->held->pos));
}
