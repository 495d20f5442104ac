/*
 * A published message: framed once, shared by the workers, and by the sockets that are behind. It
 * never changes; whoever keeps it holds a count.
 */
#ifndef GALE_IO_MESSAGE_H
#define GALE_IO_MESSAGE_H

#include <stdatomic.h>
#include <stdint.h>

#include "gale.h"
#include "mailbox.h"
#include "ws_coders.h"

typedef struct gale__message gale__message_t;

/* How a message stands on the wire, as the socket has negotiated it. */
typedef enum {
    GALE__FORM_PLAIN,
    GALE__FORM_DEFLATED, /* where that makes it smaller; without takeover (RFC 7692 7.1.1) */
    GALE__FORMS
} gale__form_t;

/* Its way to one worker. */
typedef struct {
    gale__letter_t letter;
    gale_worker_t *worker;
    gale__message_t *message;
} gale__post_t;

struct gale__message {
    atomic_uint refs;
    int kind;                       /* perhaps with GALE_WS_PLAIN */
    _Atomic(gale_buf_t *) deflated; /* null: not tried yet */
    uint64_t hash;                  /* of the topic's name */
    gale_str_t topic;               /* its name; empty: for one socket alone */
    gale_str_t frame;               /* not compressed */
    size_t payload_len;             /* at its end */
    gale__post_t post[];            /* and behind them the frame and the name */
};

/* Frames `bytes`, with room for `posts`; holds one count. Null without memory. */
gale__message_t *gale__message_new(int kind, gale_str_t bytes, gale_str_t topic, uint32_t posts);
static inline gale__message_t *gale__message_ref(gale__message_t *m) {
    atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}
void gale__message_unref(gale__message_t *m);
/* The same for gale_buf_t. */
void gale__message_release(void *m);
/* Makes sure that it was tried to compress it, with this worker's coders. */
void gale__message_deflate(gale__message_t *m, gale__ws_coders_t *coders,
                           const gale_config_t *config);
/* The frame in a form; deflated: if that was tried. Any thread. */
static inline gale_str_t gale__message_frame(const gale__message_t *m, gale__form_t form) {
    if (form == GALE__FORM_PLAIN) return m->frame;
    const gale_buf_t *d = atomic_load_explicit(&m->deflated, memory_order_acquire);
    return d == NULL || d->ptr == NULL ? m->frame : gale_str(d->ptr, d->len);
}

#endif
