#include "exchange.h"

#include <string.h>

#include "compress.h"
#include "connection.h"
#include "decode.h"
#include "file.h"
#include "form.h"
#include "http1.h"
#include "mem.h"
#include "server.h"
#include "str.h"

enum {
    FREE_REQUESTS = 64,
    DISCARD_LIMIT = 256 * 1024 /* a longer unread body costs more than a new connection */
};

gale_req_t *gale__exchange_new(gale_worker_t *w, gale__conn_t *c) {
    gale_req_t *r = w->requests;
    if (r != NULL) {
        w->requests = r->next_free;
        w->request_count--;
    } else {
        r = gale__malloc(sizeof *r + w->limits.max_headers * sizeof(gale_header_t));
        if (r == NULL) return NULL;
    }
    memset(r, 0, offsetof(gale_req_t, head));
    r->conn = c;
    r->worker = w;
    r->compress = (uint8_t)w->server->config.compress;
    gale__head_init(&r->head, r->headers);
    return r;
}

void gale__exchange_done(gale_req_t *r, int status) {
    if (r->file != NULL) gale__file_cancel(r);
    if (r->encoder != NULL || r->source != NULL) gale__compress_drop(r);
    if (r->decoder != NULL) gale__decode_drop(r);
    if (r->ref_slot != 0) gale__ref_drop(&r->worker->refs, r->ref_slot);
    r->ref_slot = 0;
    if (!r->announced || r->done) return;
    r->done = true;
    const gale_server_t *s = r->worker->server;
    gale__conn_t *c = r->conn;
    gale_worker_t *before =
        gale__worker_enter(r->worker); /* gale_ws_accept comes from anywhere on the loop */
    c->depth++;
    if (r->form != NULL) gale__form_over(r->form, status == GALE_OK ? GALE_EABORTED : status);
    if (s->handler.on_done != NULL) s->handler.on_done(r, status, s->handler_data);
    if (r->form != NULL) gale__form_free(r->form);
    r->form = NULL;
    c->depth--;
    gale__worker_leave(before);
}

void gale__exchange_free(gale_req_t *r) {
    gale_worker_t *w = r->worker;
    if (r->coding_waits) gale__coding_forget(r);
    if (r->pin != NULL) {
        w->blocks.pinned -= r->pin_bytes;
        gale__block_unref(r->pin);
    }
    gale__free(r->body_mem);
    if (r->trailers != NULL) gale__free(r->trailers);
    if (r->cookie_mem != NULL) gale__free(r->cookie_mem);
    if (w->request_count >= FREE_REQUESTS) {
        gale__free(r);
        return;
    }
    r->next_free = w->requests;
    w->requests = r;
    w->request_count++;
}

void gale__exchange_free_pool(gale_worker_t *w) {
    while (w->requests != NULL) {
        gale_req_t *r = w->requests;
        w->requests = r->next_free;
        gale__free(r);
    }
    w->request_count = 0;
}

/* ------------------------------------------------------------------------------- response heads */

bool gale__exchange_sends_body(const gale_req_t *r, int status) {
    return !r->head_method && status != 204 && status != 205 && status != 304;
}

/* Whether the connection can go on after this response: the rest of the body must be worth reading,
 * and a client that still waits for 100 Continue cannot be told that none will come (RFC
 * 9110 10.1.1). */
static bool can_keep(const gale_req_t *r, uint8_t framing) {
    const gale__conn_t *c = r->conn;
    if (!c->keep_alive || framing == GALE__BODY_UNTIL_CLOSE) return false;
    if (c->eof && c->in == NULL) return false; /* that was the last request */
    if (r->worker->state != GALE__WORKER_RUNNING) return false;
    if (r->body_mode == GALE__BODY_WHOLE) return true;
    return !r->continue_due && (r->head.chunked || r->body_left <= DISCARD_LIMIT);
}

/* A HEAD response may announce the length a GET would have without making the body (RFC
 * 9110 9.3.2). */
static bool announces_length(const gale_header_t *h, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (gale__eq_nocase(h[i].name, GALE__LIT("Content-Length"))) return true;
    }
    return false;
}

int gale__exchange_head(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                        uint8_t framing, uint64_t length, size_t extra, bool marked) {
    gale__conn_t *c = r->conn;
    if (c->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_NONE) return GALE_ESTATE;
    if (r->head_method && announces_length(h, n)) framing = GALE__BODY_NONE;
    if (status < 300 && gale__eq(r->head.method, GALE__LIT("CONNECT"))) {
        framing = GALE__BODY_UNTIL_CLOSE; /* no length, no coding (RFC 9110 9.3.6) */
    }
    gale__response_t head = {
        .status = status,
        .minor = r->head.minor,
        .keep_alive = can_keep(r, framing),
        .framing = framing,
        .length = length,
        .headers = h,
        .header_count = n,
        .stamp = gale__worker_stamp(r->worker),
    };
    bool close = false;
    int64_t bound = gale__response_check(&head, &close);
    if (bound < 0) return (int)bound;
    if (close) head.keep_alive = false;
    char *room = (size_t)bound + extra <= GALE__OUT_ARENA
                     ? gale__conn_reserve(c, (size_t)bound + extra)
                     : NULL;
    if (room != NULL) {
        if (marked) r->resp_mark = gale__outbox_mark(c->out);
        gale__outbox_commit(c->out, gale__response_write(&head, room));
    } else {
        char *large = gale__malloc((size_t)bound);
        if (large == NULL) return UV_ENOMEM;
        size_t size = gale__response_write(&head, large);
        int err = gale__conn_write_buf(c, (gale_buf_t){large, size, gale__free, large});
        if (err < 0) return err;
    }
    gale__count_response(&r->worker->counters, status);
    c->keep_alive = head.keep_alive;
    r->status = (uint16_t)status;
    r->resp_framing = framing;
    return 0;
}

