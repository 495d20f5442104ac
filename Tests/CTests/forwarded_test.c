/* What proxies say: tables of each family of fields. */
#include "forwarded.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

enum { MOST = 8 };

/* Fields as "Name: value" lines, each value an exact copy, so that ASan sees a read too far. */
static size_t split_fields(const char *text, gale_header_t out[MOST]) {
    size_t count = 0;
    while (*text != '\0' && count < MOST) {
        size_t len = strcspn(text, "\n"), name = strcspn(text, ":");
        size_t skip = name + 1 + (text[name + 1] == ' ');
        size_t size = len > skip ? len - skip : 0;
        char *copy = malloc(size > 0 ? size : 1);
        if (copy == NULL) abort();
        memcpy(copy, text + skip, size);
        out[count++] = (gale_header_t){gale_str(text, name), gale_str(copy, size)};
        text += len + (text[len] == '\n');
    }
    return count;
}

/* "address port scheme host", with "-" for what is not known. */
static const char *say(const gale__forwarded_t *f) {
    static char line[256];
    char ip[GALE__IP_TEXT];
    static const char *const schemes[] = {"-", "http", "https"};
    if (gale__ip_format(&f->ip, ip) == 0) strcpy(ip, "-");
    snprintf(line, sizeof line, "%s %d %s %.*s", ip, f->port, schemes[f->scheme],
             f->host.len > 0 ? (int)f->host.len : 1, f->host.len > 0 ? f->host.ptr : "-");
    return line;
}

typedef struct {
    const char *fields, *want;
} row_t;

static void check_rows(uint32_t family, bool host, const row_t *rows, size_t count) {
    gale__network_t networks[4];
    int n = gale__networks_parse(gale_cstr("127.0.0.0/8 ::1 10.0.0.0/8 5.5.5.5"), networks, 4);
    gale__forwarded_rules_t rules = {networks, (size_t)n, family, host};
    CHECK_EQ_INT(n, 4);
    for (size_t i = 0; i < count; i++) {
        gale_header_t headers[MOST];
        size_t fields = split_fields(rows[i].fields, headers);
        gale__forwarded_t f;
        memset(&f, 0xff, sizeof f);
        gale__forwarded_read(&f, &rules, headers, fields);
        CHECK_MSG(strcmp(say(&f), rows[i].want) == 0, "%s\n    got  %s\n    want %s",
                  rows[i].fields, say(&f), rows[i].want);
        for (size_t j = 0; j < fields; j++) free((void *)headers[j].value.ptr);
    }
}
#define CHECK_ROWS(family, host, rows) check_rows(family, host, rows, sizeof rows / sizeof rows[0])

