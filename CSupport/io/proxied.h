/* Connections that begin with a PROXY header: whose they are. */
#ifndef GALE_IO_PROXIED_H
#define GALE_IO_PROXIED_H

#include <stddef.h>

#include "connection.h"
#include "ip.h"

/* Of whom the sender of the header speaks. */
struct gale__proxied {
    gale__ip_t source;
    uint16_t port;
};

/* Takes the header, when it is there in full, and gives its length; 0: more is wanted. What is none,
 * or comes from someone who is not trusted with one, is cut. */
size_t gale__proxied_feed(gale__conn_t *c, const char *bytes, size_t len);

/* Whose connection it is: the header's source, or the socket's other end. Gives the port, or an
 * error. */
int gale__conn_source(const gale__conn_t *c, gale__ip_t *ip);
/* Whether it is a trusted proxy's. */
bool gale__conn_is_trusted(const gale__conn_t *c);

#endif
