/* H1-28: connections that begin with a PROXY header. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy_headers.h"
#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define LAST "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
#define V1 "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"

/* "address port peer scheme" */
static void say_client(gale_req_t *req, void *data) {
    char text[160], remote[46], peer[46];
    int port = gale_req_remote(req, remote, sizeof remote);
    gale_str_t scheme = gale_req_scheme(req);
    (void)data;
    CHECK(gale_req_peer(req, peer, sizeof peer) >= 0);
    snprintf(text, sizeof text, "%s %d %s %.*s", remote[0] == '\0' ? "-" : remote, port,
             peer[0] == '\0' ? "-" : peer, (int)scheme.len, scheme.ptr);
    gale_respond_text(req, 200, text);
}

static gale_server_t *start(const char *url, const char *trusted, uint32_t header_timeout) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = say_client;
    config.workers = 1;
    config.trusted_proxies = trusted;
    if (header_timeout > 0) config.header_timeout_ms = header_timeout;
    return live_start(&config, &h, NULL, url);
}

/* The body of the answer to these bytes, "" when the connection was cut without one. */
static void ask(int fd, const char *bytes, size_t len, char *body, size_t size) {
    char out[2048];
    body[0] = '\0';
    CHECK(fd >= 0 && sock_send_bytes(fd, bytes, len));
    if (sock_read(fd, out, sizeof out, NULL) > 0) {
        gale_str_t b = rig_body_of(gale_cstr(out));
        snprintf(body, size, "%.*s", (int)b.len, b.len == 0 ? "" : b.ptr);
    }
    close(fd);
}

TEST(proxied, clients_by_version_1_H1_28) {
    static const struct {
        const char *header, *want;
    } rows[] = {
        {V1, "192.0.2.1 56324 127.0.0.1 http"},
        {"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "2001:db8::1 1 127.0.0.1 http"},
    };
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    REQUIRE(s != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512], body[160];
        int len = snprintf(text, sizeof text, "%s%s", rows[i].header, LAST);
        ask(sock_connect(gale_server_port(s, 0)), text, (size_t)len, body, sizeof body);
        CHECK_EQ_STRS(gale_cstr(body), gale_cstr(rows[i].want));
    }
    live_end(s);
}

/* UNKNOWN and LOCAL: who speaks for itself is the client. */
TEST(proxied, senders_for_themselves_H1_28) {
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    char text[512], body[160];
    REQUIRE(s != NULL);
    for (int way = 0; way < 2; way++) {
        size_t len = 15;
        if (way == 0) {
            memcpy(text, "PROXY UNKNOWN\r\n", len);
        } else {
            len = proxy_v2(text, 0x20, 0x00, "", 0);
        }
        memcpy(text + len, LAST, sizeof LAST - 1);
        ask(sock_connect(gale_server_port(s, 0)), text, len + sizeof LAST - 1, body, sizeof body);
        CHECK(strncmp(body, "127.0.0.1 ", 10) == 0 && strstr(body, " 127.0.0.1 http") != NULL);
    }
    live_end(s);
}

static size_t v2_request(char *out, const char *rest, size_t len, int family) {
    size_t size = proxy_v2(out, 0x21, family, rest, len);
    memcpy(out + size, LAST, sizeof LAST - 1);
    return size + sizeof LAST - 1;
}

TEST(proxied, clients_by_version_2_H1_28_H1_24) {
    static const char v4[] = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb";
    static const char tls[] = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb"
                              "\x20\x00\x05\x01\0\0\0\0";
    static const char path[216] = "/run/client";
    static const struct {
        const char *rest;
        size_t len;
        int family;
        const char *want;
    } rows[] = {
        {v4, sizeof v4 - 1, 0x11, "192.0.2.1 56324 127.0.0.1 http"},
        {tls, sizeof tls - 1, 0x11, "192.0.2.1 56324 127.0.0.1 https"},
        {path, sizeof path, 0x31, "- 0 127.0.0.1 http"},
    };
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    REQUIRE(s != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512], body[160];
        size_t len = v2_request(text, rows[i].rest, rows[i].len, rows[i].family);
        ask(sock_connect(gale_server_port(s, 0)), text, len, body, sizeof body);
        CHECK_EQ_STRS(gale_cstr(body), gale_cstr(rows[i].want));
    }
    live_end(s);
}

