/*
 * Messages of a WebSocket with permessage-deflate (RFC 7692 7.2): a whole message into the payload
 * of a compressed one and back. Both coders are of GALE__FORMAT_RAW.
 */
#ifndef GALE_CORE_WS_DEFLATE_H
#define GALE_CORE_WS_DEFLATE_H

#include "deflate.h"
#include "gale.h"
#include "inflate.h"

/* A compressor for messages; bits 9-15. Null without memory or zlib. Less of a window comes with
 * less of everything: about 8 << bits bytes in all. */
gale__deflate_t *gale__ws_deflate_new(unsigned window_bits, unsigned level, gale__budget_t *budget);
/* What the two take at most, kept from message to message. */
size_t gale__ws_deflate_cost(unsigned window_bits);
size_t gale__ws_inflate_cost(unsigned window_bits);

/* Compresses a message that is not empty. `takeover`: in the window of those before, else of
 * nothing, so that a receiver needs none of them. Gives the payload's size, which is less than
 * `message.len`; or 0 when it does not get smaller, and then what follows begins with no window,
 * which is allowed to every sender. `out` has room for GALE__WS_DEFLATE_ROOM(message.len). */
#define GALE__WS_DEFLATE_ROOM(len) ((len) + 16)
size_t gale__ws_deflate_message(gale__deflate_t *d, bool takeover, gale_str_t message, char *out);

/* A message that is being inflated; begins with its payload and {0}. */
typedef struct {
    gale_str_t in; /* what is left of it */
    bool begun, tail;
} gale__ws_inflating_t;

/* The next bytes of the message, *made of them, at most `room` (at least 1). FULL: there may be
 * more. DONE: that was all. BAD: no such data, or the message ends within a block. NOMEM. After
 * the last two only a reset or free of `i` may follow. The payload must stay where it is. */
int gale__ws_inflate_some(gale__inflate_t *i, gale__ws_inflating_t *s, char *out, size_t room,
                          size_t *made);

#endif
