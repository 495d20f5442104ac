/*
 * What proxies say of the client they speak for: X-Forwarded-*, Forwarded (RFC 7239), or X-Real-Ip.
 *
 * Every proxy adds itself at the right end of a list, and what stands left of the entry of the
 * nearest proxy that is not ours may be anyone's invention. So a list counts from its right end, up
 * to the first address that is not trusted. Only one family of fields is ever looked at: a proxy
 * that writes the one passes the client's own of the others through.
 */
#ifndef GALE_CORE_FORWARDED_H
#define GALE_CORE_FORWARDED_H

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"

typedef enum { GALE__SCHEME_UNKNOWN, GALE__SCHEME_HTTP, GALE__SCHEME_HTTPS } gale__scheme_t;

typedef struct {
    gale__ip_t ip;   /* of the client; GALE__IP_NONE: not known, the peer's own stands */
    uint16_t port;   /* 0: not known */
    uint8_t scheme;  /* gale__scheme_t */
    gale_str_t host; /* host and perhaps port, valid; empty: not known */
} gale__forwarded_t;

/* Whom to believe, and what. */
typedef struct {
    const gale__network_t *networks;
    size_t count;
    uint32_t family; /* GALE_FORWARDED_*, of gale.h */
    bool host;       /* believe X-Forwarded-Host */
} gale__forwarded_rules_t;

/* Reads the fields of a request that came from a trusted peer. What is no IP address, no http or
 * https, no valid host, is as if it weren't there. Slices point into the fields. */
void gale__forwarded_read(gale__forwarded_t *out, const gale__forwarded_rules_t *rules,
                          const gale_header_t *headers, size_t count);

#endif