/* Split anywhere, also within the request behind it; and several requests on the connection. */
TEST(proxied, in_pieces_H1_28) {
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    char text[600], out[4096];
    REQUIRE(s != NULL);
    for (int way = 0; way < 2; way++) {
        size_t len = sizeof V1 - 1;
        if (way == 0) {
            memcpy(text, V1, len);
        } else {
            len =
                proxy_v2(text, 0x21, 0x11, "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb", 12);
        }
        memcpy(text + len, GET, sizeof GET - 1);
        len += sizeof GET - 1;
        for (size_t at = 1; at < len; at += 3) {
            int fd = sock_connect(gale_server_port(s, 0));
            REQUIRE(fd >= 0 && sock_send_bytes(fd, text, at));
            if (at % 2 == 0) usleep(1000);
            CHECK(sock_send_bytes(fd, text + at, len - at) && sock_send(fd, LAST));
            CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
            CHECK_EQ_UINT(rig_count(gale_cstr(out), "192.0.2.1 56324 127.0.0.1 http"), 2);
            close(fd);
        }
        int fd = sock_connect(gale_server_port(s, 0));
        for (size_t at = 0; at < len; at++) CHECK(sock_send_bytes(fd, text + at, 1));
        CHECK(sock_send(fd, LAST) && sock_read(fd, out, sizeof out, NULL) > 0);
        CHECK_EQ_UINT(rig_count(gale_cstr(out), "192.0.2.1 56324 127.0.0.1 http"), 2);
        close(fd);
    }
    live_end(s);
}

/* Not a byte comes back, and the connection ends: for a request as well. */
TEST(proxied, without_a_header_connections_are_cut_H1_28) {
    static const char *const bad[] = {
        LAST,        "PROXY TCP4 1.2.3.4\r\n", "\x16\x03\x01\x02", ("PROXY UNKNOWNX\r\n" LAST),
        "\r\n\r\nX",
    };
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    REQUIRE(s != NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[64];
        int fd = sock_connect(gale_server_port(s, 0));
        CHECK(fd >= 0 && sock_send(fd, bad[i]));
        CHECK(sock_read(fd, out, sizeof out, NULL) <= 0);
        close(fd);
    }
    live_end(s);
}

/* The header is one. What follows is the client's, whatever it looks like. */
TEST(proxied, a_second_header_is_no_request_H1_28) {
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 0);
    char out[1024];
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(fd >= 0 && sock_send(fd, V1 V1 LAST));
    CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 400);
    close(fd);
    live_end(s);
}

/* Without the option a header is no request either: nobody can choose an address. */
TEST(proxied, off_unless_required_H1_28) {
    gale_server_t *s = start("http://127.0.0.1:0", "127.0.0.0/8", 0);
    char out[1024];
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(fd >= 0 && sock_send(fd, V1 LAST));
    CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 400);
    close(fd);
    live_end(s);
}

/* With a list of proxies only they may send one, and those they name are clients: their own word for
 * others counts only if they are on the list as well (H1-23). */
TEST(proxied, senders_on_the_list_H1_28_H1_23) {
    static const struct {
        const char *trusted, *want;
    } rows[] = {
        {"127.0.0.0/8", "192.0.2.1 56324 127.0.0.1 http"},
        {"127.0.0.0/8, 192.0.2.0/24", "4.4.4.4 0 127.0.0.1 https"},
        {"192.0.2.0/24", ""},
        {"unix", ""},
    };
    static const char text[] = V1 "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                  "X-Forwarded-For: 4.4.4.4\r\nX-Forwarded-Proto: https\r\n\r\n";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char body[160];
        gale_server_t *s = start("http://127.0.0.1:0?proxy=required", rows[i].trusted, 0);
        REQUIRE(s != NULL);
        ask(sock_connect(gale_server_port(s, 0)), text, sizeof text - 1, body, sizeof body);
        CHECK_EQ_STRS(gale_cstr(body), gale_cstr(rows[i].want));
        live_end(s);
    }
}

