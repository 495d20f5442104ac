/*
 * The form of a request: bytes of the body in, parts out, as gale.h says. It stands between http1
 * and the handler: http1 gives it the body, it stops the body while the disk is behind or the
 * handler has paused. What it could not look at meanwhile it holds.
 */
#ifndef GALE_IO_FORM_H
#define GALE_IO_FORM_H

#include "exchange.h"
#include "form_part.h"
#include "multipart.h"
#include "urlencoded.h"

struct gale_form_s {
    gale_req_t *req;
    gale_form_handler_t handler;
    void *data;
    const char *folder; /* behind this struct */
    const char *error;
    int status;                /* that fits the error */
    gale_part_t *first, *last; /* kept */
    gale_part_t *part;         /* the one that comes */
    char *room;                /* of the parser */
    gale_str_t rest;           /* bytes that wait: in rest_mem, or in the collected body */
    char *rest_mem;
    size_t rest_cap;
    uint64_t field_bytes, memory_bytes; /* kept so far */
    uint32_t depth;                     /* calls on the stack that still need it */
    bool is_multipart : 1;
    bool last_seen : 1; /* no bytes come behind those that wait */
    bool paused : 1;    /* by the handler */
    bool waits : 1;     /* for the disk */
    bool ending : 1;    /* `part` has all its bytes, but the disk hasn't */
    bool due : 1;       /* gale__form_go_on has something to do */
    bool over : 1;      /* on_end was called */
    bool freed : 1;     /* as soon as depth is 0 */
    union {
        gale__multipart_t multipart;
        gale__urlencoded_t urlencoded;
    } parse;
};

/* gale_form_read; the struct is complete. */
int gale__form_read(gale_req_t *r, const gale_form_handler_t *handler, void *data);
/* Bytes of the body; `last` with its end. */
void gale__form_body(gale_form_t *f, gale_str_t bytes, bool last);
/* gale_req_pause and gale_req_resume. */
void gale__form_pause(gale_form_t *f, bool pause);
/* While its connection is settled: what had to wait. */
void gale__form_go_on(gale_form_t *f);
/* The request is over, or the form is: on_end, if it was not called yet. */
void gale__form_over(gale_form_t *f, int status);
void gale__form_free(gale_form_t *f);

/* form_feed.c: takes what it can of `bytes` from *pos on, until it must wait or is over; `last` says
 * that none come behind them. */
void gale__form_feed(gale_form_t *f, gale_str_t bytes, size_t *pos, bool last);
/* Looks at what the disk has done. */
void gale__form_look_at_disk(gale_form_t *f);
/* It has failed: on_end, then the response, if the handler gives none. */
void gale__form_fail(gale_form_t *f, int err, int status, const char *error);

#endif