void gale__exchange_ended(gale_req_t *r) {
    r->resp_state = GALE__RESP_ENDED;
    r->conn->paused = false; /* nobody is left to resume a body nobody wants */
    gale__conn_touch(r->conn);
}

int gale__exchange_switch(gale_req_t *r, gale_str_t protocol, const gale_header_t *h, size_t n) {
    gale__conn_t *c = r->conn;
    gale__response_t head = {
        .status = protocol.len > 0 ? 101 : 200,
        .minor = 1,
        .keep_alive = true,
        .framing = protocol.len > 0 ? GALE__BODY_UPGRADE : GALE__BODY_NONE,
        .upgrade = protocol,
        .headers = h,
        .header_count = n,
        .stamp = gale__worker_stamp(r->worker),
    };
    bool close = false;
    int64_t bound = gale__response_check(&head, &close);
    if (bound < 0 || close) return bound < 0 ? (int)bound : GALE_EHEADER;
    if (bound > GALE__OUT_ARENA) return GALE_ELIMIT;
    char *room = gale__conn_reserve(c, (size_t)bound);
    if (room == NULL) return GALE_EGONE;
    gale__outbox_commit(c->out, gale__response_write(&head, room));
    gale__count_response(&r->worker->counters, head.status);
    r->resp_state = GALE__RESP_ENDED;
    r->status = (uint16_t)head.status;
    return 0;
}

/* ------------------------------------------------------------------------------ whole responses */

int gale__plain_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                        gale_str_t body) {
    uint8_t framing = status == 204 || status == 304 ? GALE__BODY_NONE : GALE__BODY_LENGTH;
    size_t extra = body.len <= GALE__OUT_SMALL ? body.len : 0;
    int err =
        gale__exchange_head(r, status, h, n, framing, status == 205 ? 0 : body.len, extra, false);
    if (err < 0) return err;
    if (gale__exchange_sends_body(r, status)) {
        err = gale__conn_write(r->conn, body);
        if (err < 0) return err;
    }
    gale__exchange_ended(r);
    return 0;
}

int gale__plain_respond_buf(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                            gale_buf_t body) {
    uint8_t framing = status == 204 || status == 304 ? GALE__BODY_NONE : GALE__BODY_LENGTH;
    int err = gale__exchange_head(r, status, h, n, framing, status == 205 ? 0 : body.len, 0, false);
    if (err < 0 || !gale__exchange_sends_body(r, status)) {
        gale_buf_free(body);
    } else {
        err = gale__conn_write_buf(r->conn, body);
    }
    if (err >= 0) gale__exchange_ended(r);
    return err;
}

int gale__exchange_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                           gale_str_t body) {
    if (r->compress == 0) return gale__plain_respond(r, status, h, n, body);
    gale_buf_t borrowed = {body.ptr, body.len, NULL, NULL};
    return gale__compress_respond(r, status, h, n, borrowed, true);
}

int gale__exchange_respond_buf(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                               gale_buf_t body) {
    return r->compress == 0 ? gale__plain_respond_buf(r, status, h, n, body)
                            : gale__compress_respond(r, status, h, n, body, false);
}

/* --------------------------------------------------------------------------- streamed responses */

int gale__plain_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n, int64_t length) {
    uint8_t framing = GALE__BODY_LENGTH;
    if (length < -1) return UV_EINVAL;
    if (status == 205) length = 0; /* RFC 9110 15.3.6 */
    if (status == 204 || status == 304 || (length < 0 && r->head_method)) {
        framing = GALE__BODY_NONE;
    } else if (length < 0) {
        framing = r->head.minor == 0 ? GALE__BODY_UNTIL_CLOSE : GALE__BODY_CHUNKED;
    }
    int err =
        gale__exchange_head(r, status, h, n, framing, length < 0 ? 0 : (uint64_t)length, 0, true);
    if (err < 0) return err;
    r->resp_left = length < 0 ? 0 : (uint64_t)length;
    r->counted = r->resp_framing == GALE__BODY_LENGTH;
    r->resp_state = GALE__RESP_BEGUN;
    gale__conn_touch(r->conn);
    return 0;
}

int gale__exchange_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                         int64_t length) {
    return r->compress == 0 ? gale__plain_begin(r, status, h, n, length)
                            : gale__compress_begin(r, status, h, n, length);
}

