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

typedef struct gale__message gale__message_t;

/* How a message stands on the wire, as the socket has negotiated it. */
typedef enum { GALE__FORM_PLAIN, GALE__FORMS } gale__form_t;

/* Its way to one worker. */
typedef struct {
    gale__letter_t letter;
    gale_worker_t *worker;
    gale__message_t *message;
} gale__post_t;

struct gale__message {
    atomic_uint refs;
    uint32_t post_count;
    uint64_t hash;    /* of the topic's name */
    gale_str_t topic; /* its name; empty: for one socket alone */
    gale_str_t frame;
    gale__post_t post[]; /* and behind them the frame and the name */
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
/* The frame in a form. Any thread. */
static inline gale_str_t gale__message_frame(const gale__message_t *m, gale__form_t form) {
    (void)form;
    return m->frame;
}

#endif
