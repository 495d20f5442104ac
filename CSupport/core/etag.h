/* Entity tags (RFC 9110 8.8.3) as conditional requests compare them. */
#ifndef GALE_CORE_ETAG_H
#define GALE_CORE_ETAG_H

#include <stdbool.h>

#include "gale.h"

/* Whether the value of an If-None-Match field names `etag` ("\"x\"" or "W/\"x\"") by weak
 * comparison, or is "*". What is no entity tag in the list is passed over. */
bool gale__etag_matches(gale_str_t if_none_match, gale_str_t etag);
/* The same for If-Match, by strong comparison (RFC 9110 13.1.1): a weak tag on either side matches
 * nothing. */
bool gale__etag_matches_strongly(gale_str_t if_match, gale_str_t etag);

#endif
