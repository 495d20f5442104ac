/* PROXY headers for tests and fuzzers. */
#ifndef GALE_TESTS_PROXY_HEADERS_H
#define GALE_TESTS_PROXY_HEADERS_H

#include <string.h>

/* Writes one of version 2, with `len` bytes of addresses and TLVs; gives its length. */
static inline size_t proxy_v2(char *out, int command, int family, const char *rest, size_t len) {
    memcpy(out, "\r\n\r\n\0\r\nQUIT\n", 12);
    out[12] = (char)command;
    out[13] = (char)family;
    out[14] = (char)(len >> 8);
    out[15] = (char)len;
    if (len > 0) memcpy(out + 16, rest, len);
    return 16 + len;
}

#endif
