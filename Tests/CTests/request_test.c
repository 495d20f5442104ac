/* gale_req_*: what a request says of itself. */
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"

static void with_request(rig_t *rig, rig_client_t *client, const char *text) {
    rig_init(rig);
    rig_open(rig);
    rig_connect(rig, client);
    CHECK_EQ_INT(rig_send(client, text), 0);
}

static void done_with(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_close(rig);
}

TEST(request, line_and_fields) {
    rig_t rig;
    rig_client_t client;
    with_request(&rig, &client,
                 "DELETE /a%20b/c?x=1&y=?z HTTP/1.1\r\nHost: example.org\r\nEmpty:\r\n"
                 "Twice: one \r\ntwice:\ttwo\r\n\r\n");
    gale_req_t *req = rig.req;
    const gale_header_t *h;
    REQUIRE(req != NULL);
    CHECK_EQ_STR(gale_req_method(req), "DELETE");
    CHECK_EQ_STR(gale_req_target(req), "/a%20b/c?x=1&y=?z");
    CHECK_EQ_STR(gale_req_path(req), "/a%20b/c");
    CHECK_EQ_STR(gale_req_query(req), "x=1&y=?z");
    CHECK_EQ_INT(gale_req_http_minor(req), 1);
    CHECK_EQ_STR(gale_req_header(req, gale_cstr("HOST")), "example.org");
    CHECK_EQ_STR(gale_req_header(req, gale_cstr("twice")), "one");
    gale_str_t empty = gale_req_header(req, gale_cstr("Empty"));
    CHECK(empty.ptr != NULL && empty.len == 0);
    CHECK(gale_req_header(req, gale_cstr("None")).ptr == NULL);
    CHECK_EQ_UINT(gale_req_headers(req, &h), 4);
    CHECK_EQ_STR(h[3].name, "twice");
    CHECK_EQ_STR(h[3].value, "two");
    CHECK_EQ_UINT(gale_req_headers(req, NULL), 4);
    CHECK(!gale_req_has_body(req));
    CHECK_EQ_INT(gale_req_content_length(req), 0);
    CHECK_EQ_UINT(gale_req_body(req).len, 0);
    CHECK(gale_req_worker(req) == rig.worker);
    done_with(&rig, &client);
}

