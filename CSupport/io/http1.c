#include "http1.h"

#include <string.h>

#include "client.h"
#include "decode.h"
#include "form.h"
#include "mem.h"
#include "server.h"
#include "str.h"
#include "ws.h"

#define TOO_LARGE "the request body is too large"
enum { COLLECT_FIRST = 4096 };

static const gale_server_t *server_of(const gale__conn_t *c) {
    return c->worker->server;
}

/* ------------------------------------------------------------------------------------ callbacks */

static void call_request(gale_req_t *r) {
    const gale_server_t *s = r->worker->server;
    gale__conn_t *c = r->conn;
    r->announced = true;
    r->in_request = true;
    c->depth++;
    s->handler.on_request(r, s->handler_data);
    c->depth--;
    r->in_request = false;
}

static void call_body(gale_req_t *r, gale_str_t chunk, bool last) {
    const gale_server_t *s = r->worker->server;
    if (r->done || r->resp_state == GALE__RESP_ENDED || r->source != NULL) return;
    if (r->form != NULL) {
        gale__form_body(r->form, chunk, last);
        return;
    }
    r->conn->depth++;
    s->handler.on_body(r, chunk, last, s->handler_data);
    r->conn->depth--;
}

void gale__http1_continue(gale_req_t *r) {
    if (!r->continue_due || r->resp_state != GALE__RESP_NONE) return;
    r->continue_due = false;
    gale__conn_write(r->conn, GALE__LIT("HTTP/1.1 100 Continue\r\n\r\n"));
}

void gale__http1_resume(gale_req_t *r) {
    gale__conn_t *c = r->conn;
    c->paused = false;
    gale__conn_touch(c);
    if (r->in_request) return;                  /* as it returns */
    if (c->in != NULL) r->continue_due = false; /* it didn't wait: the body is coming */
    if (r->refuse == 0) gale__http1_continue(r);
}

/* A request that stays open keeps the memory its slices point into. */
static void pin(gale_req_t *r, gale__block_t *block, size_t bytes) {
    if (r->pin != NULL) return;
    gale__block_ref(block);
    r->pin = block;
    if (block->pool == NULL) return;
    r->pin_bytes = (uint32_t)bytes;
    r->worker->blocks.pinned += bytes;
}

/*
 * ---------------------------------------------------------------------------------------- bodies
 */

static void body_complete(gale__conn_t *c, gale_req_t *r) {
    uint8_t mode = r->body_mode;
    r->body_mode = GALE__BODY_WHOLE;
    c->phase = GALE__PHASE_ANSWER;
    c->paused = false;
    if (mode != GALE__BODY_COLLECT) return;
    r->collected = true;
    if (r->announced) {
        call_body(r, r->body, true);
    } else {
        call_request(r);
    }
}

static bool append(gale_req_t *r, const char *bytes, size_t len) {
    if (r->body.len + len > r->body_cap) {
        size_t cap = r->body_cap == 0 ? COLLECT_FIRST : r->body_cap * 2;
        if (!r->head.chunked && !r->decoded) cap = (size_t)r->head.content_length;
        while (cap < r->body.len + len) cap *= 2;
        char *mem = gale__realloc(r->body_mem, cap);
        if (mem == NULL) return false;
        r->body_mem = mem;
        r->body_cap = cap;
    }
    memcpy(r->body_mem + r->body.len, bytes, len);
    r->body = gale_str(r->body_mem, r->body.len + len);
    return true;
}

bool gale__http1_take_body(gale__conn_t *c, gale_req_t *r, gale_str_t piece, bool last) {
    r->body_seen += piece.len;
    if (r->body_seen > r->max_body) {
        gale__http1_refuse(c, 413, TOO_LARGE);
        return false;
    }
    if (r->body_mode == GALE__BODY_STREAM) {
        gale__conn_work(c, 1);
        call_body(r, piece, last);
        if (c->cut_due) return false;
        if (r->resp_state == GALE__RESP_ENDED) r->body_mode = GALE__BODY_DISCARD;
    } else if (r->body_mode == GALE__BODY_COLLECT && piece.len > 0 &&
               !append(r, piece.ptr, piece.len)) {
        gale__conn_cut(c, UV_ENOMEM);
        return false;
    }
    return true;
}

