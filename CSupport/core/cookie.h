/* The Cookie field as browsers mean it (RFC 6265 5.4; HU-30): ';' separates even within quotes, so
 * that nothing a page could set hides a cookie from us that the browser sees. */
#ifndef GALE_CORE_COOKIE_H
#define GALE_CORE_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

#include "gale.h"

/* Cuts the next cookie off the front of *rest; what is empty is passed over, without '=' the name
 * is. False at the end. */
bool gale__cookie_next(gale_str_t *rest, gale_str_t *name, gale_str_t *value);
/* Whether a value holds escapes: quotes at both ends and a backslash between. Then *value stays as
 * it is; else its quotes, if any, are cut off. */
bool gale__cookie_escaped(gale_str_t *value);
/* Undoes quotes and escapes ("\073", "\""); `out` has room for value.len bytes. Gives the length. */
size_t gale__cookie_unquote(gale_str_t value, char *out);

#endif
