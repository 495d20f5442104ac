/* URLs of WebSockets, and where redirects lead from them (WS-19). */
#include "ws_url.h"

#include <stdio.h>

#include "str.h"
#include "test.h"

TEST(ws_url, good) {
    static const struct {
        const char *url, *host, *authority, *target;
        int port;
        bool secure, is_unix;
    } rows[] = {
        {"ws://h", "h", "h", "", 80, false, false},
        {"ws://h/", "h", "h", "/", 80, false, false},
        {"WS://Example.org:8080/a/b?c=d&e", "Example.org", "Example.org:8080", "/a/b?c=d&e", 8080,
         false, false},
        {"ws://h?x", "h", "h", "?x", 80, false, false},
        {"ws://h:/x", "h", "h", "/x", 80, false, false},
        {"ws://[::1]:9/", "::1", "[::1]:9", "/", 9, false, false},
        {"ws://127.0.0.1:65535/%41", "127.0.0.1", "127.0.0.1:65535", "/%41", 65535, false, false},
        {"wss://h/", "h", "h", "/", 443, true, false},
        {"ws+unix:/run/x.sock", "/run/x.sock", "localhost", "", 0, false, true},
        {"ws+unix:/run/x.sock:/a?b", "/run/x.sock", "localhost", "/a?b", 0, false, true},
        {"ws+unix:@name:/", "@name", "localhost", "/", 0, false, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__ws_url_t u;
        CHECK_MSG(gale__ws_url_parse(&u, gale_cstr(rows[i].url)), "%s", rows[i].url);
        CHECK_EQ_STRS(u.host, gale_cstr(rows[i].host));
        CHECK_EQ_STRS(u.authority, gale_cstr(rows[i].authority));
        CHECK_EQ_STRS(u.target, gale_cstr(rows[i].target));
        CHECK_EQ_INT(u.port, rows[i].port);
        CHECK(u.secure == rows[i].secure && u.is_unix == rows[i].is_unix);
    }
}

TEST(ws_url, bad) {
    static const char *const rows[] = {
        "",           "ws:",         "ws:/h",         "ws://",         "ws:///x",
        "http://h/",  "h",           "ws://u@h/",     "ws://u:p@h/",   "ws://h/#",
        "ws://h#x",   "ws://h:0/",   "ws://h:65536/", "ws://h:x/",     "ws://h:-1/",
        "ws://a b/",  "ws://h/a b",  "ws://h/\x01",   "ws://::1/",     "ws://[::1/",
        "ws://[x]/",  "ws://%41/",   "ws://h/\x7f",   "ws+unix:",      "ws+unix:@",
        "ws+unix::/", "ws+unix:/x:", "ws+unix:/x:y",  "ws+unix:/x:/ ", "wsx://h/",
    };
    gale__ws_url_t u;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_MSG(!gale__ws_url_parse(&u, gale_cstr(rows[i])), "%s", rows[i]);
    }
    CHECK(!gale__ws_url_parse(&u, GALE__LIT("ws+unix:/a\0b:/")));
    CHECK(!gale__ws_url_parse(&u, GALE__LIT("ws://h\0/")));
    static char big[GALE__WS_URL_MAX + 1];
    memset(big, 'a', sizeof big);
    memcpy(big, "ws://h/", 7);
    CHECK(!gale__ws_url_parse(&u, gale_str(big, sizeof big)));
    CHECK(gale__ws_url_parse(&u, gale_str(big, sizeof big - 1)));
}

/* RFC 3986 5.2. */
TEST(ws_url, followed) {
    static const struct {
        const char *from, *location, *to; /* null: nowhere */
    } rows[] = {
        {"ws://h:1/a/b?c", "http://i/x#y", "ws://i/x"},
        {"ws://h:1/a/b?c", "HTTPS://i/x", "wss://i/x"},
        {"ws://h:1/a/b?c", "ws://i:2/x?y", "ws://i:2/x?y"},
        {"ws://h:1/a/b?c", "//i/x", "ws://i/x"},
        {"wss://h/a", "//i/x", "wss://i/x"},
        {"ws://h:1/a/b?c", "/x?y", "ws://h:1/x?y"},
        {"ws://h:1/a/b?c", "x", "ws://h:1/a/x"},
        {"ws://h:1", "x", "ws://h:1/x"},
        {"ws://h:1?q/r", "x", "ws://h:1/x"},
        {"ws://h:1/a/b?c", "?x", "ws://h:1/a/b?x"},
        {"ws://h:1/a/b?c", "", "ws://h:1/a/b"},
        {"ws://h:1", "?x", "ws://h:1/?x"},
        {"ws://h:1/a", "mailto:x", NULL},
        {"ws://h:1/a/b/c?d", "../x/./y", "ws://h:1/a/x/y"},
        {"ws://h:1/a/b/c", "..", "ws://h:1/a/"},
        {"ws://h:1/a/b/c", ".?x/../y", "ws://h:1/a/b/?x/../y"},
        {"ws://h:1/a", "../../../x", "ws://h:1/x"},
        {"ws://h:1/a", "/b/.../..c/.d/%2e%2e/e/..", "ws://h:1/b/.../..c/.d/%2e%2e/"},
        {"ws://h:1/a", "ws://i/x/../../y?../z", "ws://i/y?../z"},
        {"ws://h:1/a", "//i/./x//../y", "ws://i/x/y"},
        {"ws://h:1/a", "http://i/..", "ws://i/"},
        {"ws+unix:/s:/a/b", "../x", "ws+unix:/s:/x"},
        {"ws+unix:/s:/a/b", "/x", "ws+unix:/s:/x"},
        {"ws+unix:/s", "x", "ws+unix:/s:/x"},
        {"ws+unix:/s:/a/b", "http://h/", NULL},
        {"ws+unix:/s:/a/b", "//h/", NULL},
        {"nonsense", "/", NULL},
    };
    char out[GALE__WS_URL_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = gale__ws_url_follow(out, gale_cstr(rows[i].from), gale_cstr(rows[i].location));
        gale_str_t want = gale_cstr(rows[i].to == NULL ? "" : rows[i].to);
        CHECK_EQ_STRS(gale_str(out, n), want);
    }
    static char big[GALE__WS_URL_MAX];
    memset(big, 'a', sizeof big);
    big[0] = '/';
    CHECK_EQ_UINT(gale__ws_url_follow(out, gale_cstr("ws://h/"), gale_str(big, sizeof big)), 0);
    size_t fits = sizeof big - 6;
    CHECK_EQ_UINT(gale__ws_url_follow(out, gale_cstr("ws://h/"), gale_str(big, fits)), sizeof out);
}

TEST(ws_url, same_server) {
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"ws://h/a", "ws://H:80/b", true},        {"ws://h/a", "ws://h:81/a", false},
        {"ws://h/a", "ws://i/a", false},          {"ws://h/", "wss://h:80/", false},
        {"ws+unix:/s:/a", "ws+unix:/s:/b", true}, {"ws+unix:/s:/a", "ws+unix:/S:/a", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__ws_url_t a, b;
        CHECK(gale__ws_url_parse(&a, gale_cstr(rows[i].a)));
        CHECK(gale__ws_url_parse(&b, gale_cstr(rows[i].b)));
        CHECK_MSG(gale__ws_url_same_server(&a, &b) == rows[i].same, "row %zu", i);
    }
}
