#include "host.h"

#include <string.h>

#include "ip.h"
#include "str.h"

/* IPv6address of RFC 3986 3.2.2, without the brackets. */
static bool is_ipv6(const char *s, size_t len) {
    gale__ip_t ip;
    return memchr(s, ':', len) != NULL && gale__ip_parse(gale_str(s, len), &ip);
}

/* IPvFuture of RFC 3986 3.2.2. */
static bool is_ip_future(const char *s, size_t len) {
    size_t i = 1;
    while (i < len && gale__is((uint8_t)s[i], GALE__HEX)) i++;
    if (i == 1 || i + 1 >= len || s[i] != '.') return false;
    for (i++; i < len; i++) {
        if (s[i] != ':' && !gale__is((uint8_t)s[i], GALE__HOST)) return false;
    }
    return true;
}

/* Four at once: every request has a host. */
static bool are_of_host(const char *s) {
    const uint8_t *of = gale__char_class;
    return (of[(uint8_t)s[0]] & of[(uint8_t)s[1]] & of[(uint8_t)s[2]] & of[(uint8_t)s[3]] &
            GALE__HOST) != 0;
}

/* Bytes of a valid, non-empty host at the start of `s`; 0 if there is none. */
static size_t host_len(gale_str_t s) {
    size_t i = 0;
    if (s.len > 0 && s.ptr[0] == '[') {
        const char *close = memchr(s.ptr, ']', s.len);
        if (close == NULL || close == s.ptr + 1) return 0;
        size_t len = (size_t)(close - s.ptr) - 1;
        bool future = (s.ptr[1] | 0x20) == 'v';
        return (future ? is_ip_future : is_ipv6)(s.ptr + 1, len) ? len + 2 : 0;
    }
    while (s.len - i >= 4 && are_of_host(s.ptr + i)) i += 4;
    for (; i < s.len; i++) {
        if (gale__is((uint8_t)s.ptr[i], GALE__HOST)) continue;
        if (s.ptr[i] != '%') break;
        if (s.len - i < 3 || !gale__is((uint8_t)s.ptr[i + 1], GALE__HEX) ||
            !gale__is((uint8_t)s.ptr[i + 2], GALE__HEX)) {
            return 0;
        }
        i += 2;
    }
    return i;
}

bool gale__is_authority(gale_str_t s, bool port_required) {
    size_t i = host_len(s);
    if (i == 0) return false;
    if (i == s.len) return !port_required;
    if (s.ptr[i] != ':') return false;
    unsigned port = 0;
    for (size_t at = ++i; at < s.len; at++) {
        if (!gale__is((uint8_t)s.ptr[at], GALE__DIGIT)) return false;
        port = port * 10 + ((uint8_t)s.ptr[at] - (unsigned)'0');
        if (port > 65535) return false;
    }
    return i < s.len || !port_required;
}
