/*
 * Responses in a content coding (gale.h, gale_req_set_compression). exchange.c comes here when any
 * is allowed for a request; what is decided, and that some responses stay plain after all, is this
 * file's matter. While a streamed response is coded it has an encoder (req->encoder).
 */
#ifndef GALE_IO_COMPRESS_H
#define GALE_IO_COMPRESS_H

#include "exchange.h"

/* gale_respond and gale_respond_buf; borrowed: the bytes live only until it returns. */
int gale__compress_respond(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                           gale_buf_t body, bool borrowed);
/* gale_resp_begin. */
int gale__compress_begin(gale_req_t *r, int status, const gale_header_t *h, size_t n,
                         int64_t length);

/* Whether a 200 with these fields, and a body of this length, would depend on Accept-Encoding. */
bool gale__compress_negotiates(const gale_req_t *r, const gale_header_t *h, size_t n,
                               int64_t length);

/* Body bytes of a coded response. On error the connection has been cut. */
int gale__compress_write(gale_req_t *r, gale_str_t bytes);
/* Puts out what the client needs to read all that was written. */
int gale__compress_flush(gale_req_t *r);
/* The end of the body; the encoder is given back. */
int gale__compress_end(gale_req_t *r);
/* As the callback ends: a flush, unless the client is behind anyway. */
void gale__compress_settle(gale_req_t *r);
/* There is room for more of a large whole body. True when that was the last of it. */
bool gale__compress_drain(gale_req_t *r);
/* The request is over. */
void gale__compress_drop(gale_req_t *r);

#endif
