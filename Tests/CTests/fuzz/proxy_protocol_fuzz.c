/*
 * libFuzzer target of the PROXY protocol: whatever the pieces the header comes in, it is found good
 * at its last byte or bad for good, within its bound; what follows it makes no difference; and a good
 * one, written anew as version 2 with a checksum, says the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "../proxy_headers.h"
#include "proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static int parse_exact(gale__proxy_header_t *h, const uint8_t *data, size_t size) {
    char *copy = malloc(size > 0 ? size : 1);
    MUST(copy != NULL);
    if (size > 0) memcpy(copy, data, size);
    int result = gale__proxy_header_parse(h, copy, size);
    free(copy);
    return result;
}

static void check_again(const gale__proxy_header_t *h) {
    char rest[256] = {0}, bytes[300];
    gale__proxy_header_t again;
    bool v4 = h->source.family == GALE__IP_V4, v6 = h->source.family == GALE__IP_V6;
    size_t addresses = !h->proxied ? 0 : v4 ? 12 : v6 ? 36 : 216, len = addresses;
    memcpy(rest, h->source.bytes, v4 ? 4 : 16);
    if (v4 || v6) {
        rest[v4 ? 8 : 32] = (char)(h->port >> 8);
        rest[v4 ? 9 : 33] = (char)h->port;
    }
    memcpy(rest + len, "\x20\x00\x05", 3);
    rest[len + 3] = h->secure;
    len += 8;
    memcpy(rest + len, "\x03\x00\x04", 3);
    len += 7;
    int family = !h->proxied ? 0x00 : v4 ? 0x11 : v6 ? 0x21 : 0x31;
    size_t size = proxy_v2(bytes, 0x21, family, rest, len);
    uint32_t crc = gale__crc32c(0, bytes, size);
    for (size_t i = 0; i < 4; i++) bytes[size - 4 + i] = (char)(crc >> (24 - 8 * i));
    MUST(parse_exact(&again, (uint8_t *)bytes, size) == (int)size);
    MUST(again.proxied == h->proxied && again.secure == h->secure && again.port == h->port);
    MUST(memcmp(&again.source, &h->source, sizeof h->source) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gale__proxy_header_t h, part;
    int whole = parse_exact(&h, data, size);
    MUST(whole >= -1 && whole <= GALE__PROXY_V2_MAX && (whole <= 0 || (size_t)whole <= size));
    MUST(whole != 0 || size < GALE__PROXY_V2_MAX);
    size_t most = whole > 0 ? (size_t)whole : size;
    int before = 0;
    for (size_t i = 0; i <= most; i += i < 64 || i + 64 > most ? 1 : 37) {
        int got = parse_exact(&part, data, i);
        if (whole > 0) MUST(got == (i < most ? 0 : whole));
        if (whole <= 0) MUST(got <= 0 && (before == 0 || got == -1));
        before = got;
    }
    if (whole <= 0) return 0;
    MUST(h.proxied || (h.source.family == GALE__IP_NONE && h.port == 0));
    check_again(&h);
    return 0;
}
