/*
 * An exchange: one request and its response, whatever protocol carries them. gale_req_t is its
 * public name. It comes from the worker's pool when a head begins to arrive and goes back when
 * on_done has returned and its body is read.
 */
#ifndef GALE_IO_EXCHANGE_H
#define GALE_IO_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "forwarded.h"
#include "gale.h"
#include "http1_chunked.h"
#include "http1_head.h"
#include "http1_trailers.h"
#include "worker.h"

typedef enum { GALE__RESP_NONE, GALE__RESP_BEGUN, GALE__RESP_ENDED } gale__resp_state_t;
typedef enum {
    GALE__BODY_WHOLE,   /* nothing more comes */
    GALE__BODY_COLLECT, /* into memory */
    GALE__BODY_STREAM,  /* to on_body */
    GALE__BODY_DISCARD  /* read past */
} gale__body_mode_t;

typedef struct gale__file_send gale__file_send_t;
/* A large whole body that is being coded. */
typedef struct {
    gale_buf_t body;
    size_t pos;
} gale__source_t;
typedef struct gale__held gale__held_t;

struct gale_req_s {
    gale__conn_t *conn;
    gale_worker_t *worker;
    gale_req_t *next_free;
    void *data;
    gale__block_t *pin; /* holds the head's bytes, and those of a body that came with it */
    uint32_t pin_bytes;
    uint32_t ref_slot; /* 0: none */

    gale_str_t body;            /* collected */
    gale__trailers_t *trailers; /* null: none came */
    char *body_mem;
    size_t body_cap;
    uint64_t body_left; /* of a Content-Length */
    uint64_t body_seen; /* for the limit */
    uint64_t max_body;
    gale__file_send_t *file;
    gale__encoder_t *encoder; /* of a streamed response that is coded */
    gale__source_t *source;   /* null, or the one below: coded piece by piece */
    gale__decoder_t *decoder; /* of a coded request body that is still coming */
    gale__held_t *held;       /* coded bytes that came before a pause, or must wait their turn */
    gale_req_t *coding_next, *coding_prev; /* waiting for a turn of coding */
    uint64_t wire_seen;                    /* of a coded body, for its limits */
    gale_form_t *form;                     /* gale_form_read: gets the body in place of on_body */
    char *cookie_mem; /* unescaped cookies, each at the offset it has in the fields */

    uint64_t resp_left;            /* of an announced length */
    gale__outbox_mark_t resp_mark; /* where the head of such a response lies, while it does */
    uint32_t heartbeat_ms;         /* of a stream of events; 0: none */
    uint16_t status;
    uint16_t refuse; /* status to refuse with when on_request returns unanswered; 0: none */
    uint8_t resp_state;
    uint8_t resp_framing;
    uint8_t body_mode;
    uint8_t compress;    /* GALE_CODING_* */
    bool announced : 1;  /* on_request was called: on_done is due */
    bool done : 1;       /* on_done was called */
    bool in_request : 1; /* on_request is on the stack */
    bool collecting : 1; /* gale_req_collect: on_body gets the whole */
    bool collected : 1;
    bool head_method : 1;  /* HEAD: bodies are left out */
    bool continue_due : 1; /* 100 Continue is owed before the body is read */
    bool want_drain : 1;
    bool waiting_flush : 1;   /* ended, but above high water */
    bool too_short : 1;       /* ended with fewer bytes than announced */
    bool counted : 1;         /* resp_left counts */
    bool unflushed : 1;       /* the encoder holds something back */
    bool decoded : 1;         /* the body comes out of a decoder */
    bool wire_over : 1;       /* and all of its coded bytes have come */
    bool coding_waits : 1;    /* in the worker's queue for coding */
    bool forwarded_known : 1; /* `forwarded` holds what proxies say */

    gale__head_t head;
    gale__chunked_t chunked;
    gale__forwarded_t forwarded;
    gale__source_t large;
    gale_header_t headers[]; /* config.max_headers */
};

gale_req_t *gale__exchange_new(gale_worker_t *w, gale__conn_t *c);
/* Calls on_done if it is due. */
void gale__exchange_done(gale_req_t *r, int status);
/* Gives it back; on_done has been called or was never due. */
void gale__exchange_free(gale_req_t *r);
void gale__exchange_free_pool(gale_worker_t *w);

/* The response, as in gale.h. */
int gale__exchange_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                           gale_str_t body);
int gale__exchange_respond_buf(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                               gale_buf_t body);
int gale__exchange_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                         int64_t length);
int gale__exchange_write(gale_req_t *r, gale_str_t bytes);
int gale__exchange_write_buf(gale_req_t *r, gale_buf_t buf);
int gale__exchange_end(gale_req_t *r, const gale_header_t *trailers, size_t n);
/* Ends the request with the answer behind which the connection speaks `protocol`: 101, or 200 to
 * CONNECT with none. What it becomes, and on_done, are the caller's. */
int gale__exchange_switch(gale_req_t *r, gale_str_t protocol, const gale_header_t *h, size_t n);
/* Sends a comment of server-sent events: its client waits for more. */
void gale__exchange_heartbeat(gale_req_t *r);
/* Whether a response of this status to this request has a body on the wire. */
bool gale__exchange_sends_body(const gale_req_t *r, int status);
int gale__exchange_flush(gale_req_t *r);
/* The same as they are, in no coding. */
int gale__plain_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                        gale_str_t body);
int gale__plain_respond_buf(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                            gale_buf_t body);
int gale__plain_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n, int64_t length);
/* Puts the head into the outbox; `extra` more bytes of room are kept behind it when they fit.
 * `marked`: its place is kept, but for a head that is larger than an outbox. */
int gale__exchange_head(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                        uint8_t framing, uint64_t length, size_t extra, bool marked);
/* Bytes of the body, framed; len > 0. */
int gale__exchange_put(gale_req_t *r, gale_str_t bytes);
int gale__exchange_put_buf(gale_req_t *r, gale_buf_t buf);
/* The whole response is written. */
void gale__exchange_ended(gale_req_t *r);
/* A file as the body; see file.c. */
int gale__exchange_file(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                        uint64_t offset, int64_t length);

#endif
