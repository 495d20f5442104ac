/* Who the client is, with and without trusted proxies in front. */
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"

/* "address port peer scheme host same-origin" */
static void say_client(gale_req_t *req, void *data) {
    char text[256], remote[46], peer[46];
    int port = gale_req_remote(req, remote, sizeof remote);
    gale_str_t scheme = gale_req_scheme(req), host = gale_req_host(req);
    (void)data;
    CHECK(gale_req_peer(req, peer, sizeof peer) >= 0);
    snprintf(text, sizeof text, "%s %d %s %.*s %.*s %s", remote[0] == '\0' ? "-" : remote,
             port > 9999 ? 9999 : port, peer[0] == '\0' ? "-" : peer, (int)scheme.len, scheme.ptr,
             (int)host.len, host.len == 0 ? "" : host.ptr,
             gale_req_same_origin(req) ? "same" : "other");
    gale_respond_text(req, 200, text);
}

static void answer(rig_t *rig, gale_req_t *req) {
    say_client(req, rig);
}

static void open_rig(rig_t *rig, const char *trusted, uint32_t family, uint32_t host) {
    char list[64]; /* not the server's: it has read it by now */
    rig_init(rig);
    rig->request = answer;
    if (trusted != NULL) {
        snprintf(list, sizeof list, "%s", trusted);
        rig->config.trusted_proxies = list;
    }
    rig->config.forwarded_family = family;
    rig->config.forwarded_host = host;
    rig_open(rig);
    memset(list, 'x', sizeof list);
}