/* One piece of the message's body, out of its chunks. False when that was refused, or the last. */
static bool take_piece(gale__conn_t *c, gale_req_t *r, gale_str_t piece, bool last) {
    if (r->decoder != NULL && r->body_mode != GALE__BODY_DISCARD) {
        int result = gale__decode_feed(r, piece, last);
        if (result == GALE__DECODE_COMPLETE) body_complete(c, r);
        return result == GALE__DECODE_MORE;
    }
    if (!gale__http1_take_body(c, r, piece, last)) return false;
    if (last) body_complete(c, r);
    return !last;
}

bool gale__http1_pump(gale__conn_t *c) {
    gale_req_t *r = c->req;
    if (r == NULL || r->held == NULL || c->paused || c->cut_due) return false;
    if (!gale__coding_may(r)) return false;
    if (gale__decode_pump(r) == GALE__DECODE_COMPLETE) body_complete(c, r);
    return true;
}

static size_t feed_length(gale__conn_t *c, gale_req_t *r, char *bytes, size_t len) {
    size_t n = len < r->body_left ? len : (size_t)r->body_left;
    r->body_left -= n;
    take_piece(c, r, gale_str(bytes, n), r->body_left == 0);
    return n;
}

static size_t feed_chunked(gale__conn_t *c, gale_req_t *r, char *bytes, size_t len) {
    size_t pos = 0;
    while (!c->paused && r->held == NULL && c->turn_left > 0) {
        gale_str_t piece;
        switch (gale__chunked_next(&r->chunked, bytes, len, &pos, &piece)) {
        case GALE__CHUNKED_DATA:
            if (!take_piece(c, r, piece, false)) return pos;
            break;
        case GALE__CHUNKED_TRAILERS:
            if (r->body_mode != GALE__BODY_DISCARD && !gale__trailers_add(&r->trailers, piece)) {
                gale__conn_cut(c, UV_ENOMEM);
                return pos;
            }
            break;
        case GALE__CHUNKED_END:
            if (r->trailers != NULL) gale__trailers_finish(r->trailers);
            take_piece(c, r, gale_str(bytes, 0), true);
            return pos;
        case GALE__CHUNKED_ERROR:
            gale__http1_refuse(c, r->chunked.refused, r->chunked.error);
            return len;
        default:
            return pos;
        }
    }
    return pos;
}

static size_t feed_body(gale__conn_t *c, char *bytes, size_t len) {
    gale_req_t *r = c->req;
    if (r->held != NULL || (c->paused && r->body_mode == GALE__BODY_STREAM)) return 0;
    return r->head.chunked ? feed_chunked(c, r, bytes, len) : feed_length(c, r, bytes, len);
}

char *gale__http1_body_room(gale__conn_t *c, size_t *size) {
    gale_req_t *r = c->req;
    if (c->phase != GALE__PHASE_BODY || r->head.chunked || r->decoded ||
        r->body_mode != GALE__BODY_COLLECT || r->body_mem == NULL) {
        return NULL;
    }
    *size = (size_t)r->body_left;
    return r->body_mem + r->body.len;
}

void gale__http1_body_read(gale__conn_t *c, size_t n) {
    gale_req_t *r = c->req;
    r->body.len += n;
    r->body_left -= n;
    r->body_seen += n;
    if (r->body_left == 0) body_complete(c, r);
}

/* Begins to collect: 0, or the status to refuse with. */
static int begin_collect(gale_req_t *r, uint64_t max_bytes) {
    r->max_body = max_bytes;
    if (!r->head.chunked && r->body_left > max_bytes) return 413;
    r->body_mode = GALE__BODY_COLLECT;
    return 0;
}

/* Collects ahead of time, so that the following reads go straight into the body's own memory. */
static bool prepare_body(gale__conn_t *c, gale_req_t *r) {
    if (r->head.chunked || r->decoded || r->body_mode != GALE__BODY_COLLECT) return true;
    r->body_mem = gale__malloc((size_t)r->body_left);
    r->body_cap = (size_t)r->body_left;
    r->body = gale_str(r->body_mem, 0);
    if (r->body_mem == NULL) gale__conn_cut(c, UV_ENOMEM);
    return r->body_mem != NULL;
}

