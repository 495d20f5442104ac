/* Listen addresses in text. */
#include "listen_url.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static bool parse_exact(gale__listen_url_t *u, const char *text, char *copy, size_t size) {
    size_t len = strlen(text);
    if (len > size) abort();
    memcpy(copy + size - len, text, len);
    return gale__listen_url_parse(u, gale_str(copy + size - len, len));
}

TEST(listen_url, good) {
    static const struct {
        const char *url, *want; /* kind, place, port, options */
    } rows[] = {
        {"http://127.0.0.1:8080", "tcp 127.0.0.1 8080 0600 0"},
        {"http://127.0.0.1:8080/", "tcp 127.0.0.1 8080 0600 0"},
        {"http://[::1]:0", "tcp ::1 0 0600 0"},
        {"http://*:65535", "tcp * 65535 0600 0"},
        {"http://localhost:80", "tcp localhost 80 0600 0"},
        {"http://[fe80::1%eth0]:80", "tcp fe80::1%eth0 80 0600 0"},
        {"http://h:1?proxy=required", "tcp h 1 0600 0 proxy"},
        {"http://h:1/?proxy=required", "tcp h 1 0600 0 proxy"},
        {"http://h:1?", "tcp h 1 0600 0"},
        {"http://h:1?proxy=off&reuseport=0&scheme=http", "tcp h 1 0600 0"},
        {"http://h:1?reuseport=1&scheme=https&backlog=7", "tcp h 1 0600 7 secure reuse"},
        {"unix:/run/a.sock", "unix /run/a.sock 0 0600 0"},
        {"unix:@name", "unix @name 0 0600 0"},
        {"unix:relative", "unix relative 0 0600 0"},
        {"unix:/a?mode=0660", "unix /a 0 0660 0"},
        {"unix:/a?mode=666&proxy=required&backlog=65535", "unix /a 0 0666 65535 proxy"},
        {"systemd:", "handed  0 0600 0"},
        {"systemd:web?proxy=required&scheme=https", "handed web 0 0600 0 proxy secure"},
    };
    static const char *const kinds[] = {"tcp", "unix", "handed"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char got[256], copy[128];
        gale__listen_url_t u;
        CHECK_MSG(parse_exact(&u, rows[i].url, copy, sizeof copy), "%s is refused", rows[i].url);
        snprintf(got, sizeof got, "%s %.*s %d 0%o %u%s%s%s", kinds[u.kind], (int)u.where.len,
                 u.where.ptr, u.port, u.options.mode, u.options.backlog,
                 u.options.proxy ? " proxy" : "", u.options.secure ? " secure" : "",
                 u.options.reuse_port ? " reuse" : "");
        CHECK_EQ_STRS(gale_cstr(got), gale_cstr(rows[i].want));
    }
}

TEST(listen_url, bad) {
    static const char *const bad[] = {
        "",
        "http://",
        "http://?",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:x",
        "http://127.0.0.1:80x",
        "127.0.0.1:80",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:123456",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:+1",
        "http://:8080",
        "https://127.0.0.1:0",
        "http://[::1:0",
        "http://[::1]",
        "http://[::1]0",
        "http://[]:0",
        "http://[h]:0",
        "http://[",
        "http://::1:80",
        "http://127.0.0.1:0/path",
        "http://127.0.0.1:0//",
        "unix:",
        "unix:@",
        "unix",
        "unix:?mode=0600",
        "systemd",
        "tcp://127.0.0.1:0",
        "http://h:1?proxy",
        "http://h:1?proxy=",
        "http://h:1?proxy=optional", /* anyone could choose an address */
        "http://h:1?proxy=Required",
        "http://h:1?proxy=required&",
        "http://h:1?&proxy=required",
        "http://h:1?proxy=required&&scheme=http",
        "http://h:1?scheme=ftp",
        "http://h:1?reuseport=yes",
        "http://h:1?mode=0600", /* of a file */
        "unix:/a?reuseport=1",
        "systemd:?reuseport=1",
        "systemd:?mode=0600",
        "unix:/a?mode=8",
        "unix:/a?mode=0688",
        "unix:/a?mode=1777",
        "unix:/a?mode=00600",
        "http://h:1?backlog=0",
        "http://h:1?backlog=65536",
        "http://h:1?backlog=-1",
        "http://h:1?backlog=",
        "http://h:1?other=1",
        "http://h:1?=1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char copy[128];
        gale__listen_url_t u;
        CHECK_MSG(!parse_exact(&u, bad[i], copy, sizeof copy), "\"%s\" is taken", bad[i]);
    }
    gale__listen_url_t u;
    CHECK(!gale__listen_url_parse(&u, gale_str("unix:a\0b", 8)));
}
