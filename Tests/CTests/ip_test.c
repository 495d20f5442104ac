/* IP addresses and networks: what is one, how it is written, who is in it. */
#include "ip.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "test.h"

/* The address written anew, or "!" when it is none. The input is an exact copy: ASan sees a read
 * too far. */
static gale_str_t again(const char *text) {
    static char out[GALE__IP_TEXT];
    size_t len = strlen(text);
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) abort();
    memcpy(copy, text, len);
    gale__ip_t ip;
    bool ok = gale__ip_parse(gale_str(copy, len), &ip);
    free(copy);
    if (!ok) return gale_str("!", 1);
    size_t n = gale__ip_format(&ip, out);
    CHECK(n < sizeof out && out[n] == '\0');
    return gale_str(out, n);
}

TEST(ip, addresses) {
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"127.0.0.1", "127.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2620:0:1cfe:face:b00c::3", "2620:0:1cfe:face:b00c::3"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* RFC 5952 4.2.2 */
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          /* the longest */
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    /* the first of two */
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"fe80::1", "fe80::1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"::ffff:192.0.2.1", "192.0.2.1"}, /* IPv4 in IPv6's clothes */
        {"::FFFF:c000:0201", "192.0.2.1"},
        {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_EQ_STRS(again(rows[i].text), gale_cstr(rows[i].want));
    }
}

/* NET-03: names, blanks and NUL are no addresses. H1-23: nor is what merely begins with one. */
TEST(ip, not_addresses_NET_03_H1_23) {
    static const char *const bad[] = {
        "",
        " ",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.",
        ".1.2.3",
        "1..2.3",
        "256.0.0.1",
        "1.2.3.1000",
        "01.2.3.4",
        "1.2.3.00",
        "0x1.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.4/8",
        "1.2.3.4:80",
        "4.4.4.4<script>",
        "localhost",
        "www.a.com",
        ":",
        ":::",
        ":1",
        "1:",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "12345::",
        "g::",
        "::1%lo",
        "[::1]",
        "::1.2.3",
        "::1.2.3.256",
        "::01.2.3.4",
        "::1.2.3.4:5",
        "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:1.2.3.4x",
        "-1.2.3.4",
        "+1.2.3.4",
        "1.2.3.-4",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gale_str_t got = again(bad[i]);
        CHECK_MSG(got.len == 1 && got.ptr[0] == '!', "\"%s\" is taken for an address", bad[i]);
    }
    gale__ip_t ip;
    CHECK(!gale__ip_parse(gale_str("1.2.3.4\0", 8), &ip));
    CHECK(!gale__ip_parse(gale_str("::1\0", 4), &ip));
}

/* Random addresses are read and written as the C library does, but for mapped ones. */
TEST(ip, as_the_c_library) {
    uint32_t x = 1;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[16];
        char want[64], got[GALE__IP_TEXT];
        for (int j = 0; j < 16; j++) {
            x = x * 1664525u + 1013904223u;
            bytes[j] = x >> 30 == 0 ? (uint8_t)(x >> 16) : 0;
        }
        bytes[0] |= 0x20;
        gale__ip_t ip = gale__ip_v6(bytes), back;
        inet_ntop(AF_INET6, bytes, want, sizeof want);
        gale__ip_format(&ip, got);
        CHECK_EQ_STRS(gale_cstr(got), gale_cstr(want));
        CHECK(gale__ip_parse(gale_cstr(got), &back) && memcmp(&ip, &back, sizeof ip) == 0);
        if (test_failures() > 0) return;
    }
}

TEST(ip, networks) {
    static const struct {
        const char *network, *in, *out; /* blank-separated lists */
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0 10.255.255.255 ::ffff:10.1.2.3", "11.0.0.0 9.255.255.255 ::a00:1"},
        {"192.168.4.0/22", "192.168.4.1 192.168.7.255", "192.168.8.0 192.168.3.255"},
        {"127.0.0.1", "127.0.0.1 ::ffff:127.0.0.1", "127.0.0.2 ::1"},
        {"127.0.0.1/32", "127.0.0.1", "127.0.0.0"},
        {"128.0.0.0/1", "128.0.0.0 255.0.0.0", "127.255.255.255 8000::"},
        {"0.0.0.0/0", "0.0.0.0 255.255.255.255", ":: ::1"},
        {"::1", "::1", "::2 127.0.0.1"},
        {"::/0", ":: ffff::", "1.2.3.4"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
        {"::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.0"},
        {"fe80::/10", "fe80::1 febf::1", "fec0::1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__network_t n;
        REQUIRE(gale__network_parse(gale_cstr(rows[i].network), &n));
        for (int inside = 0; inside < 2; inside++) {
            const char *at = inside ? rows[i].in : rows[i].out;
            while (*at != '\0') {
                size_t len = strcspn(at, " ");
                gale__ip_t ip;
                REQUIRE(gale__ip_parse(gale_str(at, len), &ip));
                CHECK_MSG(gale__networks_have(&n, 1, &ip) == (inside == 1), "%s: %.*s",
                          rows[i].network, (int)len, at);
                at += len + (at[len] == ' ');
            }
        }
    }
}

TEST(ip, not_networks) {
    static const char *const bad[] = {
        "",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "10.0.0.0/8 ",
        "10.0/8",
        "10.1.0.0/8",
        "::/129",
        "::1/127",
        "2001:db8::1/32",
        "/8",
        "Unix",
        "unix/8",
        "localhost",
        "10.0.0.0/1000",
        "10.0.0.0/-1",
        "::ffff:10.0.0.0/95",
        "::ffff:10.0.0.0/8",
        "10.0.0.0//8",
        "10.0.0.0/8/8",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gale__network_t n;
        CHECK_MSG(!gale__network_parse(gale_cstr(bad[i]), &n), "\"%s\" is taken", bad[i]);
    }
}

TEST(ip, lists_of_networks) {
    gale__network_t n[4];
    gale__ip_t none = {0}, lo, other;
    CHECK_EQ_INT(gale__networks_parse(gale_str(NULL, 0), n, 4), 0);
    CHECK_EQ_INT(gale__networks_parse(gale_cstr(" ,, \t\n"), n, 4), 0);
    CHECK_EQ_INT(gale__networks_parse(gale_cstr("127.0.0.0/8, ::1,unix 10.0.0.0/8"), n, 4), 4);
    CHECK(gale__ip_parse(gale_cstr("127.9.9.9"), &lo) && gale__networks_have(n, 4, &lo));
    CHECK(gale__networks_have(n, 4, &none) && !gale__networks_have(n, 2, &none));
    CHECK(gale__ip_parse(gale_cstr("8.8.8.8"), &other) && !gale__networks_have(n, 4, &other));
    CHECK_EQ_INT(gale__networks_parse(gale_cstr("::1, ::2, ::3"), n, 1), 3); /* only counts on */
    CHECK_EQ_INT(gale__networks_parse(gale_cstr("::1, nonsense"), n, 4), -1);
    CHECK_EQ_INT(gale__networks_parse(gale_cstr("::1;::2"), n, 4), -1);
}