int gale__http1_collect(gale_req_t *r, uint64_t max_bytes) {
    gale__conn_t *c = r->conn;
    if (c->cut_due || r->done) return GALE_EGONE;
    if (r->body_mode != GALE__BODY_STREAM || r->body_seen > 0 || r->refuse != 0 ||
        r->form != NULL || r->resp_state == GALE__RESP_ENDED ||
        r->worker->server->handler.on_body == NULL) {
        return GALE_ESTATE;
    }
    r->refuse = (uint16_t)begin_collect(r, max_bytes);
    r->collecting = true;
    gale__http1_resume(r);
    if (r->refuse != 0) return GALE_ELIMIT;
    if (r->in_request || prepare_body(c, r)) return 0;
    return UV_ENOMEM;
}

/*
 * ----------------------------------------------------------------------------------------- heads
 */

/* After on_request of a server with on_body: what becomes of the body. False when it
 * was refused. */
static bool settle_body_mode(gale__conn_t *c, gale_req_t *r) {
    if (c->cut_due || r->done) return false;
    if (r->resp_state == GALE__RESP_ENDED) {
        r->body_mode = GALE__BODY_DISCARD;
        return true;
    }
    if (!r->head.chunked && r->body_left > r->max_body) r->refuse = 413;
    if (r->refuse != 0) {
        gale__http1_refuse(c, r->refuse, TOO_LARGE);
        return false;
    }
    if (!c->paused) gale__http1_continue(r);
    return true;
}

/* A body that came whole with its head is not copied. Gives the bytes taken. */
static size_t take_whole(gale__conn_t *c, gale_req_t *r, char *rest, size_t len) {
    if (r->head.chunked || r->decoded || r->body_mode != GALE__BODY_COLLECT) return 0;
    if (r->body_left > len) return 0;
    size_t n = (size_t)r->body_left;
    r->body = gale_str(rest, n);
    r->body_left = 0;
    r->body_seen = n;
    body_complete(c, r);
    return n;
}

/* A complete head: decides on the body and calls on_request. Gives the bytes taken of `rest`. */
static size_t begin(gale__conn_t *c, gale_req_t *r, char *rest, size_t len) {
    const gale_server_t *s = server_of(c);
    const gale__head_t *h = &r->head;
    bool has_body = h->chunked || h->content_length > 0;
    gale__count(&c->worker->counters, GALE__N_REQUESTS, 1);
    c->served++;
    c->keep_alive = h->keep_alive && !gale__conn_is_worn(c);
    gale__conn_work(c, GALE__REQUEST_WORK);
    r->head_method = gale__eq(h->method, GALE__LIT("HEAD"));
    r->max_body = s->config.max_body_bytes;
    const char *why = "this https URL was not asked for over a connection known to be secure";
    int refused = h->target.ptr[0] != '/' && gale__client_is_misdirected(r) ? 421 : 0;
    if (refused == 0 && s->config.decompress != 0) refused = gale__decode_begin(r, &why);
    if (refused != 0) {
        gale__http1_refuse(c, refused, why);
        return 0;
    }
    if (!has_body) {
        c->phase = GALE__PHASE_ANSWER;
        r->body_mode = GALE__BODY_WHOLE;
        call_request(r);
        return 0;
    }
    c->phase = GALE__PHASE_BODY;
    r->body_left = h->chunked ? 0 : (uint64_t)h->content_length;
    r->continue_due = h->expect_continue && len == 0; /* or it didn't wait (RFC 9110 10.1.1) */
    if (h->chunked) gale__chunked_init(&r->chunked);
    if (s->handler.on_body == NULL) {
        r->refuse = (uint16_t)begin_collect(r, s->config.max_body_bytes);
    } else {
        r->body_mode = GALE__BODY_STREAM;
        call_request(r);
    }
    if (!settle_body_mode(c, r)) return 0;
    size_t n = take_whole(c, r, rest, len);
    if (n == 0 && c->phase == GALE__PHASE_BODY) prepare_body(c, r);
    return n;
}

