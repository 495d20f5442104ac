#include "compress.h"

#include "coded_fields.h"
#include "connection.h"
#include "mem.h"
#include "server.h"
#include "str.h"

enum {
    WHOLE = 256 * 1024, /* a longer whole body is coded in pieces, in turns with others */
    BRIEF = 4096,       /* a shorter one is not worth waiting */
    PARTS = WHOLE / GALE__PIECE + 2, /* a coding adds less than a piece to what it can't shorten */
    COPIED = 4096,                   /* fewer coded bytes go into the outbox, not their piece */
    FIELDS = 32,
    TEXT = 512
};

/* ------------------------------------------------------------------------------------ decisions */

typedef struct {
    gale__coding_t coding;
    bool negotiated;    /* Accept-Encoding mattered, or might have */
    bool plain_refused; /* by the client */
    bool announced;     /* a HEAD response has the length of a body that wasn't made */
} plan_t;

/* Best first, where the client doesn't care: what costs the server least for its size. */
static gale__coding_t negotiate(const gale_req_t *r, bool *plain_refused) {
    static const gale__coding_t order[] = {GALE__ZSTD, GALE__BROTLI, GALE__GZIP, GALE__DEFLATE};
    gale__coding_t offered[4];
    size_t count = 0;
    for (size_t i = 0; i < 4; i++) {
        if (r->compress & gale__coding_bit(order[i])) offered[count++] = order[i];
    }
    gale__accept_t accept;
    gale__accept_fields(&accept, r->headers, r->head.header_count);
    *plain_refused = gale__accept_refuses_plain(&accept);
    return gale__accept_best(&accept, offered, count);
}

/* length: of the body, -1 when unknown. */
static plan_t plan(const gale_req_t *r, int status, const gale_header_t *h, size_t n,
                   int64_t length) {
    plan_t p = {.coding = GALE__IDENTITY};
    int64_t announced = -1;
    gale__coded_fit_t fit = gale__coded_fit(status, h, n, &announced);
    if (announced >= 0 && status != 304) {
        if (!r->head_method) return p; /* it will be refused */
        length = announced;
        p.announced = true;
    }
    bool connected = status < 300 && gale__eq(r->head.method, GALE__LIT("CONNECT"));
    if (fit == GALE__CODED_NEVER || connected) return p;
    gale__coding_t best = negotiate(r, &p.plain_refused);
    if (status != 304) {
        if (length == 0) return p;
        int64_t least = r->worker->server->config.compress_min_bytes;
        bool worth = fit == GALE__CODED_GLADLY && (length < 0 || length >= least);
        if (!worth && !p.plain_refused) return p;
    }
    p.negotiated = true;
    p.coding = best;
    return p;
}

bool gale__compress_negotiates(const gale_req_t *r, const gale_header_t *h, size_t n,
                               int64_t length) {
    return plan(r, 200, h, n, length).negotiated;
}

/* --------------------------------------------------------------------------------------- fields */

typedef struct {
    gale_header_t *list;
    size_t count;
    void *heap;
    gale_header_t few[FIELDS];
    char text[TEXT];
} fields_t;

static bool make_fields(fields_t *f, int status, const gale_header_t *h, size_t n,
                        gale__coding_t coding) {
    size_t text = gale__coded_text(h, n);
    char *to = f->text;
    f->list = f->few;
    f->heap = NULL;
    if (n + 2 > FIELDS || text > TEXT) {
        f->heap = gale__malloc((n + 2) * sizeof *h + text);
        if (f->heap == NULL) return false;
        f->list = f->heap;
        to = (char *)(f->list + n + 2);
    }
    f->count = gale__coded_fields(status, h, n, coding, f->list, to);
    return true;
}

/* ----------------------------------------------------------------------------------- the stream */

static gale__encoder_t *new_encoder(gale_req_t *r, gale__coding_t coding) {
    unsigned level = r->worker->server->config.compress_level;
    return gale__coders_encoder(&r->worker->coders, coding, level);
}

static void leave(gale_req_t *r, bool broken) {
    gale__coders_encoder_back(&r->worker->coders, r->encoder, broken);
    r->encoder = NULL;
    r->unflushed = false;
}

/* The first n bytes of a piece, which it takes. */
static int put(gale_req_t *r, gale__piece_t *p, size_t n) {
    if (n > COPIED) return gale__exchange_put_buf(r, gale__coders_piece_buf(p, n));
    int err = n > 0 ? gale__exchange_put(r, gale_str(p->bytes, n)) : 0;
    gale__coders_piece_back(p);
    return err;
}

