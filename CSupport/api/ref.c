/* gale_ref_*: calls from any thread to what a reference names. */
#include <string.h>

#include "../io/connection.h"
#include "../io/server.h"
#include "../io/tunnel.h"
#include "../io/ws.h"
#include "given.h"
#include "mem.h"
#include "str.h"

/* The worker of a reference that still stands, or null. Any thread. */
static gale_worker_t *worker_of(gale_server_t *s, gale_ref_t ref) {
    uint32_t index = gale__ref_worker(ref);
    if (index >= atomic_load(&s->worker_count)) return NULL;
    gale_worker_t *w = &s->workers[index];
    return gale__ref_alive(&w->refs, ref) ? w : NULL;
}

static void *object_of(gale_server_t *s, gale_ref_t ref, int kind) {
    gale_worker_t *w = worker_of(s, ref);
    return w == NULL || !gale__on_loop(w) ? NULL : gale__ref_get(&w->refs, ref, kind);
}

gale_req_t *gale_ref_req(gale_server_t *s, gale_ref_t ref) {
    return object_of(s, ref, GALE__REF_REQ);
}

gale_ws_t *gale_ref_ws(gale_server_t *s, gale_ref_t ref) {
    return object_of(s, ref, GALE__REF_WS);
}

gale_tunnel_t *gale_ref_tunnel(gale_server_t *s, gale_ref_t ref) {
    return object_of(s, ref, GALE__REF_TUNNEL);
}

/* One letter: what to do with which object, and everything it needs. */
typedef struct {
    gale_server_t *server;
    gale_ref_t ref;
    void (*fn)(gale_server_t *server, gale_ref_t ref, void *arg);
    void *arg;
    gale_buf_t bytes;
    int number; /* status or kind */
    size_t header_count;
    gale_header_t headers[];
} letter_t;

static int post(gale_server_t *s, gale_ref_t ref, letter_t *letter, void (*run)(void *)) {
    gale_worker_t *w = worker_of(s, ref);
    int err = w == NULL ? GALE_EGONE : letter == NULL ? UV_ENOMEM : 0;
    if (err == 0) err = gale__worker_post(w, run, letter);
    if (err < 0) gale__free(letter);
    return err;
}

static letter_t *new_letter(gale_server_t *s, gale_ref_t ref, size_t more) {
    letter_t *letter = gale__calloc(1, sizeof *letter + more);
    if (letter == NULL) return NULL;
    letter->server = s;
    letter->ref = ref;
    return letter;
}

/*
 * ----------------------------------------------------------------------------------- gale_ref_post
 */

static void run_fn(void *arg) {
    letter_t *letter = arg;
    letter->fn(letter->server, letter->ref, letter->arg);
    gale__free(letter);
}

int gale_ref_post(gale_server_t *s, gale_ref_t ref,
                  void (*fn)(gale_server_t *server, gale_ref_t ref, void *arg), void *arg) {
    letter_t *letter = new_letter(s, ref, 0);
    if (letter != NULL) {
        letter->fn = fn;
        letter->arg = arg;
    }
    return post(s, ref, letter, run_fn);
}

/*
 * -------------------------------------------------------------------------------- gale_ref_respond
 */

static void run_respond(void *arg) {
    letter_t *letter = arg;
    gale_req_t *r = gale_ref_req(letter->server, letter->ref);
    if (r == NULL) {
        gale_buf_free(letter->bytes);
    } else {
        int err = gale__exchange_respond_buf(r, letter->number, letter->headers,
                                             letter->header_count, letter->bytes);
        /* Nobody is left who would answer it; but one that was answered before this came
         * is fine. */
        if (err == GALE_EHEADER) err = gale__exchange_respond(r, 500, NULL, 0, gale_str(NULL, 0));
        if (err < 0 && err != GALE_ESTATE) gale__conn_cut(r->conn, err);
    }
    gale__free(letter);
}

