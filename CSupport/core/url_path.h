/* Paths of static files: from a request target's percent-encoded text to a relative file name that
 * stays inside. */
#ifndef GALE_CORE_URL_PATH_H
#define GALE_CORE_URL_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "gale.h"

/* Decodes and normalises a relative URL path into `out`, with a NUL behind it: empty segments go, a
 * last slash stays. Gives the length without the NUL, or minus the status to answer with: 403  a
 * segment that begins with a dot (with `dotfiles` only "." and ".."), a path that begins with a
 * slash, a backslash or an encoded slash anywhere; 400  a NUL, a '%' without two hex digits, invalid UTF-8;
 *   414  longer than size - 1.
 * Encoded or not makes no difference to any of these, and what is decoded is not decoded again. */
int gale__path_normalize(gale_str_t encoded, char *out, size_t size, bool dotfiles);

#endif