/* HU-21: split at the first question mark; neither decoded nor cleaned. */
TEST(request, paths_and_queries) {
    static const struct {
        const char *line, *path, *query;
    } rows[] = {
        {"GET /", "/", ""},
        {"GET /?", "/", ""},
        {"GET /a?b?c", "/a", "b?c"},
        {"OPTIONS *", "*", ""},
        {"OPTIONS http://h", "*", ""}, /* RFC 9112 3.2.4 */
        {"OPTIONS http://h/", "/", ""},
        {"OPTIONS http://h?q", "/", "q"},
        {"GET http://h", "/", ""},
        {"GET http://h/", "/", ""},
        {"GET http://h/p?q", "/p", "q"},
        {"GET http://h?q", "/", "q"},
        {"GET //a/b", "//a/b", ""},
        {"GET /a/../b/./c//", "/a/../b/./c//", ""},
        {"GET /%2e%2E/%3fx?%3f?", "/%2e%2E/%3fx", "%3f?"},
        {"GET /a%", "/a%", ""},
        {"CONNECT h:80", "h:80", ""},
        {"GET /a:b//c", "/a:b//c", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_text_t text = {0};
        rig_text_addf(&text, "%s HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].line,
                      strncmp(rows[i].line, "CONNECT", 7) == 0 ? "h:80" : "h");
        with_request(&rig, &client, text.text);
        CHECK_MSG(rig.req != NULL, "refused: %s", rows[i].line);
        if (rig.req != NULL) {
            CHECK_EQ_STRS(gale_req_path(rig.req), gale_cstr(rows[i].path));
            CHECK_EQ_STRS(gale_req_query(rig.req), gale_cstr(rows[i].query));
        }
        rig_text_free(&text);
        done_with(&rig, &client);
    }
}

TEST(request, lengths) {
    rig_t rig;
    rig_client_t client;
    with_request(&rig, &client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    REQUIRE(rig.req != NULL);
    CHECK(gale_req_has_body(rig.req));
    CHECK_EQ_INT(gale_req_content_length(rig.req), 3);
    CHECK_EQ_STR(gale_req_body(rig.req), "abc");
    done_with(&rig, &client);
    with_request(&rig, &client,
                 "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    REQUIRE(rig.req != NULL);
    CHECK(gale_req_has_body(rig.req));
    CHECK_EQ_INT(gale_req_content_length(rig.req), -1);
    CHECK_EQ_UINT(gale_req_body(rig.req).len, 0);
    done_with(&rig, &client);
    with_request(&rig, &client, "GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n");
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_req_http_minor(rig.req), 0);
    CHECK(!gale_req_has_body(rig.req));
    done_with(&rig, &client);
}

TEST(request, origin_WS_05) { /* Advisory A9 */
    static const struct {
        const char *host, *origin;
        bool same;
    } rows[] = {
        {"h", NULL, true},
        {"h", "http://h", true},
        {"h", "https://h", true},
        {"EX.com", "http://ex.COM", true},
        {"h:80", "http://h", true},
        {"h", "http://h:80", true},
        {"h:443", "https://h", true},
        {"h", "https://h:443", true},
        {"h:8080", "http://h:8080", true},
        {"h", "http://h:8080", false},
        {"h:8080", "http://h", false},
        {"h", "http://other", false},
        {"h", "null", false},
        {"h", "", false},
        {"h", "http://", false},
        {"h", "ftp://h", false},
        {"h", "http://hh", false},
        {"h", "http://h.evil.org", false},
        {"h", "https://h:80", false},
        {"h", "http://h\r\nOrigin: http://h", false}, /* two are none */
        {"h", "http://h\r\nOrigin: http://h\r\nSec-WebSocket-Origin: http://h", false},
        {"h", "http://h\r\nOrigin: http://other\r\nOrigin: http://h", false},
        {"[::1]:80", "http://[::1]", true},
        {"h", "h", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_text_t text = {0};
        rig_text_addf(&text, "GET / HTTP/1.1\r\nHost: %s\r\n", rows[i].host);
        if (rows[i].origin != NULL) rig_text_addf(&text, "Origin: %s\r\n", rows[i].origin);
        rig_text_addf(&text, "\r\n");
        with_request(&rig, &client, text.text);
        CHECK_MSG(rig.req != NULL && gale_req_same_origin(rig.req) == rows[i].same, "%s, %s",
                  rows[i].host, rows[i].origin);
        rig_text_free(&text);
        done_with(&rig, &client);
    }
}

TEST(request, of_a_peer_has_no_address) {
    rig_t rig;
    rig_client_t client;
    char out[46] = "x";
    with_request(&rig, &client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_req_remote(rig.req, out, sizeof out), 0);
    CHECK_EQ_STRS(gale_cstr(out), gale_cstr(""));
    CHECK(gale_req_remote(rig.req, out, 0) < 0);
    done_with(&rig, &client);
}

static void say_remote(gale_req_t *req, void *data) {
    char out[46], small[3];
    int port = gale_req_remote(req, out, sizeof out);
    (void)data;
    if (out[0] != '\0') {
        CHECK(port > 0);
        memset(small, 'x', sizeof small);
        CHECK(gale_req_remote(req, small, sizeof small) < 0);
        CHECK(memchr(small, '\0', sizeof small) != NULL);
    } else {
        CHECK_EQ_INT(port, 0);
    }
    gale_respond_text(req, 200, out);
}

static void check_remote(int fd, const char *want) {
    char out[1024];
    CHECK(fd >= 0);
    if (fd < 0) return;
    CHECK(sock_send(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_STRS(rig_body_of(gale_cstr(out)), gale_cstr(want));
    close(fd);
}

TEST(request, remote_over_each_kind_of_socket_H1_27) {
    gale_handler_t h = gale_handler();
    h.on_request = say_remote;
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_server_t *s = live_start(&config, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    check_remote(sock_connect(gale_server_port(s, 0)), "127.0.0.1");
    live_end(s);
    s = live_start(&config, &h, NULL, "http://[::1]:0");
    REQUIRE(s != NULL);
    check_remote(sock_connect_ipv6(gale_server_port(s, 0)), "::1");
    live_end(s);
    s = live_start(&config, &h, NULL, "unix:@gale-remote-test");
    REQUIRE(s != NULL);
    check_remote(sock_connect_unix("@gale-remote-test"), "");
    live_end(s);
}
