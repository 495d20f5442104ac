/* HTTP/1.x on a connection: heads and bodies in, exchanges driven one at a time. */
#ifndef GALE_IO_HTTP1_H
#define GALE_IO_HTTP1_H

#include "connection.h"

/* Processes bytes (which lie in `block`, or null) and gives how many it took; what it leaves must
 * wait. */
size_t gale__http1_feed(gale__conn_t *c, char *bytes, size_t len, gale__block_t *block);
/* After a callback or a flush: finishes an ended exchange. True when the connection is ready for
 * the next request. */
bool gale__http1_advance(gale__conn_t *c);
/* Where the next body bytes can be read straight to; null when nowhere special. */
char *gale__http1_body_room(gale__conn_t *c, size_t *size);
/* n bytes were read there. */
void gale__http1_body_read(gale__conn_t *c, size_t n);
/* Answers a request that never reached the handler, then closes. */
void gale__http1_refuse(gale__conn_t *c, int status, const char *why);
/* The answer alone: "400 Bad Request: HTTP/1.1 without Host" as text, and Connection: close. */
void gale__http1_write_refusal(gale__conn_t *c, int status, const char *why, bool with_body);
/* A piece of the body as the handler is to have it. False when the connection has been told off. */
bool gale__http1_take_body(gale__conn_t *c, gale_req_t *r, gale_str_t piece, bool last);
/* Goes on with a body that was held back in a pause; whether there was one. */
bool gale__http1_pump(gale__conn_t *c);
/* gale_req_collect. */
int gale__http1_collect(gale_req_t *r, uint64_t max_bytes);
/* gale_req_resume: the body may come; if the client waits to be asked, it is. */
void gale__http1_resume(gale_req_t *r);
/* Writes the 100 that is owed. */
void gale__http1_continue(gale_req_t *r);

#endif
