/* The PROXY protocol (H1-28): headers that are some, headers that are none, in any pieces. */
#include "proxy_protocol.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy_headers.h"
#include "test.h"

/* Parsed from an exact copy, so that ASan sees a read too far. */
static int parse_exact(gale__proxy_header_t *out, const char *bytes, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) abort();
    if (len > 0) memcpy(copy, bytes, len);
    memset(out, 0xff, sizeof *out);
    int result = gale__proxy_header_parse(out, copy, len);
    free(copy);
    return result;
}

/* The whole, and byte by byte: 0 up to the last byte of a good one; a bad one is never good, and
 * once found bad it stays so. Behind a header anything may follow. */
static int parse_in_pieces(gale__proxy_header_t *out, const char *bytes, size_t len) {
    gale__proxy_header_t part;
    int whole = parse_exact(out, bytes, len), before = 0;
    for (size_t i = 0; i <= len; i++) {
        int got = parse_exact(&part, bytes, i);
        if (whole > 0) CHECK_EQ_INT(got, i < (size_t)whole ? 0 : whole);
        if (whole <= 0) CHECK(got <= 0 && (before == 0 || got == -1));
        if (got <= 0) CHECK(!part.proxied && !part.secure && part.source.family == 0);
        before = got;
        if (test_failures() > 0) break;
    }
    return whole;
}

static const char *say(const gale__proxy_header_t *h) {
    static char line[80];
    char ip[GALE__IP_TEXT];
    gale__ip_format(&h->source, ip);
    snprintf(line, sizeof line, "%s%s %d%s", h->proxied ? "" : "local ", ip[0] == '\0' ? "-" : ip,
             h->port, h->secure ? " tls" : "");
    return line;
}

/* ----------------------------------------------------------------------------------- version 1 */

