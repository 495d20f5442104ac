/*
 * Request bodies in a content coding (gale.h, config.decompress): http1.c hands the bytes of the
 * message over, and what comes out goes the way of every body, a piece at a time. While such a body
 * is coming the exchange has a decoder (req->decoder).
 */
#ifndef GALE_IO_DECODE_H
#define GALE_IO_DECODE_H

#include "exchange.h"

/* Looks at the head: 0, or the status to refuse with, and why. Content-Encoding gets its other
 * name. */
int gale__decode_begin(gale_req_t *r, const char **why);

enum { GALE__DECODE_REFUSED = -1, GALE__DECODE_MORE = 0, GALE__DECODE_COMPLETE = 1 };

/* Takes bytes of the message; over: they are the last ones. What a paused handler cannot have yet
 * is held. REFUSED: the exchange may be gone. COMPLETE: the handler has had the last of the body,
 * or does not want it. */
int gale__decode_feed(gale_req_t *r, gale_str_t bytes, bool over);
/* Goes on with what is held. */
int gale__decode_pump(gale_req_t *r);
/* Gives up decoder and held bytes. */
void gale__decode_drop(gale_req_t *r);

#endif
