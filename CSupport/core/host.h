/* Hosts and ports as Host and targets name them (RFC 9110 7.2, RFC 3986 3.2.2). */
#ifndef GALE_CORE_HOST_H
#define GALE_CORE_HOST_H

#include <stdbool.h>

#include "gale.h"

/* uri-host [ ":" port ]: a name, an IPv4 address or an IP literal in brackets. Leading zeros of the
 * port don't count, an empty port is one (RFC 3986 3.2.3). */
bool gale__is_authority(gale_str_t s, bool port_required);

#endif
