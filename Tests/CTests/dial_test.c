/* Connections from here: names, addresses, unix sockets; given up at each of their stages. What a
 * WebSocket makes of them is in ws_connect_test.c and ws_connect_refuse_test.c. */
#include "dial.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig_connect.h"
#include "rig_socket.h"

typedef struct {
    rig_t rig;
    gale__dial_t dial;
    unsigned calls, ended, tried;
    int result;
} dialer_t;

static void done(gale__dial_t *d, int result) {
    dialer_t *t = d->data;
    t->calls++;
    t->result = result;
    if (result >= 0) close(result);
}

static void trying(gale__dial_t *d) {
    dialer_t *t = d->data;
    t->tried++;
    CHECK(gale__dial_left(d) > 0 && t->calls == t->ended);
}

static void begin(dialer_t *t) {
    rig_init(&t->rig);
    rig_open(&t->rig);
    t->dial = (gale__dial_t){.worker = t->rig.worker, .data = t, .done = done, .trying = trying};
    t->calls = t->ended = t->tried = 0;
    t->result = 1;
}

/* One attempt to its end. */
static int outcome(dialer_t *t, const char *host, int port) {
    unsigned before = t->calls;
    CHECK_EQ_INT(gale__dial_start(&t->dial, host, (uint16_t)port), 0);
    CHECK_EQ_UINT(t->calls, before);
    RIG_TURN_TO(&t->rig, t->calls > before);
    CHECK_EQ_UINT(t->calls, before + 1);
    t->ended = t->calls;
    CHECK(t->dial.attempt == NULL && t->dial.lookup == NULL && t->dial.found == NULL);
    return t->result;
}

TEST(dial, addresses_and_names) {
    dialer_t t;
    rig_fake_t server;
    begin(&t);
    REQUIRE(rig_fake_open(&server));
    CHECK(outcome(&t, "127.0.0.1", server.port) >= 0);
    CHECK(outcome(&t, "localhost", server.port) >= 0);
    int port = server.port;
    rig_fake_close(&server);
    CHECK_EQ_INT(outcome(&t, "127.0.0.1", port), UV_ECONNREFUSED);
    CHECK(outcome(&t, "localhost", port) < 0); /* each of its addresses */
    CHECK(outcome(&t, "a..b", port) < 0);
    rig_close(&t.rig);
}

TEST(dial, unix_sockets) {
    dialer_t t;
    char path[64], url[80], abstract[64];
    snprintf(path, sizeof path, "/tmp/gale-dial-%d", (int)getpid());
    snprintf(url, sizeof url, "unix:%s", path);
    begin(&t);
    CHECK_EQ_INT(gale__dial_start_unix(&t.dial, gale_cstr(path)), UV_ENOENT);
    gale_server_t *server = live_start(NULL, NULL, NULL, url);
    REQUIRE(server != NULL);
    CHECK_EQ_INT(gale__dial_start_unix(&t.dial, gale_cstr(path)), 0);
    RIG_TURN_TO(&t.rig, t.calls > 0);
    CHECK(t.result >= 0);
    live_end(server);
    snprintf(abstract, sizeof abstract, "@gale-dial-%d", (int)getpid());
    CHECK_EQ_INT(gale__dial_start_unix(&t.dial, gale_cstr(abstract)), UV_ECONNREFUSED);
    static char longer[200];
    memset(longer, 'x', sizeof longer);
    gale_str_t all = gale_str(longer, sizeof longer);
    CHECK_EQ_INT(gale__dial_start_unix(&t.dial, all), UV_ENAMETOOLONG);
    rig_close(&t.rig);
}

/* A listener whose queue is full: who comes now is not answered. */
static int open_full(struct sockaddr *name, socklen_t len, int filler[4]) {
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, name, len) < 0) {
        if (fd >= 0) close(fd);
        return -1;
    }
    CHECK_EQ_INT(listen(fd, 0), 0);
    CHECK_EQ_INT(getsockname(fd, name, &len), 0);
    for (int i = 0; i < 4; i++) {
        filler[i] = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        CHECK(connect(filler[i], name, len) <= 0);
    }
    usleep(20000);
    return fd;
}

static void close_full(int fd, int filler[4]) {
    for (int i = 0; i < 4; i++) close(filler[i]);
    close(fd);
}

