/* Origins as browsers send them (RFC 6454 7). */
#ifndef GALE_CORE_ORIGIN_H
#define GALE_CORE_ORIGIN_H

#include <stdbool.h>

#include "gale.h"

/* A host with port, without that port when it is the given one (":443"). */
gale_str_t gale__without_port(gale_str_t host, gale_str_t port);
/* Whether an Origin field's value is what `pattern` says: "https://example.com", with a port when
 * it is not the scheme's own; with "*." in front of the host for every one below it, not itself;
 * "*" alone for all. Case and the scheme's own port count for nothing. */
bool gale__origin_matches(gale_str_t origin, gale_str_t pattern);

#endif
