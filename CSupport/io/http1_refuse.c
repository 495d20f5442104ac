/* Requests that never reach the handler, or break while it waits for their body: one short answer
 * that says precisely why, then the connection closes, lingering so that the client gets it. */
#include "http1.h"
#include "server.h"
#include "str.h"

static int done_status(int status) {
    if (status == 503) return UV_ENOMEM;
    return status == 408 ? GALE_ETIMEDOUT : status == 413 ? GALE_ELIMIT : GALE_EPROTO;
}

static void count_refusal(gale__counters_t *n, int status) {
    if (status == 408) return; /* counted as a timeout */
    gale__count(n,
                status == 400   ? GALE__N_BAD_SYNTAX
                : status == 413 ? GALE__N_BAD_BODY
                : status == 414 ? GALE__N_BAD_TARGET
                : status == 431 ? GALE__N_BAD_HEAD
                                : GALE__N_BAD_OTHER,
                1);
}

/* What a client may code its bodies in: "gzip, deflate" (RFC 9110 15.5.16). */
static gale_str_t accepted_codings(const gale__conn_t *c, char text[40]) {
    uint32_t allowed = c->worker->server->config.decompress;
    size_t len = 0;
    for (int i = GALE__GZIP; i < GALE__CODINGS; i++) {
        gale__coding_t coding = (gale__coding_t)i;
        if (!(allowed & gale__coding_bit(coding)) || !gale__coding_built(coding)) continue;
        gale_str_t name = gale__coding_name(coding);
        if (len > 0) memcpy(text + len, ", ", 2), len += 2;
        memcpy(text + len, name.ptr, name.len);
        len += name.len;
    }
    return len > 0 ? gale_str(text, len) : gale__coding_name(GALE__IDENTITY);
}

static gale_str_t status_text(int status, char digits[3]) {
    gale__format_uint64(digits, (uint64_t)status);
    return gale_str(digits, 3);
}

void gale__http1_write_refusal(gale__conn_t *c, int status, const char *why, bool with_body) {
    char digits[20], codings[40];
    gale_header_t fields[] = {
        {GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")},
        {GALE__LIT("Accept-Encoding"), accepted_codings(c, codings)},
    };
    gale_str_t text[] = {status_text(status, digits),
                         GALE__LIT(" "),
                         gale_cstr(gale__reason(status)),
                         GALE__LIT(": "),
                         gale_cstr(why),
                         GALE__LIT("\n")};
    enum { PARTS = sizeof text / sizeof *text };
    gale__response_t head = {
        .status = status,
        .minor = 1,
        .framing = GALE__BODY_LENGTH,
        .headers = fields,
        .header_count = status == 415 ? 2 : 1,
        .stamp = gale__worker_stamp(c->worker),
    };
    for (size_t i = 0; i < PARTS; i++) head.length += text[i].len;
    bool close;
    int64_t bound = gale__response_check(&head, &close);
    char *room = bound < 0 ? NULL : gale__conn_reserve(c, (size_t)bound);
    if (room == NULL) return;
    gale__outbox_commit(c->out, gale__response_write(&head, room));
    gale__count_response(&c->worker->counters, status);
    for (size_t i = 0; with_body && i < PARTS; i++) gale__conn_write(c, text[i]);
}

void gale__http1_refuse(gale__conn_t *c, int status, const char *why) {
    gale_req_t *r = c->req;
    if (r == NULL || c->cut_due) return;
    if (!r->done) count_refusal(&c->worker->counters, status);
    if (!r->done && r->resp_state != GALE__RESP_NONE) {
        /* Too late for a status: the client sees the response cut short. */
        gale__conn_cut(c, done_status(status));
        return;
    }
    c->keep_alive = false;
    if (!r->done) { /* else only its body was still being read past */
        bool to_head = gale__eq(r->head.method, GALE__LIT("HEAD"));
        gale__http1_write_refusal(c, status, why, !to_head);
        gale__exchange_done(r, done_status(status));
    }
    c->req = NULL;
    gale__exchange_free(r);
    gale__conn_linger(c);
}