static int run(gale_req_t *r, gale_str_t bytes, int request) {
    gale__coder_io_t io = {.in = bytes.ptr, .in_len = bytes.len};
    int result = GALE__CODER_NOMEM, err = 0;
    do {
        gale__piece_t *p = gale__coders_piece(&r->worker->coders);
        if (p != NULL) {
            io.out = p->bytes;
            io.out_len = GALE__PIECE;
            result = gale__encoder_step(r->encoder, &io, request);
            err = put(r, p, result < 0 ? 0 : GALE__PIECE - io.out_len);
        }
        if (p == NULL || result < 0) err = UV_ENOMEM;
    } while (err >= 0 && result == GALE__CODER_FULL);
    if (err >= 0) return 0;
    leave(r, true);
    gale__conn_cut(r->conn, err);
    return err;
}

int gale__compress_write(gale_req_t *r, gale_str_t bytes) {
    if (r->file == NULL) { /* which has counted it before it was read */
        gale__coding_encoded(r->worker, r->encoder->coding, r->encoder->level, bytes.len);
    }
    int err = run(r, bytes, GALE__CODER_RUN);
    r->unflushed = err == 0;
    return err;
}

int gale__compress_flush(gale_req_t *r) {
    if (!r->unflushed) return 0;
    r->unflushed = false;
    return run(r, gale_str(NULL, 0), GALE__CODER_FLUSH);
}

int gale__compress_end(gale_req_t *r) {
    int err = run(r, gale_str(NULL, 0), GALE__CODER_FINISH);
    if (err == 0) leave(r, false);
    return err;
}

/* A flush costs some bytes, and a client that is behind would not see them now. */
void gale__compress_settle(gale_req_t *r) {
    bool whole = r->file != NULL || r->source != NULL;
    if (whole || gale__conn_queued(r->conn) > r->worker->server->config.write_low_water) return;
    gale__compress_flush(r);
}

int gale__compress_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                         int64_t length) {
    plan_t p = plan(r, status, h, n, length);
    if (!p.negotiated) return gale__plain_begin(r, status, h, n, length);
    gale__encoder_t *e = NULL;
    bool sends = gale__exchange_sends_body(r, status);
    /* HTTP/1.0 has no chunks: a known length is worth more to it. */
    if (length >= 0 && r->head.minor == 0 && sends) p.coding = GALE__IDENTITY;
    if (p.coding != GALE__IDENTITY && sends) {
        e = new_encoder(r, p.coding);
        if (e == NULL) p.coding = GALE__IDENTITY;
    }
    fields_t f;
    int err = make_fields(&f, status, h, n, p.coding) ? 0 : UV_ENOMEM;
    bool coded = p.coding != GALE__IDENTITY && status != 304;
    if (err == 0) err = gale__plain_begin(r, status, f.list, f.count, coded ? -1 : length);
    if (f.heap != NULL) gale__free(f.heap);
    if (err < 0) {
        if (e != NULL) gale__coders_encoder_back(&r->worker->coders, e, false);
        return err;
    }
    if (coded) {
        r->encoder = e;
        r->counted = length >= 0;
        r->resp_left = length < 0 ? 0 : (uint64_t)length;
    }
    return 0;
}

/* --------------------------------------------------------------------------------- whole bodies */

typedef struct {
    gale_buf_t part[PARTS];
    size_t count, bytes;
} coded_t;

static void free_parts(coded_t *coded) {
    while (coded->count > 0) gale_buf_free(coded->part[--coded->count]);
}

/* Codes a body in one go. False, with nothing left behind, when there is no memory or it gets no
 * shorter. */
static bool code_whole(gale_req_t *r, const plan_t *p, gale_str_t body, coded_t *coded) {
    gale__coders_t *coders = &r->worker->coders;
    gale__encoder_t *e = new_encoder(r, p->coding);
    if (e == NULL) return false;
    gale__coder_io_t io = {.in = body.ptr, .in_len = body.len};
    int result = GALE__CODER_FULL;
    gale__coding_encoded(r->worker, e->coding, e->level, body.len);
    coded->count = coded->bytes = 0;
    while (result == GALE__CODER_FULL && coded->count < PARTS) {
        gale__piece_t *piece = gale__coders_piece(coders);
        if (piece == NULL) break;
        io.out = piece->bytes;
        io.out_len = GALE__PIECE;
        result = gale__encoder_step(e, &io, GALE__CODER_FINISH);
        size_t made = GALE__PIECE - io.out_len;
        coded->part[coded->count++] = gale__coders_piece_buf(piece, made);
        coded->bytes += made;
        if (coded->bytes >= body.len && !p->plain_refused) break;
    }
    gale__coders_encoder_back(coders, e, result < 0);
    bool good = result == GALE__CODER_DONE && (coded->bytes < body.len || p->plain_refused);
    if (!good) free_parts(coded);
    return good;
}