TEST(dial, given_up) {
    dialer_t t;
    struct sockaddr_in name = {.sin_family = AF_INET};
    int filler[4];
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    begin(&t);
    int full = open_full((struct sockaddr *)&name, sizeof name, filler),
        port = ntohs(name.sin_port);
    REQUIRE(full >= 0);
    CHECK_EQ_INT(gale__dial_start(&t.dial, "127.0.0.1", (uint16_t)port), 0);
    rig_wait(&t.rig, 30);
    CHECK_EQ_UINT(t.calls, 0);
    CHECK_EQ_UINT(gale__dial_left(&t.dial), 1);
    CHECK(!gale__dial_skip(&t.dial)); /* there is no other, so it goes on */
    CHECK(t.dial.attempt != NULL);
    gale__dial_stop(&t.dial);
    CHECK_EQ_UINT(gale__dial_left(&t.dial), 0);
    CHECK_EQ_INT(gale__dial_start(&t.dial, "localhost", (uint16_t)port), 0);
    CHECK_EQ_UINT(gale__dial_left(&t.dial), 0);
    gale__dial_stop(&t.dial);
    gale__dial_stop(&t.dial);
    rig_wait(&t.rig, 30);
    CHECK_EQ_UINT(t.calls, 0);
    /* As a socket sees it. */
    rig_dialed_t d;
    rig_dialed_init(&d);
    d.options.connect_timeout_ms = 50;
    CHECK_EQ_INT(rig_dial(&t.rig, &d, "ws://127.0.0.1:%d/", port), 0);
    CHECK(rig_dialed_closed(&t.rig, &d));
    CHECK_EQ_INT(d.ws.code, GALE_ETIMEDOUT);
    CHECK(rig_has(gale_cstr(d.ws.log.text), " connecting took too long;"));
    rig_dialed_free(&d);
    close_full(full, filler);
    rig_close(&t.rig);
}

/* At ::1, which comes first, nobody answers; 127.0.0.1 has its share of the time. */
TEST(dial, an_address_that_is_silent_is_passed_over) {
    rig_t rig;
    rig_ws_t server = {.echo = true};
    rig_dialed_t d;
    int filler[4];
    rig_init(&rig);
    rig.url = "http://127.0.0.1:0";
    rig.request = rig_ws_accept;
    rig.arg = &server;
    rig_open(&rig);
    int port = gale_server_port(rig.server, 0);
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    name.sin6_addr = in6addr_loopback;
    int full = open_full((struct sockaddr *)&name, sizeof name, filler);
    rig_dialed_init(&d);
    d.options.connect_timeout_ms = 1000;
    CHECK_EQ_INT(rig_dial(&rig, &d, "ws://localhost:%d/", port), 0);
    CHECK(rig_dialed_open(&rig, &d));
    if (d.ws.ws != NULL) gale_ws_abort(d.ws.ws);
    CHECK(rig_dialed_closed(&rig, &d));
    RIG_TURN_TO(&rig, server.ws == NULL);
    if (full >= 0) close_full(full, filler); /* where there is IPv6 */
    rig_close(&rig);
    rig_dialed_free(&d);
    rig_text_free(&server.log);
}

/* The rest of a name's addresses, as if it had been looked up: 127.0.0.2, where somebody is. */
TEST(dial, the_next_address) {
    dialer_t t;
    struct sockaddr_in silent = {.sin_family = AF_INET}, there = {.sin_family = AF_INET};
    struct addrinfo rest = {.ai_addr = (struct sockaddr *)&there, .ai_addrlen = sizeof there};
    int filler[4];
    silent.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    begin(&t);
    int full = open_full((struct sockaddr *)&silent, sizeof silent, filler);
    there.sin_port = silent.sin_port;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(full >= 0 && bind(fd, (struct sockaddr *)&there, sizeof there) == 0);
    CHECK_EQ_INT(listen(fd, 4), 0);
    CHECK_EQ_INT(gale__dial_start(&t.dial, "127.0.0.1", ntohs(silent.sin_port)), 0);
    t.dial.next = &rest;
    CHECK_EQ_UINT(gale__dial_left(&t.dial), 2);
    CHECK(gale__dial_skip(&t.dial)); /* the silent one */
    CHECK_EQ_UINT(gale__dial_left(&t.dial), 1);
    RIG_TURN_TO(&t.rig, t.calls > 0);
    CHECK(t.result >= 0);
    t.ended = t.calls;
    /* One that refuses is passed over by itself. */
    CHECK_EQ_INT(gale__dial_start(&t.dial, "127.0.0.3", ntohs(silent.sin_port)), 0);
    t.dial.next = &rest;
    RIG_TURN_TO(&t.rig, t.calls > 1);
    CHECK_EQ_UINT(t.calls, 2);
    CHECK(t.result >= 0);
    CHECK_EQ_UINT(t.tried, 1);
    close_full(full, filler);
    close(fd);
    rig_close(&t.rig);
}
