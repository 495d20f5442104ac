/* Who may come in: connections in all, from one address, with the descriptors there are. */
#include "admission.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "rig_child.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define WAIT "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"

/* "/wait" is never answered. */
static void answer_or_wait(gale_req_t *req, void *data) {
    (void)data;
    if (gale_req_path(req).len == 1) gale_respond_text(req, 200, "hello");
}

static gale_handler_t waiting_handler(void) {
    gale_handler_t h = gale_handler();
    h.on_request = answer_or_wait;
    return h;
}

static gale_server_t *start(gale_config_t config, uint32_t workers) {
    gale_handler_t h = waiting_handler();
    config.workers = workers;
    return live_start(&config, &h, NULL, "http://127.0.0.1:0");
}

static gale_stats_t look(const gale_server_t *s) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    CHECK_EQ_INT(gale_stats(s, &stats), 0);
    return stats;
}

/* A client that has been accepted, and whose request waits. */
static int waiter(gale_server_t *s) {
    uint64_t before = look(s).requests;
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(fd >= 0 && sock_send(fd, WAIT));
    for (int i = 0; i < 500 && look(s).requests == before; i++) usleep(10000);
    CHECK_EQ_UINT(look(s).requests, before + 1);
    return fd;
}

static bool served(int fd) {
    return fd >= 0 && sock_send(fd, GET) && sock_read_responses(fd, 1);
}

static bool gone(int fd) {
    char byte[2];
    return sock_read(fd, byte, sizeof byte, NULL) <= 0;
}

/* Until the server has noticed that clients left. */
static void until_open(gale_server_t *s, uint64_t want) {
    for (int i = 0; i < 500 && look(s).connections_open != want; i++) usleep(10000);
    CHECK_EQ_UINT(look(s).connections_open, want);
}

/* -------------------------------------------------------------------------- connections in all */

/* None is idle: the next one is told so, and closed. One that leaves makes room. */
TEST(admission, busy_clients_keep_their_places) {
    for (uint32_t workers = 1; workers <= 2; workers++) {
        enum { MOST = 4 };
        gale_config_t config = gale_config();
        int fds[MOST], late[3];
        config.max_connections = MOST;
        gale_server_t *s = start(config, workers);
        REQUIRE(s != NULL);
        for (int i = 0; i < MOST; i++) fds[i] = waiter(s);
        for (int i = 0; i < 3; i++) {
            char answer[512];
            late[i] = sock_connect(gale_server_port(s, 0));
            CHECK(sock_read(late[i], answer, sizeof answer, NULL) > 0);
            CHECK_EQ_INT(rig_status_of(gale_cstr(answer)), 503);
            CHECK(rig_has(gale_cstr(answer), "\r\nConnection: close\r\n"));
            CHECK(rig_has(gale_cstr(answer), "\r\nContent-Length: 60\r\n"));
            CHECK_EQ_UINT(rig_body_of(gale_cstr(answer)).len, 60);
            close(late[i]);
        }
        CHECK_EQ_UINT(look(s).connections_refused, 3);
        CHECK_EQ_UINT(look(s).connections_evicted, 0);
        CHECK_EQ_UINT(look(s).connections_open, MOST);
        close(fds[0]);
        until_open(s, MOST - 1);
        fds[0] = sock_connect(gale_server_port(s, 0));
        CHECK(served(fds[0]));
        for (int i = 0; i < MOST; i++) close(fds[i]);
        live_end(s);
    }
}

/* The one that has been idle longest gives way to a newcomer, one with a request never. */
TEST(admission, idle_clients_give_way) {
    enum { MOST = 4 };
    gale_config_t config = gale_config();
    int fds[MOST];
    config.max_connections = MOST;
    gale_server_t *s = start(config, 1);
    REQUIRE(s != NULL);
    fds[0] = waiter(s);
    for (int i = 1; i < MOST; i++) {
        fds[i] = sock_connect(gale_server_port(s, 0));
        CHECK(served(fds[i]));
        usleep(20000);
    }
    CHECK(served(fds[1])); /* now the second of them has been idle longest */
    int late = sock_connect(gale_server_port(s, 0));
    CHECK(served(late));
    CHECK(gone(fds[2]));
    CHECK(served(fds[1]) && served(fds[3]) && served(late));
    CHECK_EQ_UINT(look(s).connections_evicted, 1);
    CHECK_EQ_UINT(look(s).connections_refused, 0);
    CHECK_EQ_UINT(look(s).connections_open, MOST);
    for (int i = 0; i < MOST; i++) close(fds[i]);
    close(late);
    live_end(s);
}