static int send_whole(gale_req_t *r, int status, const fields_t *f, coded_t *coded) {
    size_t extra = coded->bytes <= GALE__OUT_SMALL ? coded->bytes : 0;
    int err = gale__exchange_head(r, status, f->list, f->count, GALE__BODY_LENGTH, coded->bytes,
                                  extra, false);
    if (err < 0 || !gale__exchange_sends_body(r, status)) {
        free_parts(coded);
    } else {
        for (size_t i = 0; i < coded->count; i++) {
            int failed = gale__conn_write_buf(r->conn, coded->part[i]);
            if (failed < 0) err = failed;
        }
    }
    if (err >= 0) gale__exchange_ended(r);
    return err;
}

/* A large body: begins a stream that gale__compress_drain feeds. To HEAD it is announced as to GET:
 * without a length. */
static int send_large(gale_req_t *r, int status, const fields_t *f, gale__encoder_t *e,
                      gale_buf_t body, bool borrowed) {
    bool copied = borrowed && !r->head_method;
    if (copied) body = gale_buf_copy(body.ptr, body.len);
    int err = UV_ENOMEM;
    if (!copied || body.ptr != NULL) err = gale__plain_begin(r, status, f->list, f->count, -1);
    if (err == 0 && !r->head_method) {
        r->large = (gale__source_t){body, 0};
        r->encoder = e;
        r->source = &r->large;
        return 0;
    }
    if (err == 0) gale__exchange_ended(r);
    gale__coders_encoder_back(&r->worker->coders, e, false);
    if (copied || !borrowed) gale_buf_free(body);
    return err;
}

static int send_plain(gale_req_t *r, int status, const fields_t *f, gale_buf_t body,
                      bool borrowed) {
    return borrowed
               ? gale__plain_respond(r, status, f->list, f->count, gale_str(body.ptr, body.len))
               : gale__plain_respond_buf(r, status, f->list, f->count, body);
}

typedef enum { AS_PLAIN, AS_WHOLE, AS_LARGE } way_t;

/* AS_WHOLE: *coded is set. AS_LARGE: *e. */
static way_t choose(gale_req_t *r, int status, plan_t *p, gale_str_t body, coded_t *coded,
                    gale__encoder_t **e) {
    if (status == 304) return AS_PLAIN; /* its ETag is that of the coded body */
    unsigned level = r->worker->server->config.compress_level;
    bool large = body.len > WHOLE || (r->head_method && p->announced);
    if (body.len > BRIEF && r->head.minor > 0)
        large |= !gale__coding_has_room(r->worker, p->coding, level, body.len);
    if (p->coding != GALE__IDENTITY && !large) {
        if (code_whole(r, p, body, coded)) return AS_WHOLE;
    } else if (p->coding != GALE__IDENTITY && r->head.minor > 0) {
        *e = new_encoder(r, p->coding);
        if (*e != NULL) return AS_LARGE;
    }
    p->coding = GALE__IDENTITY;
    return AS_PLAIN;
}

int gale__compress_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                           gale_buf_t body, bool borrowed) {
    plan_t p = plan(r, status, h, n, (int64_t)body.len);
    fields_t f = {.list = (gale_header_t *)h, .count = n};
    if (!p.negotiated) return send_plain(r, status, &f, body, borrowed);
    coded_t coded = {.count = 0};
    gale__encoder_t *e = NULL;
    way_t way = choose(r, status, &p, gale_str(body.ptr, body.len), &coded, &e);
    if (!make_fields(&f, status, h, n, p.coding)) {
        free_parts(&coded);
        if (e != NULL) gale__coders_encoder_back(&r->worker->coders, e, false);
        if (!borrowed) gale_buf_free(body);
        return UV_ENOMEM;
    }
    int err;
    if (way == AS_PLAIN) {
        err = send_plain(r, status, &f, body, borrowed);
    } else if (way == AS_LARGE) {
        err = send_large(r, status, &f, e, body, borrowed);
    } else {
        err = send_whole(r, status, &f, &coded);
        if (!borrowed) gale_buf_free(body);
    }
    if (f.heap != NULL) gale__free(f.heap);
    return err;
}

bool gale__compress_drain(gale_req_t *r) {
    gale__source_t *s = r->source;
    if (!gale__coding_may(r)) return false;
    size_t left = s->body.len - s->pos, n = left < GALE__CODING_PIECE ? left : GALE__CODING_PIECE;
    if (gale__compress_write(r, gale_str((const char *)s->body.ptr + s->pos, n)) < 0) return false;
    s->pos += n;
    if (s->pos < s->body.len) {
        gale__coding_wait(r); /* the other clients have their turn */
        return false;
    }
    gale_buf_free(s->body);
    r->source = NULL;
    gale__exchange_end(r, NULL, 0);
    return true;
}

void gale__compress_drop(gale_req_t *r) {
    if (r->encoder != NULL) leave(r, false);
    if (r->source == NULL) return;
    gale_buf_free(r->source->body);
    r->source = NULL;
}
