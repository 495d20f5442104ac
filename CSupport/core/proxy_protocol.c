#include "proxy_protocol.h"

#include <string.h>

#include "str.h"

/* ----------------------------------------------------------------------------------- version 1 */

/* The next word of the line and the blank behind it; false when the blank or the word is missing. */
static bool take_word(gale_str_t *line, gale_str_t *word) {
    const char *blank = line->len == 0 ? NULL : memchr(line->ptr, ' ', line->len);
    if (blank == NULL || blank == line->ptr) return false;
    *word = gale_str(line->ptr, (size_t)(blank - line->ptr));
    *line = gale_str(blank + 1, line->len - word->len - 1);
    return true;
}

static bool parse_port(gale_str_t s, uint16_t *port) {
    int64_t value;
    if (s.len > 5 || (s.len > 1 && s.ptr[0] == '0')) return false;
    if (!gale__parse_int64(s, &value) || value > 65535) return false;
    *port = (uint16_t)value;
    return true;
}

static bool parse_address(gale_str_t s, bool v6, gale__ip_t *ip) {
    return (memchr(s.ptr, ':', s.len) != NULL) == v6 && gale__ip_parse(s, ip);
}

/* "TCP4 192.0.2.1 198.51.100.1 56324 443", without the CRLF. */
static bool parse_line(gale__proxy_header_t *out, gale_str_t line) {
    if (line.len >= 7 && memcmp(line.ptr, "UNKNOWN", 7) == 0) {
        return line.len == 7 || line.ptr[7] == ' '; /* what follows means nothing */
    }
    gale_str_t family, source, destination, source_port;
    gale__ip_t ignored;
    uint16_t port;
    if (!take_word(&line, &family) || !take_word(&line, &source) ||
        !take_word(&line, &destination) || !take_word(&line, &source_port)) {
        return false;
    }
    bool v6 = gale__eq(family, GALE__LIT("TCP6"));
    if (!v6 && !gale__eq(family, GALE__LIT("TCP4"))) return false;
    out->proxied = true;
    return parse_address(source, v6, &out->source) && parse_address(destination, v6, &ignored) &&
           parse_port(source_port, &out->port) && parse_port(line, &port);
}

static int parse_v1(gale__proxy_header_t *out, const char *bytes, size_t len) {
    size_t most = len < GALE__PROXY_V1_MAX ? len : GALE__PROXY_V1_MAX;
    const char *lf = memchr(bytes, '\n', most);
    if (lf == NULL) return len < GALE__PROXY_V1_MAX ? 0 : -1;
    size_t size = (size_t)(lf - bytes) + 1;
    if (size < 8 || lf[-1] != '\r') return -1;
    return parse_line(out, gale_str(bytes + 6, size - 8)) ? (int)size : -1;
}

/* ----------------------------------------------------------------------------------- version 2 */

enum {
    V2_FIXED = 16,
    TLV_CRC32C = 0x03,
    TLV_SSL = 0x20,
    CLIENT_SSL = 0x01 /* in the first byte of TLV_SSL: the client came by TLS */
};

static unsigned byte_at(const char *bytes, size_t at) {
    return (uint8_t)bytes[at];
}

static unsigned short_at(const char *bytes, size_t at) {
    return byte_at(bytes, at) << 8 | byte_at(bytes, at + 1);
}

uint32_t gale__crc32c(uint32_t crc, const void *bytes, size_t len) {
    /* Of each half byte; polynomial 0x1edc6f41, reflected. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const uint8_t *p = bytes;
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* The checksum is of the whole header with zeros in its own place. */
static bool crc_is_right(const char *bytes, size_t size, size_t at) {
    uint32_t said = (uint32_t)short_at(bytes, at) << 16 | short_at(bytes, at + 2);
    uint32_t crc = gale__crc32c(0, bytes, at);
    crc = gale__crc32c(crc, "\0\0\0\0", 4);
    return gale__crc32c(crc, bytes + at + 4, size - at - 4) == said;
}

static bool parse_tlvs(gale__proxy_header_t *out, const char *bytes, size_t size, size_t at) {
    while (at < size) {
        if (size - at < 3) return false;
        unsigned type = byte_at(bytes, at), len = short_at(bytes, at + 1);
        at += 3;
        if (len > size - at) return false;
        if (type == TLV_CRC32C && (len != 4 || !crc_is_right(bytes, size, at))) return false;
        if (type == TLV_SSL) {
            if (len < 5) return false;
            out->secure = (byte_at(bytes, at) & CLIENT_SSL) != 0;
        }
        at += len;
    }
    return true;
}

/* Bytes of the addresses of this family over this transport; -1 for those no stream comes from. */
static int addresses_len(unsigned family) {
    switch (family) {
    case 0x00: /* AF_UNSPEC */
        return 0;
    case 0x11: /* TCP over IPv4 */
        return 12;
    case 0x21: /* TCP over IPv6 */
        return 36;
    case 0x31: /* unix stream */
        return 216;
    default:
        return -1;
    }
}

static bool parse_proxied(gale__proxy_header_t *out, const char *bytes, size_t size) {
    unsigned family = byte_at(bytes, 13);
    int addresses = addresses_len(family);
    if (addresses < 0 || (size_t)addresses > size - V2_FIXED) return false;
    const uint8_t *source = (const uint8_t *)bytes + V2_FIXED;
    out->proxied = family != 0x00;
    if (family == 0x11) {
        out->source = gale__ip_v4(source);
        out->port = (uint16_t)short_at(bytes, V2_FIXED + 8);
    } else if (family == 0x21) {
        out->source = gale__ip_v6(source);
        out->port = (uint16_t)short_at(bytes, V2_FIXED + 32);
    }
    return parse_tlvs(out, bytes, size, V2_FIXED + (size_t)addresses);
}

static int parse_v2(gale__proxy_header_t *out, const char *bytes, size_t len) {
    if (len > 12 && byte_at(bytes, 12) != 0x20 && byte_at(bytes, 12) != 0x21) return -1;
    if (len < V2_FIXED) return 0;
    size_t size = V2_FIXED + short_at(bytes, 14);
    if (size > GALE__PROXY_V2_MAX) return -1;
    if (len < size) return 0;
    bool local = byte_at(bytes, 12) == 0x20; /* a health check of the proxy's own */
    return local || parse_proxied(out, bytes, size) ? (int)size : -1;
}

/* -------------------------------------------------------------------------------------- either */

int gale__proxy_header_parse(gale__proxy_header_t *out, const char *bytes, size_t len) {
    static const char v1[] = "PROXY ", v2[] = "\r\n\r\n\0\r\nQUIT\n";
    memset(out, 0, sizeof *out);
    if (len == 0) return 0;
    bool first = bytes[0] == v1[0];
    size_t whole = first ? sizeof v1 - 1 : sizeof v2 - 1, some = len < whole ? len : whole;
    if (memcmp(bytes, first ? v1 : v2, some) != 0) return -1;
    if (some < whole) return 0;
    int size = first ? parse_v1(out, bytes, len) : parse_v2(out, bytes, len);
    if (size <= 0) memset(out, 0, sizeof *out);
    return size;
}
