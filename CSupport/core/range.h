/* Range requests (RFC 9110 14): which bytes of a representation are asked for, and the texts around
 * them in an answer. */
#ifndef GALE_CORE_RANGE_H
#define GALE_CORE_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "gale.h"

enum {
    GALE__RANGES = 16, /* parts of an answer at most */
    GALE__CONTENT_RANGE = 6 + 3 * 20 + 2,
    GALE__BOUNDARY = 32
};

typedef struct {
    uint64_t first, length; /* length > 0, and all of it within the representation */
} gale__range_t;

/* Reads the value of a Range field for a representation of `size` bytes. Gives how many ranges stand
 * in `out`, in the order they were asked for; those that overlap or touch are one. 0: the field is
 * to be ignored, since it is malformed, of another unit, or asks for too many pieces; -1: nothing of
 * it can be satisfied (416). Linear time, no memory. */
int gale__range_parse(gale_str_t value, uint64_t size, gale__range_t out[GALE__RANGES]);

/* Value of Content-Range: "bytes 0-4/26", with a star for a null range (416). At most
 * GALE__CONTENT_RANGE bytes, no NUL; gives their number. */
size_t gale__content_range(char *out, const gale__range_t *range, uint64_t size);

/* What stands before part `index` of a multipart/byteranges body (RFC 9110 14.6): delimiter and
 * fields. Gives its length, and writes it unless `out` is null. */
size_t gale__range_part(char *out, size_t index, const char boundary[GALE__BOUNDARY],
                        gale_str_t content_type, const gale__range_t *range, uint64_t size);
/* What stands behind the last part; the same. */
size_t gale__range_end(char *out, const char boundary[GALE__BOUNDARY]);

#endif