/* However many have come and gone. */
TEST(admission, places_come_back) {
    gale_config_t config = gale_config();
    config.max_connections = 8;
    config.max_connections_per_address = 4;
    gale_server_t *s = start(config, 2);
    REQUIRE(s != NULL);
    for (int i = 0; i < 300; i++) {
        int fd = sock_connect(gale_server_port(s, 0));
        CHECK(served(fd));
        close(fd);
        if (i % 4 == 3) until_open(s, 0);
    }
    CHECK_EQ_UINT(look(s).connections_accepted, 300);
    CHECK_EQ_UINT(look(s).connections_refused, 0);
    live_end(s);
}

/* ------------------------------------------------------------------------------- from one address */

static int connect_from(const char *address, int port) {
    struct sockaddr_in own = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = 5};
    inet_pton(AF_INET, address, &own.sin_addr);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) == 0 &&
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

TEST(admission, one_address_does_not_take_all_places) {
    enum { MOST = 3 };
    gale_config_t config = gale_config();
    int fds[MOST];
    config.max_connections_per_address = MOST;
    gale_server_t *s = start(config, 2);
    REQUIRE(s != NULL);
    for (int i = 0; i < MOST; i++) fds[i] = waiter(s);
    for (int i = 0; i < 20; i++) {
        int fd = sock_connect(gale_server_port(s, 0));
        CHECK(fd >= 0 && gone(fd));
        close(fd);
    }
    CHECK_EQ_UINT(look(s).connections_refused, 20);
    int other = connect_from("127.0.0.2", gale_server_port(s, 0));
    CHECK(served(other));
    close(fds[0]);
    until_open(s, MOST);
    fds[0] = sock_connect(gale_server_port(s, 0));
    CHECK(served(fds[0]));
    for (int i = 0; i < MOST; i++) close(fds[i]);
    close(other);
    live_end(s);
}

static gale__ip_t address(const char *text) {
    gale__ip_t ip = {0};
    gale__ip_parse(gale_cstr(text), &ip);
    return ip;
}

