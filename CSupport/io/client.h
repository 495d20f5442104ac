/* Who the client of a request is: the socket's other end, or whom a trusted proxy speaks for. */
#ifndef GALE_IO_CLIENT_H
#define GALE_IO_CLIENT_H

#include "exchange.h"

/* The client's address; gives its port (0 if there is none) or an error. */
int gale__client_address(const gale_req_t *r, gale__ip_t *ip);
/* The scheme of the request, and whether that is more than a guess: a plain connection may come
 * from a proxy that ends TLS and says nothing of it. */
uint8_t gale__client_scheme(const gale_req_t *r, bool *sure);
/* Whether the target is an https URL and neither the connection nor a trusted proxy makes the request
 * one of https: it must not be answered as if it were (RFC 9110 7.4). */
bool gale__client_is_misdirected(const gale_req_t *r);
/* Host and port it asked for; empty if it didn't say. */
gale_str_t gale__client_host(const gale_req_t *r);

#endif