static char *copy_text(char *to, gale_str_t *text) {
    if (text->len > 0) memcpy(to, text->ptr, text->len);
    text->ptr = to;
    return to + text->len;
}

static letter_t *respond_letter(gale_server_t *s, gale_ref_t ref, const gale_header_t *h,
                                size_t n) {
    size_t size = n * sizeof *h;
    for (size_t i = 0; i < n; i++) size += h[i].name.len + h[i].value.len;
    letter_t *letter = new_letter(s, ref, size);
    if (letter == NULL) return NULL;
    char *to = (char *)(letter->headers + n);
    for (size_t i = 0; i < n; i++) {
        letter->headers[i] = h[i];
        to = copy_text(to, &letter->headers[i].name);
        to = copy_text(to, &letter->headers[i].value);
    }
    letter->header_count = n;
    return letter;
}

int gale_ref_respond(gale_server_t *s, gale_ref_t ref, int status, const gale_header_t *headers,
                     size_t count, gale_buf_t body) {
    if (gale__fields_lack(headers, count) || gale__lacks(body.ptr, body.len)) {
        gale_buf_free(body);
        return UV_EINVAL;
    }
    /* Checked here, where the caller can still be told. */
    gale__stamp_t stamp = {.len = 0};
    gale__response_t head = {.status = status,
                             .framing = GALE__BODY_NONE,
                             .length = body.len,
                             .headers = headers,
                             .header_count = count,
                             .stamp = &stamp};
    bool close;
    int64_t bound = gale__response_check(&head, &close);
    int err = bound < 0 ? (int)bound : 0;
    if (err == 0) {
        letter_t *letter = respond_letter(s, ref, headers, count);
        if (letter != NULL) {
            letter->number = status;
            letter->bytes = body;
        }
        err = post(s, ref, letter, run_respond);
    }
    if (err < 0) gale_buf_free(body);
    return err;
}

/*
 * ----------------------------------------------------------------------------------- gale_ref_send
 */

static void run_send(void *arg) {
    letter_t *letter = arg;
    gale_ws_t *ws = gale_ref_ws(letter->server, letter->ref);
    if (ws == NULL) {
        gale_buf_free(letter->bytes);
    } else {
        gale__ws_send_buf(ws, letter->number, letter->bytes);
    }
    gale__free(letter);
}

int gale_ref_send(gale_server_t *s, gale_ref_t ref, int kind, gale_buf_t bytes) {
    bool good = gale__ws_is_kind(kind) && !gale__lacks(bytes.ptr, bytes.len);
    gale_ws_t *here = good ? gale_ref_ws(s, ref) : NULL;
    if (here != NULL) { /* at once, in order with whatever else is sent and published here */
        int result = gale__ws_send_buf(here, kind, bytes);
        return result < 0 ? result : 0;
    }
    int err = good ? 0 : UV_EINVAL;
    if (err == 0) {
        letter_t *letter = new_letter(s, ref, 0);
        if (letter != NULL) {
            letter->number = kind;
            letter->bytes = bytes;
        }
        err = post(s, ref, letter, run_send);
    }
    if (err < 0) gale_buf_free(bytes);
    return err;
}

/*
 * ---------------------------------------------------------------------------------- gale_ref_write
 */

static void run_write(void *arg) {
    letter_t *letter = arg;
    gale_tunnel_t *t = gale_ref_tunnel(letter->server, letter->ref);
    if (t == NULL) {
        gale_buf_free(letter->bytes);
    } else {
        gale__tunnel_write_buf(t, letter->bytes);
    }
    gale__free(letter);
}

int gale_ref_write(gale_server_t *s, gale_ref_t ref, gale_buf_t bytes) {
    int err = gale__lacks(bytes.ptr, bytes.len) ? UV_EINVAL : 0;
    if (err == 0) {
        letter_t *letter = new_letter(s, ref, 0);
        if (letter != NULL) letter->bytes = bytes;
        err = post(s, ref, letter, run_write);
    }
    if (err < 0) gale_buf_free(bytes);
    return err;
}
