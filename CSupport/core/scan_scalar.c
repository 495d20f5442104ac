/* The head parser without vectors, for every CPU: one byte at a time through the table of str.c. */
#include "http1_head.h"
#include "str.h"

typedef struct {
    uint64_t name_ends;  /* bit i: byte i is no tchar (RFC 9110 5.6.2) */
    uint64_t value_ends; /* bit i: byte i may not stand in a field value (RFC 9110 5.5) */
} scan_t;

_Static_assert(GALE__TOKEN == 1 && GALE__FIELD == 2, "scan_fields shifts these bits into place");

#define BYTE(i)                                                                                    \
    names |= (gale__char_class[p[i]] & 1u) << (i);                                                 \
    values |= (gale__char_class[p[i]] & 2u) << (i)

/* Bit i of the low byte: byte i of 8 is no tchar; of the second byte: may not stand in a value.
 * Unrolled by hand, for constant shifts at -O2. */
static inline uint32_t eight(const uint8_t *p) {
    uint32_t names = 0, values = 0;
    BYTE(0);
    BYTE(1);
    BYTE(2);
    BYTE(3);
    BYTE(4);
    BYTE(5);
    BYTE(6);
    BYTE(7);
    return ~(names | values << 7) & 0xffffu;
}

static inline scan_t scan_fields(const char *p) {
    scan_t s = {0, 0};
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t both = eight((const uint8_t *)p + i);
        s.name_ends |= (both & 0xff) << i;
        s.value_ends |= (both >> 8) << i;
    }
    return s;
}

static inline uint64_t scan_target(const char *p) {
    uint64_t ends = 0;
    for (unsigned i = 0; i < 64; i++) {
        ends |= (uint64_t)!gale__is((uint8_t)p[i], GALE__TARGET) << i;
    }
    return ends;
}

#define GALE__PARSE gale__head_parse_scalar
#include "http1_head_parse.h"
