/*
 * A socket that subscribes to topics: its subscriptions, and the messages that wait because it takes
 * them too slowly. Those are shared; only the places in the queue are its own.
 */
#ifndef GALE_IO_READER_H
#define GALE_IO_READER_H

#include "topics.h"

typedef struct gale__waiting gale__waiting_t;

struct gale__waiting {
    gale__waiting_t *next, *prev; /* of the socket */
    gale__waiting_t *younger;     /* of the subscription */
    gale__sub_t *sub;             /* null: sent to this socket alone */
    gale__message_t *message;
};

struct gale__sub {
    gale__topic_t *topic;
    gale__reader_t *reader;
    gale__sub_t *next, *prev; /* of the reader, in a ring; those with something untold come first */
    uint32_t place;           /* in the topic's array */
    uint32_t untold;          /* messages that were dropped */
    size_t limit, bytes;      /* of what waits */
    gale__waiting_t *oldest, *youngest;
    uint8_t policy; /* GALE_SLOW_* */
};

struct gale__reader {
    gale_ws_t *ws;
    gale__sub_t *subs;
    uint32_t count;
    uint32_t taken;   /* of the log */
    uint64_t special; /* the turn in which `taken` counts, or something is not for it */
    uint8_t form;     /* GALE__FORM_*, in which it takes messages */
    size_t bytes;     /* of what waits */
    gale__waiting_t *first, *last;
};

/* A socket's reader, made if need be; null without memory. */
gale__reader_t *gale__reader_of(gale_ws_t *ws);
/* Into and out of its ring. */
void gale__reader_add(gale__reader_t *r, gale__sub_t *sub);
void gale__reader_remove(gale__reader_t *r, gale__sub_t *sub);
gale__sub_t *gale__reader_find(const gale__reader_t *r, const gale__topic_t *topic);
void gale__reader_unsubscribe(gale__reader_t *r, gale__sub_t *sub);
/* Ends all subscriptions and forgets what waits. */
void gale__reader_free(gale_ws_t *ws);

/* So many messages have gone to the connection, of topics or not. */
void gale__reader_sent(gale__reader_t *r, uint32_t messages, bool of_topics);
/* Writes a frame, less its first `skip` bytes (0 for a client), to the connection. */
int gale__reader_write(gale__reader_t *r, gale__message_t *m, size_t skip);
/* A message of a subscription (null: for this socket alone) waits until it is taken. False when the
 * reader is no more: it was too slow. */
bool gale__reader_hold(gale__reader_t *r, gale__sub_t *sub, gale__message_t *m);
/* Whether a message for it alone must wait behind others. */
bool gale__reader_is_behind(gale__reader_t *r);
/* Queues one behind them. */
int gale__reader_queue(gale__reader_t *r, int kind, gale_str_t bytes);
/* Hands all that waits to the connection, whatever it takes. */
void gale__reader_hand_over(gale__reader_t *r);
/* Its connection settles: what waits goes on its way, on_lag is told what was dropped. */
void gale__reader_settle(gale__reader_t *r);

#endif