/* Under fragmentation the head moves to memory of its own before anyone sees it. */
static char *copy_out(gale_req_t *r, char *bytes, size_t len) {
    gale__block_t *b = gale__block_new(len);
    if (b == NULL) return bytes;
    memcpy(b->data, bytes, len);
    gale__head_rebase(&r->head, bytes, b->data);
    r->pin = b;
    return b->data;
}

static size_t feed_head(gale__conn_t *c, char *bytes, size_t len, gale__block_t *block) {
    gale_worker_t *w = c->worker;
    if (c->req == NULL && (c->req = gale__exchange_new(w, c)) == NULL) {
        gale__conn_cut(c, UV_ENOMEM);
        return 0;
    }
    gale_req_t *r = c->req;
    int head = gale__head_parse(&r->head, &w->limits, bytes, len);
    if (head == 0) return 0;
    if (head < 0) {
        gale__http1_refuse(c, -head, r->head.error);
        return 0;
    }
    size_t whole = (size_t)head;
    if (gale__block_pool_sparse(&w->blocks)) {
        /* A small body goes along, since it may be handed out as a slice. */
        bool with_body = !r->head.chunked && (uint64_t)r->head.content_length <= len - whole;
        size_t copied = whole + (with_body ? (size_t)r->head.content_length : 0);
        bytes = copy_out(r, bytes, copied);
        if (r->pin != NULL) len = with_body ? copied : whole;
    }
    size_t n = whole + begin(c, r, bytes + whole, len - whole);
    if (c->req == r && !gale__http1_advance(c) && c->req == r) pin(r, block, n);
    return n;
}

bool gale__http1_advance(gale__conn_t *c) {
    gale_req_t *r = c->req;
    if (r->form != NULL) gale__form_go_on(r->form);
    if (r->resp_state == GALE__RESP_ENDED && !r->done && !c->cut_due) {
        const gale_config_t *config = &server_of(c)->config;
        size_t limit = r->waiting_flush ? config->write_low_water : config->write_high_water;
        if (gale__conn_queued(c) > limit &&
            (gale__conn_flush(c) < 0 || gale__conn_queued(c) > limit)) {
            r->waiting_flush = true;
            return false;
        }
        if (r->body_mode != GALE__BODY_WHOLE) {
            r->body_mode = r->wire_over ? GALE__BODY_WHOLE : GALE__BODY_DISCARD;
        }
        r->waiting_flush = false;
        gale__exchange_done(r, r->too_short ? GALE_ELENGTH : GALE_OK);
    }
    if (!r->done || c->cut_due) {
        if (r->refuse != 0 && !r->in_request) gale__http1_refuse(c, r->refuse, TOO_LARGE);
        return false;
    }
    if (c->ws == NULL && r->body_mode != GALE__BODY_WHOLE && c->keep_alive) return false;
    c->req = NULL;
    gale__exchange_free(r);
    if (c->ws != NULL) { /* it speaks something else now, if it has not failed already */
        return c->phase == GALE__PHASE_WS || c->phase == GALE__PHASE_TUNNEL;
    }
    if (!c->keep_alive || c->worker->state != GALE__WORKER_RUNNING) {
        gale__conn_linger(c);
        return false;
    }
    c->phase = GALE__PHASE_HEAD;
    c->paused = false;
    return true;
}

size_t gale__http1_feed(gale__conn_t *c, char *bytes, size_t len, gale__block_t *block) {
    size_t pos = 0;
    while (pos < len && !c->cut_due && c->turn_left > 0) {
        size_t n;
        if (c->phase == GALE__PHASE_HEAD) {
            n = feed_head(c, bytes + pos, len - pos, block);
        } else if (c->phase == GALE__PHASE_BODY) {
            n = feed_body(c, bytes + pos, len - pos);
            if (c->req != NULL && !c->cut_due) gale__http1_advance(c);
        } else {
            break;
        }
        if (n == 0) break;
        pos += n;
    }
    return pos;
}