TEST(proxy_protocol, version_1_H1_28) {
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", "192.0.2.1 56324"},
        {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255 65535"},
        {"PROXY TCP4 192.0.2.1 198.51.100.1 0 0\r\n", "192.0.2.1 0"},
        {"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "2001:db8::1 1"},
        {"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"}, /* 104 bytes */
        {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", "192.0.2.1 1"},
        {"PROXY UNKNOWN\r\n", "local - 0"},
        {"PROXY UNKNOWN ffff::1 nonsense\r\n", "local - 0"},
        {"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n", "192.0.2.1 56324"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__proxy_header_t h;
        int size = parse_in_pieces(&h, rows[i].line, strlen(rows[i].line));
        CHECK_MSG(size == (int)strcspn(rows[i].line, "\n") + 1, "%s: %d", rows[i].line, size);
        CHECK_MSG(strcmp(say(&h), rows[i].want) == 0, "%s: %s", rows[i].line, say(&h));
    }
}

TEST(proxy_protocol, not_version_1_H1_28) {
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n",
        "proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY TCP4\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.1 1 443\n",
        "PROXY TCP4 192.0.2.01 198.51.100.1 1 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.1 1 443\r\n",
        "PROXY TCP4 192.0.2.1 host 1 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n",
        "PROXY TCP6 ::1 192.0.2.1 1 2\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY UNIX /a /b\r\n",
        ("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234\r\n"), /* 108 bytes */
        "\r\n\r\n",
        "\r\n\r\nX",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gale__proxy_header_t h;
        int size = parse_in_pieces(&h, bad[i], strlen(bad[i]));
        CHECK_MSG(size == (i == sizeof bad / sizeof bad[0] - 2 ? 0 : -1), "%s: %d", bad[i], size);
    }
}

/* Without an end in sight it is refused at the first byte too many. */
TEST(proxy_protocol, version_1_is_bounded) {
    char line[200];
    gale__proxy_header_t h;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    CHECK_EQ_INT(parse_exact(&h, line, GALE__PROXY_V1_MAX - 1), 0);
    CHECK_EQ_INT(parse_exact(&h, line, GALE__PROXY_V1_MAX), -1);
    memcpy(line + GALE__PROXY_V1_MAX - 2, "\r\n", 2);
    CHECK_EQ_INT(parse_exact(&h, line, GALE__PROXY_V1_MAX), GALE__PROXY_V1_MAX);
}

/* ----------------------------------------------------------------------------------- version 2 */

TEST(proxy_protocol, crc32c_is_that_of_rfc_3720) {
    uint8_t bytes[32] = {0};
    CHECK_EQ_UINT(gale__crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK_EQ_UINT(gale__crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    CHECK_EQ_UINT(gale__crc32c(0, bytes, 32), 0x46dd794e);
    CHECK_EQ_UINT(gale__crc32c(gale__crc32c(0, bytes, 5), bytes + 5, 27), 0x46dd794e);
    CHECK_EQ_UINT(gale__crc32c(0, "123456789", 9), 0xe3069283);
}

#define V4 "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb"
#define V6                                                                                         \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"         \
    "\xdc\x04\x01\xbb"
#define TLV_ALPN "\x01\x00\x02h2"
#define TLV_NOOP "\x04\x00\x00"
#define TLV_SSL "\x20\x00\x0f\x01\0\0\0\0\x21\x00\x07TLSv1.3"
#define TLV_NO_SSL "\x20\x00\x05\x00\0\0\0\0"

TEST(proxy_protocol, version_2_H1_28) {
    static const char path[216] = "/run/client";
    static const struct {
        int command, family;
        const char *rest;
        size_t len;
        const char *want;
    } rows[] = {
#define REST(text) text, sizeof(text) - 1
        {0x21, 0x11, REST(V4), "192.0.2.1 56324"},
        {0x21, 0x21, REST(V6), "2001:db8::1 56324"},
        {0x21, 0x31, path, sizeof path, "- 0"},
        {0x21, 0x00, REST(""), "local - 0"},
        {0x21, 0x00, REST(TLV_NOOP), "local - 0"},
        {0x20, 0x00, REST(""), "local - 0"},
        {0x20, 0x11, REST(V4), "local - 0"}, /* what LOCAL says of addresses means nothing */
        {0x20, 0xff, REST("\x01\x02"), "local - 0"},
        {0x21, 0x11, REST(V4 TLV_ALPN TLV_NOOP), "192.0.2.1 56324"},
        {0x21, 0x11, REST(V4 TLV_SSL), "192.0.2.1 56324 tls"},
        {0x21, 0x21, REST(V6 TLV_ALPN TLV_SSL TLV_NOOP), "2001:db8::1 56324 tls"},
        {0x21, 0x11, REST(V4 TLV_NO_SSL), "192.0.2.1 56324"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[600];
        gale__proxy_header_t h;
        size_t len = proxy_v2(bytes, rows[i].command, rows[i].family, rows[i].rest, rows[i].len);
        CHECK_EQ_INT(parse_in_pieces(&h, bytes, len), (int)len);
        CHECK_MSG(strcmp(say(&h), rows[i].want) == 0, "row %zu: %s", i, say(&h));
        memcpy(bytes + len, "GET /", 5);
        CHECK_EQ_INT(parse_in_pieces(&h, bytes, len + 5), (int)len);
    }
}

TEST(proxy_protocol, not_version_2_H1_28) {
    static const struct {
        int command, family;
        const char *rest;
        size_t len;
    } rows[] = {
        {0x11, 0x11, REST(V4)}, /* version 1 in version 2's clothes */
        {0x22, 0x11, REST(V4)}, /* an unknown command */
        {0x21, 0x12, REST(V4)}, /* datagrams */
        {0x21, 0x41, REST(V4)}, /* an unknown family */
        {0x21, 0x01, REST(V4)},
        {0x21, 0x10, REST(V4)},
        {0x21, 0x11, V4, 11}, /* too short for its addresses */
        {0x21, 0x21, REST(V4)},
        {0x21, 0x31, REST(V6)},
        {0x21, 0x11, REST(V4 "\x04")}, /* TLVs that are cut off */
        {0x21, 0x11, REST(V4 "\x04\x00")},
        {0x21, 0x11, REST(V4 "\x04\x00\x01")},
        {0x21, 0x11, REST(V4 "\x01\xff\xffh2")},
        {0x21, 0x11, REST(V4 "\x20\x00\x04\x01\0\0\0")},
        {0x21, 0x11, REST(V4 "\x03\x00\x03\0\0\0")},
        {0x21, 0x11, REST(V4 "\x03\x00\x04\0\0\0\0")}, /* not its checksum */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char bytes[600];
        gale__proxy_header_t h;
        size_t len = proxy_v2(bytes, rows[i].command, rows[i].family, rows[i].rest, rows[i].len);
        int got = parse_in_pieces(&h, bytes, len);
        CHECK_MSG(got == -1, "row %zu: %d", i, got);
    }
}

/* A checksum that is right; and with any one byte changed, wrong. */
TEST(proxy_protocol, checksum_H1_28) {
    char bytes[600];
    gale__proxy_header_t h;
    size_t len = proxy_v2(bytes, 0x21, 0x11, REST(V4 TLV_ALPN "\x03\x00\x04\0\0\0\0" TLV_NOOP));
    size_t at = 16 + 12 + 5 + 3;
    uint32_t crc = gale__crc32c(0, bytes, len);
    for (int i = 0; i < 4; i++) bytes[at + (size_t)i] = (char)(crc >> (24 - 8 * i));
    CHECK_EQ_INT(parse_in_pieces(&h, bytes, len), (int)len);
    CHECK(strcmp(say(&h), "192.0.2.1 56324") == 0);
    for (size_t i = 16; i < len; i++) {
        bytes[i] ^= 0x40;
        /* But where it makes the TLV another one, or nothing of it, it is no longer checked. */
        bool unchecked = (i >= 28 && i < 36) || i >= 40;
        if (!unchecked) CHECK_EQ_INT(parse_exact(&h, bytes, len), -1);
        bytes[i] ^= 0x40;
    }
    bytes[28] ^= 0x40; /* another type of TLV 1 is no matter to us, but to the checksum */
    CHECK_EQ_INT(parse_exact(&h, bytes, len), -1);
}

TEST(proxy_protocol, version_2_is_bounded) {
    static char rest[GALE__PROXY_V2_MAX];
    static char bytes[GALE__PROXY_V2_MAX + 32];
    gale__proxy_header_t h;
    memcpy(rest, V4, 12);
    rest[12] = 0x04;
    unsigned pad = GALE__PROXY_V2_MAX - 16 - 12 - 3;
    rest[13] = (char)(pad >> 8);
    rest[14] = (char)pad;
    size_t len = proxy_v2(bytes, 0x21, 0x11, rest, GALE__PROXY_V2_MAX - 16);
    CHECK_EQ_INT(parse_exact(&h, bytes, len), GALE__PROXY_V2_MAX);
    len = proxy_v2(bytes, 0x21, 0x11, rest, GALE__PROXY_V2_MAX - 15);
    CHECK_EQ_INT(parse_exact(&h, bytes, 15), 0);
    CHECK_EQ_INT(parse_exact(&h, bytes, 16), -1); /* before the rest is even there */
}