/* What a write of `len` bytes may do: 1: go on; 0: swallowed, there is no body; < 0: refused. */
static int may_write(gale_req_t *r, size_t len) {
    if (r->conn->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_BEGUN || r->source != NULL) return GALE_ESTATE;
    if (r->status == 205) return 0;
    if (r->counted) {
        if (len > r->resp_left) return GALE_ELENGTH;
        r->resp_left -= len;
    }
    return gale__exchange_sends_body(r, r->status) && len > 0;
}

static int after_write(gale_req_t *r, int err) {
    if (err < 0) return err;
    int pressure = gale__conn_pressure(r->conn);
    if (pressure == 1) r->want_drain = true;
    return pressure;
}

int gale__exchange_put(gale_req_t *r, gale_str_t bytes) {
    gale__conn_t *c = r->conn;
    if (r->resp_framing != GALE__BODY_CHUNKED) return gale__conn_write(c, bytes);
    char line[20];
    int err = gale__conn_write(c, gale_str(line, gale__chunk_line(line, bytes.len)));
    if (err >= 0) err = gale__conn_write(c, bytes);
    return err >= 0 ? gale__conn_write(c, GALE__LIT("\r\n")) : err;
}

int gale__exchange_put_buf(gale_req_t *r, gale_buf_t buf) {
    gale__conn_t *c = r->conn;
    if (r->resp_framing != GALE__BODY_CHUNKED) return gale__conn_write_buf(c, buf);
    char line[20];
    int err = gale__conn_write(c, gale_str(line, gale__chunk_line(line, buf.len)));
    if (err < 0) {
        gale_buf_free(buf);
        return err;
    }
    err = gale__conn_write_buf(c, buf);
    return err >= 0 ? gale__conn_write(c, GALE__LIT("\r\n")) : err;
}

int gale__exchange_write(gale_req_t *r, gale_str_t bytes) {
    int go = may_write(r, bytes.len);
    if (go <= 0) return go;
    return after_write(r, r->encoder == NULL ? gale__exchange_put(r, bytes)
                                             : gale__compress_write(r, bytes));
}

int gale__exchange_write_buf(gale_req_t *r, gale_buf_t buf) {
    int go = may_write(r, buf.len);
    if (go > 0 && r->encoder == NULL) return after_write(r, gale__exchange_put_buf(r, buf));
    if (go > 0) go = after_write(r, gale__compress_write(r, gale_str(buf.ptr, buf.len)));
    gale_buf_free(buf);
    return go;
}

int gale__exchange_flush(gale_req_t *r) {
    if (r->done) return GALE_EGONE;
    int err = r->encoder == NULL ? 0 : gale__compress_flush(r);
    return err < 0 ? err : gale__conn_flush(r->conn);
}

void gale__exchange_heartbeat(gale_req_t *r) {
    /* Above high water there is no need for one, and nobody to count it. */
    if (!r->want_drain) gale__exchange_write(r, GALE__LIT(":\n\n"));
}

static bool are_trailers(const gale_header_t *trailers, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!gale__trailer_allowed(trailers[i].name)) return false;
        if (!gale__is_field_value(trailers[i].value)) return false;
    }
    return true;
}

static int write_trailers(gale__conn_t *c, const gale_header_t *trailers, size_t n) {
    int err = gale__conn_write(c, GALE__LIT("0\r\n"));
    for (size_t i = 0; err >= 0 && i < n; i++) {
        gale_str_t part[4] = {trailers[i].name, GALE__LIT(": "), trailers[i].value,
                              GALE__LIT("\r\n")};
        for (int j = 0; err >= 0 && j < 4; j++) err = gale__conn_write(c, part[j]);
    }
    return err < 0 ? err : gale__conn_write(c, GALE__LIT("\r\n"));
}

/* H1-16: as long as nothing of it was sent, there is a better answer than a cut one. */
static void end_too_short(gale_req_t *r) {
    gale__conn_t *c = r->conn;
    if (!gale__outbox_rewind(c->out, &r->resp_mark)) {
        gale__conn_cut(c, GALE_ELENGTH);
        return;
    }
    if (r->encoder != NULL) gale__compress_drop(r);
    c->keep_alive = false;
    r->too_short = true;
    gale__count_response_back(&r->worker->counters, r->status);
    gale__http1_write_refusal(c, 500, "the response was not finished", true);
    gale__exchange_ended(r);
}

int gale__exchange_end(gale_req_t *r, const gale_header_t *trailers, size_t n) {
    if (r->conn->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_BEGUN || r->source != NULL) return GALE_ESTATE;
    if (r->counted && r->resp_left > 0 && gale__exchange_sends_body(r, r->status)) {
        end_too_short(r);
        return GALE_ELENGTH;
    }
    if (n > 0 && r->counted) return GALE_ESTATE;
    if (!are_trailers(trailers, n)) return GALE_EHEADER;
    int err = r->encoder == NULL ? 0 : gale__compress_end(r);
    if (err >= 0 && r->resp_framing == GALE__BODY_CHUNKED) {
        err = write_trailers(r->conn, trailers, n);
    }
    if (err < 0) return err;
    gale__exchange_ended(r);
    return 0;
}
