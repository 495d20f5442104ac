/* Byte strings: comparison without case, character classes of RFC 9110 5.6, numbers as
 * digits only. */
#ifndef GALE_CORE_STR_H
#define GALE_CORE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gale.h"

#define GALE__LIT(text) gale_str((text), sizeof(text) - 1)

/* Character classes, one bit each in gale__char_class. */
enum {
    GALE__TOKEN = 1,  /* tchar of RFC 9110 5.6.2 */
    GALE__FIELD = 2,  /* allowed in a field value: HTAB, SP, VCHAR, obs-text (RFC 9110 5.5) */
    GALE__TARGET = 4, /* allowed in a request-target */
    GALE__DIGIT = 8,
    GALE__HEX = 16,
    GALE__HOST = 32 /* allowed in a host name: RFC 3986 3.2.2 without ',' and '%' */
};
extern const uint8_t gale__char_class[256];

static inline bool gale__is(uint8_t c, uint8_t class_bits) {
    return (gale__char_class[c] & class_bits) != 0;
}

bool gale__eq(gale_str_t a, gale_str_t b);
/* Equal without ASCII case. */
bool gale__eq_nocase(gale_str_t a, gale_str_t b);
/* Takes the next element, trimmed and perhaps empty, off a comma-separated list (RFC 9110 5.6.1);
 * false when there is none left, which is when list->ptr is null. */
bool gale__list_next(gale_str_t *list, gale_str_t *element);
/* Whether `token` stands in a comma-separated list (RFC 9110 5.6.1), without case. */
bool gale__list_has(gale_str_t list, gale_str_t token);
/* Blanks (SP, HTAB) removed at both ends. */
gale_str_t gale__trim(gale_str_t s);
/* Non-empty and made of tchar only. */
bool gale__is_token(gale_str_t s);
/* A valid field value. */
bool gale__is_field_value(gale_str_t s);
/* Decimal digits only, at least one; false on anything else or overflow of int64_t. */
bool gale__parse_int64(gale_str_t s, int64_t *out);
/* Value of a hexadecimal digit; -1 when it is none. */
int gale__hex_value(char c);
/* The byte that "%2F" at s.ptr[i] stands for; -1 when there is no '%' with two digits. */
int gale__percent_byte(gale_str_t s, size_t i);
/* Writes decimal digits, at most 20, no NUL; gives their number. */
size_t gale__format_uint64(char *out, uint64_t value);

#endif
