/*
 * Header values with parameters, as Content-Type and Content-Disposition have them (RFC 9110 5.6.6):
 * `form-data; name="a"; filename*=UTF-8''%C3%A1.txt`. One pass, no allocation (HU-10).
 */
#ifndef GALE_CORE_HEADER_PARAMS_H
#define GALE_CORE_HEADER_PARAMS_H

#include <stdbool.h>

#include "gale.h"

/* A parameter as it stands. */
typedef struct {
    gale_str_t name;
    gale_str_t value; /* without its quotes, not unescaped; ptr null for "; name" alone */
    bool quoted;
} gale__param_t;

/* Cuts the main value, blanks removed at both ends, off the front of *rest. False: a quote that
 * does not end. */
bool gale__params_begin(gale_str_t *rest, gale_str_t *main);
/* Cuts the next parameter off the front of *rest. 1; 0 at the end; -1 when it is malformed. */
int gale__params_next(gale_str_t *rest, gale__param_t *out);

enum {
    GALE__PARAM_NONE = -1,
    GALE__PARAM_BAD = -2, /* the field is malformed */
    GALE__PARAM_FULL = -3 /* `out` is too small; one of field.len bytes never is */
};
/* For Content-Disposition of a form: a name twice is malformed, as is what cannot be decoded, and a
 * backslash escapes nothing but '"' and '\', since browsers send those of file names as they are. */
enum { GALE__PARAM_FORM = 1 };

/* The decoded value of the parameter `name` in `out`, its length as the result. The extended form
 * of RFC 8187 (name*) goes before the continued one of RFC 2231 (name*0, name*1*), and that before
 * the plain one; a form that cannot be decoded counts as absent. Charsets: UTF-8, ISO-8859-1,
 * US-ASCII, all given as UTF-8. Of two plain ones the first counts. */
int gale__param_get(gale_str_t field, gale_str_t name, unsigned flags, char *out, size_t size);

#endif
