/*
 * libFuzzer target of the UTF-8 check: whole, in two pieces and byte by byte in exact-size memory
 * it must agree with a decoder that computes the code points, and refuse at the byte where the text
 * can no longer be right.
 */
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

/* Length of the sequence that a byte begins; 0 for none. */
static size_t sequence(uint8_t c) {
    if (c < 0x80) return 1;
    if (c >= 0xc2 && c < 0xe0) return 2;
    if (c >= 0xe0 && c < 0xf0) return 3;
    return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/* Whether p[0..n), n below the sequence's length or equal, can be completed to a code point that is
 * allowed. */
static bool possible(const uint8_t *p, size_t n) {
    size_t want = sequence(p[0]);
    if (want == 0) return false;
    uint32_t low = want == 1 ? p[0] : p[0] & (0x7fu >> want), high;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return false;
        low = low << 6 | (p[i] & 63u);
    }
    unsigned rest = 6 * (unsigned)(want - n);
    high = (low + 1) << rest;
    low <<= rest; /* the code points from low to high - 1 are still open */
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (low < least[want]) low = least[want];
    if (high > 0x110000) high = 0x110000;
    return low < high && !(low >= 0xd800 && high <= 0xe000);
}

/* Index of the first byte that can't be right, or n; *whole when the text may end there. */
static size_t first_fault(const uint8_t *p, size_t n, bool *whole) {
    size_t i = 0;
    *whole = true;
    while (i < n) {
        size_t len = sequence(p[i]);
        if (len == 0) return i;
        for (size_t k = 1; k <= len; k++) {
            if (i + k > n) {
                *whole = false;
                return n;
            }
            if (!possible(p + i, k)) return i + k - 1;
        }
        i += len;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bool whole;
    size_t fault = first_fault(data, size, &whole);
    MUST(gale__utf8_valid((const char *)data, size) == (fault == size && whole));

    gale__utf8_t u = {0};
    for (size_t i = 0; i < size; i++)
        MUST(gale__utf8_next(&u, (const char *)data + i, 1) == (i < fault));
    MUST(gale__utf8_complete(&u) == (fault == size && whole));

    size_t cut = size > 0 ? (data[0] * 7u + size) % (size + 1) : 0;
    for (int part = 0; part < 2; part++) {
        size_t from = part == 0 ? 0 : cut, len = part == 0 ? cut : size - cut;
        char *copy = malloc(len > 0 ? len : 1);
        MUST(copy != NULL);
        if (len > 0) memcpy(copy, data + from, len);
        if (part == 0) u.state = 0;
        MUST(gale__utf8_next(&u, copy, len) == (fault == size || fault >= from + len));
        free(copy);
    }
    MUST(gale__utf8_complete(&u) == (fault == size && whole));
    return 0;
}