/* Each request on the same connection. */
static void check_next(rig_t *rig, rig_client_t *client, const char *fields, const char *want) {
    rig_text_t text = {0};
    rig_text_addf(&text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", fields);
    rig_send(client, text.text);
    rig_turn(rig, 2);
    gale_str_t got = rig_body_of(rig_take(client));
    CHECK_MSG(got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0,
              "%s    got  %.*s\n    want %s", fields, (int)got.len, got.ptr, want);
    rig_text_free(&text);
}

#define X_ALL "X-Forwarded-For: 4.4.4.4:81\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: x\r\n"
#define REAL_ALL "X-Real-Ip: 5.5.5.5\r\nX-Scheme: https\r\n"
#define RFC_ALL "Forwarded: for=6.6.6.6;proto=https;host=f\r\n"

/* H1-23: off unless asked for, of the family asked for, and of this request only. */
TEST(client, what_proxies_say_holds_for_one_request_H1_23) {
    static const struct {
        const char *trusted;
        uint32_t family, host;
        const char *want;
    } rows[] = {
        {NULL, 0, 1, "- 0 - http h same"},
        {"", 0, 1, "- 0 - http h same"},
        {"127.0.0.0/8 ::/0 0.0.0.0/0", 0, 1, "- 0 - http h same"}, /* a unix socket is no network */
        {"unix", GALE_FORWARDED_X, 0, "4.4.4.4 81 - https h same"},
        {"unix", GALE_FORWARDED_X, 1, "4.4.4.4 81 - https x same"},
        {"10.0.0.0/8,unix", GALE_FORWARDED_RFC7239, 0, "6.6.6.6 0 - https f same"},
        {"unix,10.0.0.0/8", GALE_FORWARDED_X_REAL_IP, 1, "5.5.5.5 0 - https h same"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        open_rig(&rig, rows[i].trusted, rows[i].family, rows[i].host);
        rig_connect(&rig, &client);
        check_next(&rig, &client, "", "- 0 - http h same");
        check_next(&rig, &client, X_ALL REAL_ALL RFC_ALL, rows[i].want);
        check_next(&rig, &client, "", "- 0 - http h same");
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

/* A trusted proxy that says nothing, or nothing valid. */
TEST(client, nonsense_changes_nothing_H1_23) {
    rig_t rig;
    rig_client_t client;
    open_rig(&rig, "unix", GALE_FORWARDED_X, 1);
    rig_connect(&rig, &client);
    check_next(&rig, &client, "X-Forwarded-For: 4.4.4.4<script>\r\n", "- 0 - http h same");
    check_next(&rig, &client, "X-Forwarded-Proto: gopher\r\n", "- 0 - http h same");
    check_next(&rig, &client, "X-Forwarded-Host: a b\r\n", "- 0 - http h same");
    check_next(&rig, &client, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: x\r\n",
               "- 0 - http h same");
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* The page's own scheme and host, as the browser sees them, are those in front of the proxy. */
TEST(client, same_origin_in_front_of_the_proxy_WS_05) { /* Advisory A9 */
    static const struct {
        const char *fields, *origin;
        bool same;
    } rows[] = {
        {"X-Forwarded-Proto: https\r\n", "https://h", true},
        {"X-Forwarded-Proto: https\r\n", "http://h", false}, /* whoever sits on the wire */
        {"X-Forwarded-Proto: http\r\n", "http://h", true},
        {"X-Forwarded-Proto: http\r\n", "https://h", false},
        {"X-Forwarded-Host: front.example\r\n", "https://front.example", true},
        {"X-Forwarded-Host: front.example\r\n", "http://front.example", true}, /* not known */
        {"X-Forwarded-Host: front.example\r\n", "http://h", false},
        {"X-Forwarded-Host: front.example:8443\r\nX-Forwarded-Proto: https\r\n",
         "https://front.example:8443", true},
        {"X-Forwarded-Host: front.example:443\r\nX-Forwarded-Proto: https\r\n",
         "https://front.example", true},
        {"X-Forwarded-Host: front.example\r\nX-Forwarded-Proto: https\r\n",
         "https://front.example.evil.org", false},
        {"X-Forwarded-Proto: https\r\n", "null", false},
    };
    rig_t rig;
    rig_client_t client;
    open_rig(&rig, "unix", GALE_FORWARDED_X, 1);
    rig_connect(&rig, &client);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_text_t text = {0};
        rig_text_addf(&text, "GET / HTTP/1.1\r\nHost: h\r\nOrigin: %s\r\n%s\r\n", rows[i].origin,
                      rows[i].fields);
        rig_send(&client, text.text);
        rig_turn(&rig, 2);
        CHECK_MSG(rig_has(rig_body_of(rig_take(&client)), rows[i].same ? " same" : " other"),
                  "%s%s", rows[i].fields, rows[i].origin);
        rig_text_free(&text);
    }
    rig_drop(&rig, &client);
    rig_close(&rig);
}

static void check_socket(const char *trusted, int (*connect_to)(int), const char *url,
                         const char *want) {
    char out[1024];
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = say_client;
    config.workers = 1;
    config.trusted_proxies = trusted;
    gale_server_t *s = live_start(&config, &h, NULL, url);
    REQUIRE(s != NULL);
    int fd = connect_to(gale_server_port(s, 0));
    REQUIRE(fd >= 0);
    CHECK(sock_send(fd, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" X_ALL "\r\n"));
    CHECK(sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_STRS(rig_body_of(gale_cstr(out)), gale_cstr(want));
    close(fd);
    live_end(s);
}

/* H1-23: only the word of those on the list counts. */
TEST(client, peers_over_sockets_H1_23) {
    check_socket("127.0.0.0/8", sock_connect, "http://127.0.0.1:0",
                 "4.4.4.4 81 127.0.0.1 https h same");
    check_socket("10.0.0.0/8, 127.0.0.1/32", sock_connect, "http://127.0.0.1:0",
                 "4.4.4.4 81 127.0.0.1 https h same");
    check_socket("10.0.0.0/8, ::1, 127.0.0.2", sock_connect, "http://127.0.0.1:0",
                 "127.0.0.1 9999 127.0.0.1 http h same");
    check_socket("::1", sock_connect_ipv6, "http://[::1]:0", "4.4.4.4 81 ::1 https h same");
    check_socket("127.0.0.0/8", sock_connect_ipv6, "http://[::1]:0", "::1 9999 ::1 http h same");
}

TEST(client, lists_that_are_none) {
    gale_config_t c = gale_config();
    gale_server_t *s;
    char many[257 * 4 + 1] = "";
    const char *const bad[] = {"localhost", "10.0.0.1/8", "127.0.0.1;::1", "*", many};
    for (int i = 0; i < 257; i++) memcpy(many + 4 * i, "::1,", 5);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        c.trusted_proxies = bad[i];
        CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
    }
    many[256 * 4] = '\0';
    CHECK_EQ_INT(gale_server_new(&s, &c), 0);
    gale_server_free(s);
    c.forwarded_family = 3;
    CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
}

TEST(client, list_without_memory) {
    gale_config_t c = gale_config();
    c.trusted_proxies = "unix";
    for (unsigned long fail = 1;; fail++) {
        gale_server_t *s = NULL;
        rig_alloc_begin(fail, true);
        int err = gale_server_new(&s, &c);
        bool refused = rig_alloc_refused();
        CHECK_EQ_INT(err, refused ? UV_ENOMEM : 0);
        gale_server_free(s);
        rig_alloc_end();
        if (!refused) break;
    }
}

/* Whatever proxies say is read where it lies. */
TEST(client, reading_allocates_nothing) {
    static const char *const texts[] = {X_ALL, RFC_ALL, REAL_ALL};
    for (uint32_t family = 0; family < 3; family++) {
        rig_t rig;
        rig_client_t client;
        unsigned long before = 0;
        rig_alloc_begin(0, false);
        open_rig(&rig, "unix, 10.0.0.0/8", family, 1);
        rig.keep_log = false;
        rig_connect(&rig, &client);
        rig_text_t text = {0};
        rig_text_addf(&text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", texts[family]);
        for (int i = 0; i < 50; i++) {
            if (i == 10) before = rig_alloc_calls();
            rig_send(&client, text.text);
            rig_turn(&rig, 2);
            CHECK(rig_has(rig_take(&client), "https"));
        }
        CHECK_EQ_UINT(rig_alloc_calls(), before);
        rig_text_free(&text);
        rig_drop(&rig, &client);
        rig_close(&rig);
        rig_alloc_end();
    }
}

/* RFC 9110 7.4: an https URL is for secured connections, and for those who end them. H1-23 */
TEST(client, https_urls_H1_23) {
    static const struct {
        const char *trusted, *target, *fields;
        int status;
    } rows[] = {
        {NULL, "http://h/", "", 200},
        {NULL, "HTTP://h/a", "", 200},
        {NULL, "https://h/", "", 421},
        {NULL, "HTTPS://h", "", 421},
        {NULL, "https://h/", "X-Forwarded-Proto: https\r\n", 421}, /* says who? */
        {"10.0.0.0/8", "https://h/", "X-Forwarded-Proto: https\r\n", 421},
        {"unix", "https://h/", "X-Forwarded-Proto: https\r\n", 200},
        {"unix", "https://h/", "", 200},
        {"unix", "https://h/", "X-Forwarded-Proto: http\r\n", 421},
        {"unix", "http://h/", "X-Forwarded-Proto: http\r\n", 200},
        {NULL, "/https://h/", "", 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        char text[256], out[1024];
        open_rig(&rig, rows[i].trusted, GALE_FORWARDED_X, 0);
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", rows[i].target,
                 rows[i].fields);
        rig_ask(&rig, text, out, sizeof out);
        int status = rig_status_of(gale_cstr(out));
        CHECK_MSG(status == rows[i].status, "%s %s %d", rows[i].target, rows[i].fields, status);
        CHECK_EQ_UINT(rig.requests, status == 200);
        if (status == 421) {
            CHECK(strstr(out, "Connection: close\r\n") != NULL);
            CHECK(strstr(out, "421 Misdirected Request: this https URL was not asked for over a "
                              "connection known to be secure\n") != NULL);
        }
        rig_close(&rig);
    }
}
