/* IP addresses as bytes: read, written, matched with networks. */
#ifndef GALE_CORE_IP_H
#define GALE_CORE_IP_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__IP_NONE = 0, GALE__IP_V4 = 4, GALE__IP_V6 = 6, GALE__IP_TEXT = 46 };

/* An address. IPv4 lies in the first four bytes. An IPv4 address in IPv6's clothes
 * (::ffff:192.0.2.1) is always kept as IPv4, so that no list is got around by another spelling. */
typedef struct {
    uint8_t family; /* GALE__IP_NONE: no address, as of a unix socket */
    uint8_t bytes[16];
} gale__ip_t;

gale__ip_t gale__ip_v4(const uint8_t bytes[4]);
gale__ip_t gale__ip_v6(const uint8_t bytes[16]);
/* Reads "192.0.2.1" (four decimal numbers without leading zeros) or "2001:db8::1" (RFC 4291 2.2),
 * the whole text, without brackets, zone or port. */
bool gale__ip_parse(gale_str_t text, gale__ip_t *out);
/* Writes it as RFC 5952 wants it, with a NUL, into GALE__IP_TEXT bytes; gives the length. */
size_t gale__ip_format(const gale__ip_t *ip, char out[GALE__IP_TEXT]);

/* The addresses that share the first `prefix` bits; of family GALE__IP_NONE: unix sockets. */
typedef struct {
    gale__ip_t ip;
    uint8_t prefix;
} gale__network_t;

/* Reads "10.0.0.0/8", "::1" (one address), or "unix". Bits behind the prefix must be 0: a set one
 * is a slip of the pen that would trust more than was meant. */
bool gale__network_parse(gale_str_t text, gale__network_t *out);
/* Reads a list, parted by commas or blanks. Gives the number, of which the first `size` are in
 * `out`; -1 if one is none. */
int gale__networks_parse(gale_str_t text, gale__network_t *out, size_t size);
bool gale__networks_have(const gale__network_t *networks, size_t count, const gale__ip_t *ip);

#endif
