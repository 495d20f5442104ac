/* Dates of HTTP (RFC 9110 5.6.7): one form is written, all three are read. No clock, no locale, no
 * C library time. */
#ifndef GALE_CORE_DATE_H
#define GALE_CORE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__DATE_LEN = 29 };

/* Writes an IMF-fixdate ("Sun, 06 Nov 1994 08:49:37 GMT", 29 bytes, no NUL). Times before year 0 or
 * after year 9999 are written as the first or last second that has four digits. */
void gale__format_date(char *out, int64_t unix_seconds);
/* Reads any of the three HTTP-date forms; false when malformed. */
bool gale__parse_date(gale_str_t text, int64_t *unix_seconds);

#endif
