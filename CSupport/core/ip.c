#include "ip.h"

#include <string.h>

#include "str.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* RFC 4291 2.5.5.2 */

gale__ip_t gale__ip_v4(const uint8_t bytes[4]) {
    gale__ip_t ip = {.family = GALE__IP_V4};
    memcpy(ip.bytes, bytes, 4);
    return ip;
}

gale__ip_t gale__ip_v6(const uint8_t bytes[16]) {
    gale__ip_t ip = {.family = GALE__IP_V6};
    if (memcmp(bytes, mapped, sizeof mapped) == 0) return gale__ip_v4(bytes + sizeof mapped);
    memcpy(ip.bytes, bytes, 16);
    return ip;
}

/* -------------------------------------------------------------------------------------- reading */

/* Leading zeros are refused: some read them as octal, and then it is another address. */
static bool parse_v4(gale_str_t s, uint8_t out[4]) {
    size_t at = 0;
    for (int i = 0; i < 4; i++) {
        size_t first = at;
        unsigned value = 0;
        while (at < s.len && at - first < 3 && gale__is((uint8_t)s.ptr[at], GALE__DIGIT)) {
            value = value * 10 + ((uint8_t)s.ptr[at++] - (unsigned)'0');
        }
        if (at == first || value > 255 || (at - first > 1 && s.ptr[first] == '0')) return false;
        out[i] = (uint8_t)value;
        if (i < 3 && (at == s.len || s.ptr[at++] != '.')) return false;
    }
    return at == s.len;
}

static unsigned hex_value(char c) {
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* Puts the zeros that "::" stands for between the bytes before and behind it. */
static bool open_gap(uint8_t bytes[16], size_t filled, size_t gap) {
    if (gap > 16) return filled == 16;
    if (filled == 16) return false;
    memmove(bytes + 16 - (filled - gap), bytes + gap, filled - gap);
    memset(bytes + gap, 0, 16 - filled);
    return true;
}

static bool parse_v6(gale_str_t s, uint8_t bytes[16]) {
    size_t filled = 0, gap = 17, at = 0;
    if (s.len >= 2 && s.ptr[0] == ':' && s.ptr[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < s.len) {
        size_t first = at;
        unsigned value = 0;
        while (at < s.len && at - first < 4 && gale__is((uint8_t)s.ptr[at], GALE__HEX)) {
            value = value << 4 | hex_value(s.ptr[at++]);
        }
        if (at == first || filled == 16) return false;
        if (at < s.len && s.ptr[at] == '.') { /* the last 32 bits as IPv4 */
            if (filled > 12) return false;
            if (!parse_v4(gale_str(s.ptr + first, s.len - first), bytes + filled)) return false;
            return open_gap(bytes, filled + 4, gap);
        }
        bytes[filled++] = (uint8_t)(value >> 8);
        bytes[filled++] = (uint8_t)value;
        if (at == s.len) break;
        if (s.ptr[at++] != ':' || at == s.len) return false;
        if (s.ptr[at] == ':') {
            if (gap <= 16) return false;
            gap = filled;
            at++;
        }
    }
    return open_gap(bytes, filled, gap);
}

bool gale__ip_parse(gale_str_t text, gale__ip_t *out) {
    uint8_t bytes[16] = {0};
    if (text.len == 0 || text.len >= GALE__IP_TEXT) return false;
    if (memchr(text.ptr, ':', text.len) == NULL) {
        if (!parse_v4(text, bytes)) return false;
        *out = gale__ip_v4(bytes);
    } else {
        if (!parse_v6(text, bytes)) return false;
        *out = gale__ip_v6(bytes);
    }
    return true;
}

/* -------------------------------------------------------------------------------------- writing */

static size_t format_v4(const uint8_t bytes[4], char *out) {
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0) out[len++] = '.';
        len += gale__format_uint64(out + len, bytes[i]);
    }
    return len;
}

static size_t format_group(unsigned value, char *out) {
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
        if (len > 0 || value >> shift != 0 || shift == 0) out[len++] = digits[value >> shift & 15];
    }
    return len;
}

static size_t format_v6(const uint8_t bytes[16], char *out) {
    unsigned group[8], gap = 8, longest = 1; /* one zero is not shortened (RFC 5952 4.2.2) */
    for (unsigned i = 0; i < 8; i++) group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    for (unsigned i = 0; i < 8; i++) {
        unsigned run = 0;
        while (i + run < 8 && group[i + run] == 0) run++;
        if (run > longest) {
            longest = run;
            gap = i;
        }
    }
    size_t len = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap) {
            out[len++] = ':';
            out[len++] = ':';
            i += longest - 1;
            continue;
        }
        if (len > 0 && out[len - 1] != ':') out[len++] = ':';
        len += format_group(group[i], out + len);
    }
    return len;
}

size_t gale__ip_format(const gale__ip_t *ip, char out[GALE__IP_TEXT]) {
    size_t len = 0;
    if (ip->family == GALE__IP_V4) len = format_v4(ip->bytes, out);
    if (ip->family == GALE__IP_V6) len = format_v6(ip->bytes, out);
    out[len] = '\0';
    return len;
}

/* ------------------------------------------------------------------------------------- networks */

static bool parse_prefix(gale_str_t text, unsigned *out) {
    int64_t value;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0')) return false;
    if (!gale__parse_int64(text, &value) || value > 128) return false;
    *out = (unsigned)value;
    return true;
}

bool gale__network_parse(gale_str_t text, gale__network_t *out) {
    memset(out, 0, sizeof *out);
    if (gale__eq(text, GALE__LIT("unix"))) return true;
    const char *slash = text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);
    gale_str_t address = gale_str(text.ptr, slash == NULL ? text.len : (size_t)(slash - text.ptr));
    if (!gale__ip_parse(address, &out->ip)) return false;
    unsigned width = out->ip.family == GALE__IP_V4 ? 32 : 128, prefix = width;
    if (slash != NULL) {
        gale_str_t rest = gale_str(slash + 1, text.len - address.len - 1);
        if (!parse_prefix(rest, &prefix)) return false;
        /* ::ffff:10.0.0.0/104 is 10.0.0.0/8. */
        if (width == 32 && memchr(address.ptr, ':', address.len) != NULL) {
            if (prefix < 96) return false;
            prefix -= 96;
        }
        if (prefix > width) return false;
    }
    out->prefix = (uint8_t)prefix;
    for (unsigned bit = prefix; bit < width; bit++) {
        if (out->ip.bytes[bit / 8] >> (7 - bit % 8) & 1) return false;
    }
    return true;
}

int gale__networks_parse(gale_str_t text, gale__network_t *out, size_t size) {
    size_t at = 0, count = 0;
    while (at < text.len) {
        size_t first = at;
        while (at < text.len && strchr(", \t\r\n", text.ptr[at]) == NULL) at++;
        if (at > first) {
            gale__network_t network;
            if (!gale__network_parse(gale_str(text.ptr + first, at - first), &network)) return -1;
            if (count < size) out[count] = network;
            count++;
        }
        at++;
    }
    return (int)count;
}

static bool within(const gale__network_t *n, const gale__ip_t *ip) {
    if (n->ip.family != ip->family) return false;
    size_t whole = n->prefix / 8;
    unsigned rest = n->prefix % 8;
    if (memcmp(n->ip.bytes, ip->bytes, whole) != 0) return false;
    return rest == 0 || (n->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

bool gale__networks_have(const gale__network_t *networks, size_t count, const gale__ip_t *ip) {
    for (size_t i = 0; i < count; i++) {
        if (within(&networks[i], ip)) return true;
    }
    return false;
}