/* A client of a unix socket somewhere else is not one of ours. */
TEST(proxied, a_unix_client_elsewhere_is_not_trusted_H1_28) {
    static const char path[216] = "/run/client";
    char text[512], body[160];
    gale_server_t *s = start("unix:@gale-proxied-test?proxy=required", "unix", 0);
    REQUIRE(s != NULL);
    size_t len = proxy_v2(text, 0x21, 0x31, path, sizeof path);
    len += (size_t)snprintf(text + len, sizeof text - len,
                            "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                            "X-Forwarded-For: 4.4.4.4\r\n\r\n");
    ask(sock_connect_unix("@gale-proxied-test"), text, len, body, sizeof body);
    CHECK_EQ_STRS(gale_cstr(body), gale_cstr("- 0 - http"));
    live_end(s);
}

/* The header's time is that of the first head: what never comes does not hold a place for ever. */
TEST(proxied, a_header_that_does_not_come_H1_28) {
    static const char *const starts[] = {"", "P", "PROXY TCP4 ", V1, V1 "GET"};
    gale_server_t *s = start("http://127.0.0.1:0?proxy=required", NULL, 100);
    REQUIRE(s != NULL);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        char out[512];
        int fd = sock_connect(gale_server_port(s, 0));
        CHECK(fd >= 0 && sock_send(fd, starts[i]));
        long n = sock_read(fd, out, sizeof out, NULL);
        CHECK(n == 0 || (i == 4 && rig_status_of(gale_cstr(out)) == 408));
        close(fd);
    }
    live_end(s);
}

/* H1-24: TLS ends in front of the address, and says nothing of it; a proxy's word goes before. */
TEST(proxied, scheme_of_the_address_H1_24) {
    static const struct {
        const char *url, *trusted, *fields, *want;
    } rows[] = {
        {"http://127.0.0.1:0?scheme=https", NULL, "", " https"},
        {"http://127.0.0.1:0?scheme=https", NULL, "X-Forwarded-Proto: http\r\n", " https"},
        {"http://127.0.0.1:0?scheme=https", "127.0.0.1", "X-Forwarded-Proto: http\r\n", " http"},
        {"http://127.0.0.1:0?scheme=http", NULL, "", " http"},
        {"http://127.0.0.1:0", NULL, "", " http"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256], body[160];
        gale_server_t *s = start(rows[i].url, rows[i].trusted, 0);
        REQUIRE(s != NULL);
        int len =
            snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n",
                     rows[i].fields);
        ask(sock_connect(gale_server_port(s, 0)), text, (size_t)len, body, sizeof body);
        size_t n = strlen(body), m = strlen(rows[i].want);
        CHECK_MSG(n > m && strcmp(body + n - m, rows[i].want) == 0, "row %zu: %s", i, body);
        live_end(s);
    }
}

/* Clients count by the address they are named with; a proxy counts for nobody. */
TEST(proxied, limit_of_an_address) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    char out[1024];
    int fds[3];
    h.on_request = say_client;
    config.workers = 1;
    config.max_connections_per_address = 1;
    gale_server_t *s = live_start(&config, &h, NULL, "http://127.0.0.1:0?proxy=required");
    REQUIRE(s != NULL);
    static const char *const headers[] = {V1, "PROXY TCP4 192.0.2.2 198.51.100.1 1 443\r\n", V1};
    for (int i = 0; i < 3; i++) {
        fds[i] = sock_connect(gale_server_port(s, 0));
        CHECK(fds[i] >= 0 && sock_send(fds[i], headers[i]) && sock_send(fds[i], GET));
        long n = sock_read(fds[i], out, sizeof out, "http");
        CHECK_MSG((n > 0 && rig_has(gale_cstr(out), "200 OK")) == (i < 2), "client %d: %ld", i, n);
    }
    for (int i = 0; i < 3; i++) close(fds[i]);
    live_end(s);
    config.trusted_proxies = "127.0.0.0/8";
    s = live_start(&config, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    for (int i = 0; i < 3; i++) {
        fds[i] = sock_connect(gale_server_port(s, 0));
        CHECK(fds[i] >= 0 && sock_send(fds[i], GET) && sock_read_responses(fds[i], 1));
    }
    for (int i = 0; i < 3; i++) close(fds[i]);
    live_end(s);
}

/* Without memory for whose it is, it is nobody's; nothing leaks. */
TEST(proxied, without_memory) {
    for (unsigned long fail = 1;; fail++) {
        rig_t rig;
        rig_alloc_begin(fail, false);
        rig_alloc_pause(true);
        rig_init(&rig);
        rig.config.workers = 1;
        rig.url = "http://127.0.0.1:0?proxy=required";
        rig_open(&rig);
        int fd = sock_connect(gale_server_port(rig.server, 0));
        CHECK(fd >= 0 && sock_send(fd, V1 GET));
        rig_alloc_pause(false);
        for (int i = 0; i < 50 && rig.requests == 0; i++) {
            rig_turn(&rig, 1);
            usleep(200);
        }
        rig_alloc_pause(true);
        bool refused = rig_alloc_refused();
        if (!refused) CHECK_EQ_UINT(rig.requests, 1);
        close(fd);
        rig_close(&rig);
        rig_alloc_end();
        if (!refused) break;
    }
}
