/*
 * The PROXY protocol, versions 1 and 2: what a load balancer that only passes bytes on says of the
 * client, once, before the first byte of the connection (haproxy.org, proxy-protocol.txt).
 *
 * The header is no more than the word of whoever connects, and a client's own header is
 * indistinguishable from a proxy's. So a listener either wants one of everybody or of nobody; to
 * take it where it happens to come would let any client choose its address.
 */
#ifndef GALE_CORE_PROXY_PROTOCOL_H
#define GALE_CORE_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"

enum {
    GALE__PROXY_V1_MAX = 107, /* with its CRLF */
    GALE__PROXY_V2_MAX = 4096 /* room for certificates' names; others take 536 or less */
};

typedef struct {
    bool proxied;      /* false: whoever sent it speaks for itself (LOCAL, UNKNOWN, UNSPEC) */
    bool secure;       /* the client came by TLS, which ended before us */
    gale__ip_t source; /* of the client; GALE__IP_NONE: it came by a unix socket */
    uint16_t port;
} gale__proxy_header_t;

/* Reads a header at the start of bytes[0..len). > 0: its length, `out` is set; 0: more bytes are
 * wanted; -1: this is none. A CRC32c is checked where there is one; other TLVs than TLS's are only
 * measured. */
int gale__proxy_header_parse(gale__proxy_header_t *out, const char *bytes, size_t len);

/* CRC-32C (RFC 3720 B.4), continued from `crc`; begin with 0. */
uint32_t gale__crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