/* An IPv4 address is one client; of an IPv6 address the first half is. */
TEST(admission, what_is_one_address) {
    static const struct {
        const char *first, *second;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8::1", "2001:db8::2", true},
        {"2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"::1", "127.0.0.1", false},
        {"unix", "unix", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gale__admission_t a = {0};
        gale_config_t config = gale_config();
        gale__ip_t first = address(cases[i].first), second = address(cases[i].second);
        uint32_t place, again;
        config.max_connections_per_address = 1;
        REQUIRE(gale__admission_init(&a, &config) == 0);
        CHECK(gale__admission_enter_from(&a, &first, &place));
        CHECK_MSG(gale__admission_enter_from(&a, &second, &again) == !cases[i].same, "%s and %s",
                  cases[i].first, cases[i].second);
        gale__admission_leave_from(&a, place);
        gale__admission_leave_from(&a, again);
        CHECK(gale__admission_enter_from(&a, &first, &place));
        gale__admission_clear(&a);
    }
}

/* -------------------------------------------------------------------------------- no descriptors */

enum { DESCRIPTORS = 64, CROWD = 150 };

static void close_all(int *fds, int n) {
    for (int i = 0; i < n; i++) {
        if (fds[i] >= 0) close(fds[i]);
    }
}

/* More clients than descriptors, all idle: newcomers are served all the while; the loop does not
 * spin; when they leave everything is as before. With the limit that the server finds itself, and
 * without any, by EMFILE. */
TEST(admission, descriptors_run_out) {
    for (int unlimited = 0; unlimited < 2; unlimited++) {
        gale_config_t config = gale_config();
        gale_handler_t h = waiting_handler();
        child_t child;
        int fds[CROWD];
        config.workers = 1;
        config.max_connections = unlimited ? UINT32_MAX : 0;
        REQUIRE(child_start(&child, &config, &h, DESCRIPTORS));
        int good = sock_connect(child.port);
        CHECK(served(good));
        close(good);
        CHECK(child_fds_settle(&child, 16));
        unsigned before = child_fds(&child);
        for (int i = 0; i < CROWD; i++) {
            fds[i] = sock_connect(child.port);
            CHECK(fds[i] >= 0);
            if (i % 10 != 9) continue;
            usleep(20000); /* clients that have only just come are given a moment */
            good = sock_connect(child.port);
            CHECK_MSG(served(good), "after %d idle clients", i);
            close(good);
        }
        CHECK(child_fds(&child) <= (unlimited ? DESCRIPTORS : DESCRIPTORS - 20));
        unsigned cpu = child_cpu_ms(&child);
        usleep(500000);
        CHECK(child_cpu_ms(&child) - cpu < 250);
        close_all(fds, CROWD);
        CHECK(child_fds_settle(&child, before));
        child_end(&child);
    }
}

/* None of them idle: whoever comes is told, by the spare descriptor; the others are not touched. */
TEST(admission, descriptors_run_out_under_busy_clients) {
    gale_config_t config = gale_config();
    gale_handler_t h = waiting_handler();
    child_t child;
    int fds[DESCRIPTORS], most = 0;
    config.workers = 1;
    config.max_connections = UINT32_MAX;
    REQUIRE(child_start(&child, &config, &h, DESCRIPTORS));
    char answer[512] = "";
    for (; most < DESCRIPTORS; most++) {
        fds[most] = sock_connect(child.port);
        CHECK(fds[most] >= 0 && sock_send(fds[most], WAIT));
        usleep(20000);
        if (recv(fds[most], answer, sizeof answer - 1, MSG_DONTWAIT) > 0) break;
    }
    REQUIRE(most > 32 && most < DESCRIPTORS);
    CHECK_EQ_INT(rig_status_of(gale_cstr(answer)), 503);
    close(fds[most]);
    unsigned cpu = child_cpu_ms(&child);
    usleep(500000);
    CHECK(child_cpu_ms(&child) - cpu < 250);
    for (int i = 0; i < most; i++) {
        CHECK(recv(fds[i], answer, sizeof answer, MSG_DONTWAIT) < 0);
    }
    close(fds[0]);
    bool again = false;
    for (int i = 0; i < 100 && !again; i++) {
        int fd = sock_connect(child.port);
        again = served(fd);
        close(fd);
        if (!again) usleep(20000);
    }
    CHECK(again);
    close_all(fds + 1, most - 1);
    CHECK(child_fds_settle(&child, 16));
    child_end(&child);
}

/* ---------------------------------------------------------------------------------------- a storm */

enum { STORM = 2000 };

static void *storm(void *arg) {
    int port = *(int *)arg;
    for (int i = 0; i < STORM; i++) {
        int fd = sock_connect(port);
        if (fd < 0) continue;
        struct linger reset = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
    }
    return NULL;
}

/* Clients that come and reset at once, by two threads: one that stays is answered meanwhile, and
 * new ones are let in. */
TEST(admission, accept_storm) {
    pthread_t thread[2];
    gale_server_t *s = start(gale_config(), 1);
    REQUIRE(s != NULL);
    int port = gale_server_port(s, 0), stays = sock_connect(port);
    CHECK(served(stays));
    unsigned before = rig_open_fds();
    for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, storm, &port);
    for (int i = 0; i < 200; i++) {
        CHECK(served(stays));
        int fd = sock_connect(port);
        CHECK(served(fd));
        close(fd);
    }
    for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
    until_open(s, 1);
    /* Some of them may still wait to be accepted. */
    for (int i = 0; i < 1000 && rig_open_fds() != before; i++) usleep(10000);
    CHECK_EQ_UINT(rig_open_fds(), before);
    close(stays);
    live_end(s);
}
