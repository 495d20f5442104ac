/* Reading what browsers send: fields of a form or query, members of a JSON object. Each goes into a
 * buffer of the caller's, as a string; nothing is allocated. */
#ifndef CHAT_FORM_H
#define CHAT_FORM_H

#include <gale.h>

typedef enum {
    FIELD_OK,
    FIELD_MISSING, /* `out` is "" */
    FIELD_BAD      /* too long, or no text: no UTF-8, a NUL; `out` is "" */
} field_t;

/* The field of this name in application/x-www-form-urlencoded text. */
field_t form_field(gale_str_t form, const char *name, char *out, size_t size);
/* The first member of this name in a JSON object, which must be a string; the others are passed
 * over, whatever they are, 500 deep at most. Anything else is FIELD_BAD. */
field_t json_member(gale_str_t json, const char *name, char *out, size_t size);

#endif