/* H1-23: Tornado's table of addresses and of schemes. 127.0.0.1 and 5.5.5.5 are trusted. */
TEST(forwarded, x_forwarded_H1_23) {
    static const row_t rows[] = {
        {"", "- 0 - -"},
        {"X-Forwarded-For: 4.4.4.4", "4.4.4.4 0 - -"},
        {"X-Forwarded-For: 127.0.0.1, 4.4.4.4", "4.4.4.4 0 - -"},
        {"X-Forwarded-For: ::1, 2620:0:1cfe:face:b00c::3", "2620:0:1cfe:face:b00c::3 0 - -"},
        {"X-Forwarded-For: 4.4.4.4, 5.5.5.5<script>", "- 0 - -"},
        {"X-Forwarded-For: 4.4.4.4<script>", "- 0 - -"},
        {"X-Forwarded-For: www.google.com", "- 0 - -"},
        {"X-Forwarded-For: 127.0.0.1, 4.4.4.4, 5.5.5.5", "4.4.4.4 0 - -"},
        {"X-Forwarded-Proto: https", "- 0 https -"},
        {"X-Forwarded-Proto: https , http", "- 0 http -"},
        {"X-Forwarded-Proto: http, https ", "- 0 https -"},
        {"X-Forwarded-Proto: unknown", "- 0 - -"},
        {"X-Forwarded-Proto: https, ftp", "- 0 - -"},
        /* A client's own entries stand left of what the proxies saw. */
        {"X-Forwarded-For: 6.6.6.6, 4.4.4.4, 10.0.0.1, 5.5.5.5", "4.4.4.4 0 - -"},
        {"X-Forwarded-For: 10.0.0.1, 10.0.0.2", "10.0.0.1 0 - -"}, /* trusted throughout */
        {"X-Forwarded-For: 6.6.6.6, unknown, 10.0.0.1", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6, , 10.0.0.1", "6.6.6.6 0 - -"}, /* RFC 9110 5.6.1.2 */
        {"X-Forwarded-For: ,, ,", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: ,", "6.6.6.6 0 - -"},
        {"X-Forwarded-For: ", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6, \nX-Forwarded-Proto: https,", "6.6.6.6 0 https -"},
        {"X-Forwarded-For: 6.6.6.6 4.4.4.4", "- 0 - -"},
        {"X-Forwarded-For: ::ffff:127.0.0.1", "127.0.0.1 0 - -"},
        {"X-Forwarded-For: 4.4.4.4, ::ffff:127.0.0.1", "4.4.4.4 0 - -"}, /* no disguise */
        {"X-Forwarded-For: 6.6.6.6, 0x7f.0.0.1", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6, 127.1", "- 0 - -"},
        /* Several fields are one list (RFC 9110 5.3). */
        {"X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 4.4.4.4", "4.4.4.4 0 - -"},
        {"X-Forwarded-For: 4.4.4.4\nx-forwarded-FOR: 10.0.0.1, 127.0.0.1", "4.4.4.4 0 - -"},
        {"X-Forwarded-For: bad\nX-Forwarded-For: 10.0.0.1", "- 0 - -"},
        {"X-Forwarded-Proto: http\nX-Forwarded-Proto: https", "- 0 https -"},
        /* With ports, as some proxies write them. */
        {"X-Forwarded-For: 4.4.4.4:5678", "4.4.4.4 5678 - -"},
        {"X-Forwarded-For: [2001:db8::1]:443", "2001:db8::1 443 - -"},
        {"X-Forwarded-For: [2001:db8::1]", "2001:db8::1 0 - -"},
        {"X-Forwarded-For: 4.4.4.4:", "- 0 - -"},
        {"X-Forwarded-For: 4.4.4.4:65536", "- 0 - -"},
        {"X-Forwarded-For: 4.4.4.4:-1", "- 0 - -"},
        {"X-Forwarded-For: [4.4.4.4]:80", "- 0 - -"},
        {"X-Forwarded-For: [2001:db8::1", "- 0 - -"},
        {"X-Forwarded-For: [2001:db8::1]80", "- 0 - -"},
        {"X-Forwarded-For: [", "- 0 - -"},
        {"X-Forwarded-For: ]", "- 0 - -"},
        {"X-Forwarded-For: []", "- 0 - -"},
        {"X-Forwarded-For: :", "- 0 - -"},
        {"X-Forwarded-For: :80", "- 0 - -"},
        {"X-Forwarded-Proto: HTTPS", "- 0 https -"},
        {"X-Forwarded-Proto: wss", "- 0 https -"},
        {"X-Forwarded-Proto: ws", "- 0 http -"},
        {"X-Forwarded-Proto: https://", "- 0 - -"},
        /* Other families are not looked at. */
        {"X-Real-Ip: 6.6.6.6\nX-Scheme: https\nForwarded: for=6.6.6.6;proto=https", "- 0 - -"},
        {"X-Forwarded-For: 4.4.4.4\nX-Real-Ip: 6.6.6.6\nForwarded: for=7.7.7.7", "4.4.4.4 0 - -"},
        {"X-Forwarded-Host: evil.example", "- 0 - -"}, /* unless asked for */
    };
    CHECK_ROWS(GALE_FORWARDED_X, false, rows);
}

TEST(forwarded, x_forwarded_host) {
    static const row_t rows[] = {
        {"X-Forwarded-Host: example.com", "- 0 - example.com"},
        {"X-Forwarded-Host: evil.example, example.com:8443", "- 0 - example.com:8443"},
        {"X-Forwarded-Host: evil.example\nX-Forwarded-Host: [::1]:80", "- 0 - [::1]:80"},
        {"X-Forwarded-Host: a/b", "- 0 - -"},
        {"X-Forwarded-Host: a b", "- 0 - -"},
        {"X-Forwarded-Host: a@b", "- 0 - -"},
        {"X-Forwarded-Host: good.example, ", "- 0 - good.example"},
        {"X-Forwarded-Host: ", "- 0 - -"},
        {"X-Forwarded-Host: a:99999", "- 0 - -"},
        {"X-Forwarded-Host: <script>", "- 0 - -"},
    };
    CHECK_ROWS(GALE_FORWARDED_X, true, rows);
}

/* H1-23: the addresses and the scheme of the other of Tornado's two families. */
TEST(forwarded, x_real_ip_H1_23) {
    static const row_t rows[] = {
        {"X-Real-IP: 4.4.4.4", "4.4.4.4 0 - -"},
        {"X-Real-IP: 2620:0:1cfe:face:b00c::3", "2620:0:1cfe:face:b00c::3 0 - -"},
        {"X-Real-IP: 4.4.4.4<script>", "- 0 - -"},
        {"X-Real-IP: www.google.com", "- 0 - -"},
        {"X-Real-IP: 4.4.4.4, 6.6.6.6", "- 0 - -"},
        {"X-Real-IP: 6.6.6.6\nX-Real-IP: 4.4.4.4", "- 0 - -"}, /* whose is which? */
        {"X-Scheme: https", "- 0 https -"},
        {"X-Scheme: http\nX-Real-Ip: 4.4.4.4", "4.4.4.4 0 http -"},
        {"X-Scheme: unknown", "- 0 - -"},
        {"X-Scheme: https\nX-Scheme: http", "- 0 - -"},
        {"X-Scheme: https, http", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: https\nX-Forwarded-Host: a", "- 0 - -"},
    };
    CHECK_ROWS(GALE_FORWARDED_X_REAL_IP, true, rows);
}

TEST(forwarded, rfc_7239_H1_23) {
    static const row_t rows[] = {
        {"Forwarded: for=4.4.4.4", "4.4.4.4 0 - -"},
        {"Forwarded: For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17 4711 - -"},
        {"Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60 0 http -"},
        {"Forwarded: for=192.0.2.43, for=198.51.100.17", "198.51.100.17 0 - -"},
        {"Forwarded: for=4.4.4.4;proto=https;host=\"example.com:8443\"",
         "4.4.4.4 0 https example.com:8443"},
        {"Forwarded: HOST=example.com ; PROTO=HTTPS;FOR=\"4.4.4.4:80\"",
         "4.4.4.4 80 https example.com"},
        {"Forwarded: for=[2001:db8::1]:80", "2001:db8::1 80 - -"}, /* without its quotes */
        {"Forwarded: for=\"2001:db8::1\"", "2001:db8::1 0 - -"},
        {"Forwarded: for=\"4.4.4.4:_port\"", "4.4.4.4 0 - -"},
        {"Forwarded: for=\"4.4.4.4:_po rt\"", "- 0 - -"},
        /* The element of the outermost trusted proxy tells the scheme and the host. */
        {"Forwarded: for=6.6.6.6;proto=http;host=evil, for=4.4.4.4;proto=https;host=good, "
         "for=10.0.0.1;proto=http;host=inner",
         "4.4.4.4 0 https good"},
        {"Forwarded: for=4.4.4.4;proto=https, for=10.0.0.1, for=5.5.5.5", "4.4.4.4 0 https -"},
        {"Forwarded: for=10.0.0.1;proto=https, for=10.0.0.2", "10.0.0.1 0 https -"},
        {"Forwarded: for=6.6.6.6\nForwarded: for=4.4.4.4;proto=https", "4.4.4.4 0 https -"},
        {"Forwarded: for=4.4.4.4\nForwarded: for=10.0.0.1", "4.4.4.4 0 - -"},
        /* Not known, but said by one who knows. */
        {"Forwarded: for=unknown;proto=https", "- 0 https -"},
        {"Forwarded: for=_hidden;proto=https;host=h", "- 0 https h"},
        {"Forwarded: for=\"_gazonk\", for=10.0.0.1", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for=unknown", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, proto=https", "- 0 https -"},
        {"Forwarded: for=6.6.6.6, for=\"\"", "- 0 - -"},
        /* Empty elements and pairs mean nothing. */
        {"Forwarded: , for=4.4.4.4, ,", "4.4.4.4 0 - -"},
        {"Forwarded: ;for=4.4.4.4;;proto=http;", "4.4.4.4 0 http -"},
        {"Forwarded: for=4.4.4.4, ;", "4.4.4.4 0 - -"},
        {"Forwarded: ", "- 0 - -"},
        {"Forwarded: for=4.4.4.4\nForwarded: ", "4.4.4.4 0 - -"},
        /* Quotes hide commas and semicolons. */
        {"Forwarded: for=4.4.4.4;x=\", for=6.6.6.6;proto=https\"", "4.4.4.4 0 - -"},
        {"Forwarded: x=\"\\\", for=6.6.6.6\";for=4.4.4.4", "4.4.4.4 0 - -"},
        {"Forwarded: for=\"4.4.4\\.4\"", "- 0 - -"},
        {"Forwarded: for=4.4.4.4;host=\"a\\b\"", "4.4.4.4 0 - -"},
        {"Forwarded: for=4.4.4.4;host=\"a/b\"", "4.4.4.4 0 - -"},
        {"Forwarded: for=4.4.4.4;proto=ftp", "4.4.4.4 0 - -"},
        /* A client that opens a quote cannot swallow the proxy's element: nothing is believed. */
        {"Forwarded: for=6.6.6.6;x=\", for=4.4.4.4", "- 0 - -"},
        {"Forwarded: for=6.6.6.6;x=\", for=\"[2001:db8::1]\"", "- 0 - -"},
        {"Forwarded: for=6.6.6.6;x=\"\\", "- 0 - -"},
        {"Forwarded: for=6.6.6.6;x=\"\nForwarded: for=4.4.4.4", "4.4.4.4 0 - -"},
        {"Forwarded: for=6.6.6.6;x=\"\nForwarded: for=10.0.0.1", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for=10.0.0.1;for=4.4.4.4", "- 0 - -"}, /* twice */
        {"Forwarded: for=6.6.6.6, for=10.0.0.1 proto=https", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for = 10.0.0.1", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for=", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, =4.4.4.4", "- 0 - -"},
        {"Forwarded: for=6.6.6.6, for=\"a\"b", "- 0 - -"},
        {"Forwarded: 4.4.4.4", "- 0 - -"},
        {"X-Forwarded-For: 6.6.6.6\nX-Real-Ip: 6.6.6.6\nX-Forwarded-Host: h\nX-Scheme: https",
         "- 0 - -"},
    };
    CHECK_ROWS(GALE_FORWARDED_RFC7239, false, rows);
}
