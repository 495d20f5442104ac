/* gale_server_listen: addresses, ports in use, unix sockets. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static int try_listen(const char *url, char *message, size_t size) {
    gale_server_t *s;
    if (gale_server_new(&s, NULL) < 0) return UV_ENOMEM;
    int err = gale_server_listen(s, url);
    snprintf(message, size, "%s", gale_server_errmsg(s));
    gale_server_free(s);
    return err;
}

static void check_answers(int fd) {
    char out[1024];
    CHECK(fd >= 0);
    if (fd < 0) return;
    CHECK(sock_send(fd, GET) && sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_STRS(rig_body_of(gale_cstr(out)), gale_cstr("hello"));
    close(fd);
}

static void say_worker(gale_req_t *req, void *data) {
    char text[16];
    (void)data;
    snprintf(text, sizeof text, "%zu", gale_worker_index(gale_req_worker(req)));
    gale_respond_text(req, 200, text);
}

TEST(address, not_urls) {
    static const char *const bad[] = {
        "",
        "http://",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:x",
        "127.0.0.1:80",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:+1",
        "http://:8080",
        "https://127.0.0.1:0",
        "http://[::1:0",
        "http://[::1]",
        "http://[::1]0",
        "http://[]:0",
        "http://127.0.0.1:0/path",
        "unix:",
        "unix:@",
        "unix",
        "tcp://127.0.0.1:0",
        "http://127.0.0.1:123456",
    };
    char message[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int err = try_listen(bad[i], message, sizeof message);
        CHECK_MSG(err == GALE_EURL, "\"%s\": %s", bad[i], gale_err_name(err));
        CHECK_MSG(rig_has(gale_cstr(message), "not a listen address"), "%s", message);
    }
}

TEST(address, urls) {
    static const char *const good[] = {"http://127.0.0.1:0", "http://127.0.0.1:0/",
                                       "http://[::1]:0",     "http://localhost:0",
                                       "http://0.0.0.0:0",   "http://[::]:0"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        gale_server_t *s;
        REQUIRE(gale_server_new(&s, NULL) == 0);
        CHECK_MSG(gale_server_listen(s, good[i]) == 0, "%s", gale_server_errmsg(s));
        CHECK(gale_server_port(s, 0) > 0);
        CHECK_EQ_INT(gale_server_port(s, 1), 0);
        gale_server_free(s);
    }
}

TEST(address, what_cannot_be_bound) {
    char message[256];
    CHECK_EQ_INT(try_listen("http://203.0.113.7:0", message, sizeof message), UV_EADDRNOTAVAIL);
    CHECK(rig_has(gale_cstr(message), "cannot listen on 203.0.113.7:0: "));
    CHECK(try_listen("http://no such host:0", message, sizeof message) < 0);
    CHECK_EQ_INT(try_listen("unix:/no/such/folder/socket", message, sizeof message), UV_ENOENT);
    char path[200];
    memset(path, 'x', sizeof path - 1);
    memcpy(path, "unix:/tmp/", 10);
    path[sizeof path - 1] = '\0';
    CHECK_EQ_INT(try_listen(path, message, sizeof message), UV_ENAMETOOLONG);
}

TEST(address, no_more_sockets_once_it_runs) {
    gale_config_t config = gale_config();
    config.workers = 2;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), GALE_ESTATE);
    for (int i = 0; i < 10; i++) check_answers(sock_connect(gale_server_port(s, 0)));
    live_end(s);
}

/* Another server on the port is an error, not a partner, whether it has one worker or many. */
TEST(address, a_port_in_use) {
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        gale_config_t config = gale_config();
        char url[64], message[256], want[128];
        config.workers = workers;
        gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
        REQUIRE(s != NULL);
        snprintf(url, sizeof url, "http://127.0.0.1:%d", gale_server_port(s, 0));
        CHECK_EQ_INT(try_listen(url, message, sizeof message), UV_EADDRINUSE);
        snprintf(want, sizeof want, "cannot listen on %s: address already in use", url + 7);
        CHECK_EQ_STRS(gale_cstr(message), gale_cstr(want));
        check_answers(sock_connect(gale_server_port(s, 0)));
        live_end(s);
    }
}

/* "Bound at once": also when the other one has not begun to run. */
TEST(address, a_port_in_use_by_a_server_that_does_not_run_yet) {
    gale_server_t *s;
    char url[64], message[256];
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", gale_server_port(s, 0));
    CHECK_EQ_INT(try_listen(url, message, sizeof message), UV_EADDRINUSE);
    gale_server_free(s);
    CHECK_EQ_INT(try_listen(url, message, sizeof message), 0);
}

/* A port that was just served can be listened on again at once. */
TEST(address, a_port_is_free_after_the_server) {
    gale_config_t config = gale_config();
    config.workers = 2;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d", gale_server_port(s, 0));
    for (int i = 0; i < 3; i++) {
        check_answers(sock_connect(gale_server_port(s, 0)));
        live_end(s);
        s = live_start(&config, NULL, NULL, url);
        REQUIRE(s != NULL);
    }
    live_end(s);
}

TEST(address, ipv6_only) {
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://[::]:0");
    REQUIRE(s != NULL);
    check_answers(sock_connect_ipv6(gale_server_port(s, 0)));
    CHECK_EQ_INT(sock_connect(gale_server_port(s, 0)), -1);
    live_end(s);
}

/* --------------------------------------------------------------------------------- unix sockets */

static void temp_path(char path[64], char url[80]) {
    snprintf(path, 64, "/tmp/gale-test-%d.sock", (int)getpid());
    snprintf(url, 80, "unix:%s", path);
    unlink(path);
}

TEST(address, unix_socket_has_mode_0600_and_goes_with_the_server_NET_02) {
    char path[64], url[80];
    struct stat st;
    temp_path(path, url);
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        gale_config_t config = gale_config();
        config.workers = workers;
        gale_server_t *s = live_start(&config, NULL, NULL, url);
        REQUIRE(s != NULL);
        CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode));
        CHECK_EQ_UINT(st.st_mode & 0777, 0600);
        CHECK_EQ_INT(gale_server_port(s, 0), 0);
        for (int i = 0; i < 10; i++) check_answers(sock_connect_unix(path));
        live_end(s);
        CHECK(stat(path, &st) < 0);
    }
}

TEST(address, a_stale_unix_socket_is_replaced_NET_02) {
    char path[64], url[80], message[256];
    temp_path(path, url);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    close(fd);
    CHECK_EQ_INT(try_listen(url, message, sizeof message), 0);
    unlink(path);
}

TEST(address, a_unix_socket_in_use_is_refused) {
    char path[64], url[80], message[256];
    temp_path(path, url);
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_server_t *s = live_start(&config, NULL, NULL, url);
    REQUIRE(s != NULL);
    CHECK_EQ_INT(try_listen(url, message, sizeof message), UV_EADDRINUSE);
    check_answers(sock_connect_unix(path));
    live_end(s);
}

TEST(address, any_other_file_is_refused_NET_02) {
    char path[64], url[80], message[256];
    struct stat st;
    temp_path(path, url);
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fclose(file);
    CHECK_EQ_INT(try_listen(url, message, sizeof message), UV_EEXIST);
    CHECK(stat(path, &st) == 0 && S_ISREG(st.st_mode));
    unlink(path);
    REQUIRE(mkdir(path, 0700) == 0);
    CHECK(try_listen(url, message, sizeof message) < 0);
    CHECK(rmdir(path) == 0);
    REQUIRE(symlink("/tmp", path) == 0);
    CHECK(try_listen(url, message, sizeof message) < 0);
    CHECK(unlink(path) == 0);
}

/* What another process has put in place of our file is not ours to remove. */
TEST(address, a_replaced_file_stays) {
    char path[64], url[80];
    struct stat st;
    temp_path(path, url);
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen(s, url), 0);
    char aside[80];
    snprintf(aside, sizeof aside, "%s.old", path);
    REQUIRE(rename(path, aside) == 0);
    FILE *file = fopen(path, "w");
    if (file != NULL) fclose(file);
    gale_server_free(s);
    CHECK(stat(path, &st) == 0 && S_ISREG(st.st_mode));
    unlink(path);
    unlink(aside);
}

TEST(address, abstract_names) {
    gale_config_t config = gale_config();
    char message[256];
    config.workers = 2;
    gale_server_t *s = live_start(&config, NULL, NULL, "unix:@gale-listener-test");
    REQUIRE(s != NULL);
    check_answers(sock_connect_unix("@gale-listener-test"));
    CHECK_EQ_INT(try_listen("unix:@gale-listener-test", message, sizeof message), UV_EADDRINUSE);
    live_end(s);
}

/* H1-27: the file is born with the mode that is asked for, whatever the umask says. */
TEST(address, mode_of_a_unix_socket_H1_27_NET_02) {
    char path[64], url[80], with[100];
    struct stat st;
    temp_path(path, url);
    mode_t mask = umask(0077);
    static const unsigned modes[] = {0600, 0660, 0666};
    for (int i = 0; i < 3; i++) {
        gale_server_t *s;
        REQUIRE(gale_server_new(&s, NULL) == 0);
        snprintf(with, sizeof with, "%s?mode=0%o", url, modes[i]);
        CHECK_EQ_INT(gale_server_listen(s, with), 0);
        CHECK(stat(path, &st) == 0);
        CHECK_EQ_UINT(st.st_mode & 0777, modes[i]);
        gale_server_free(s);
    }
    CHECK_EQ_UINT(umask(mask), 0077); /* and the umask is as it was */
}

/* ------------------------------------------------------------------------- families, shared ports */

/* NET-01: all addresses of both families, on one port, also when the system chooses it. */
TEST(address, all_families_on_one_port_NET_01) {
    gale_config_t config = gale_config();
    for (config.workers = 1; config.workers <= 2; config.workers++) {
        gale_server_t *s = live_start(&config, NULL, NULL, "http://*:0");
        REQUIRE(s != NULL);
        int port = gale_server_port(s, 0);
        CHECK(port > 0);
        CHECK_EQ_INT(gale_server_port(s, 1), 0); /* the second call's */
        for (int i = 0; i < 5; i++) {
            check_answers(sock_connect(port));
            check_answers(sock_connect_ipv6(port));
        }
        live_end(s);
    }
}

TEST(address, the_second_family_in_use) {
    gale_config_t config = gale_config();
    char url[64], message[256];
    config.workers = 1;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://[::]:0");
    REQUIRE(s != NULL);
    snprintf(url, sizeof url, "http://*:%d", gale_server_port(s, 0));
    CHECK_EQ_INT(try_listen(url, message, sizeof message), UV_EADDRINUSE);
    CHECK_EQ_INT(sock_connect(gale_server_port(s, 0)), -1); /* nothing of it is left behind */
    live_end(s);
}

TEST(address, ports_by_call) {
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen(s, "http://*:0"), 0);
    CHECK_EQ_INT(gale_server_listen(s, "unix:@gale-port-test"), 0);
    CHECK(gale_server_listen(s, "http://h") < 0);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), 0);
    int first = gale_server_port(s, 0), last = gale_server_port(s, 2);
    CHECK(first > 0 && last > 0 && first != last);
    CHECK_EQ_INT(gale_server_port(s, 1), 0);
    CHECK_EQ_INT(gale_server_port(s, 3), 0);
    gale_server_free(s);
}

TEST(address, more_sockets_than_there_may_be) {
    gale_server_t *s;
    int count = 0, err;
    unsigned before = rig_open_fds();
    REQUIRE(gale_server_new(&s, NULL) == 0);
    while ((err = gale_server_listen(s, "http://127.0.0.1:0")) == 0) count++;
    CHECK_EQ_INT(err, GALE_ELIMIT);
    CHECK_EQ_INT(count, 32);
    CHECK_EQ_INT(gale_server_listen_fd(s, open("/dev/null", O_RDONLY), NULL), GALE_ELIMIT);
    CHECK_EQ_INT(gale_server_port(s, 32), 0);
    gale_server_free(s);
    CHECK_EQ_UINT(rig_open_fds(), before);
}

/* H1-25: a second process may join only when both say so. */
TEST(address, reuse_of_a_port_H1_25) {
    gale_server_t *first, *second;
    char url[64];
    REQUIRE(gale_server_new(&first, NULL) == 0 && gale_server_new(&second, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen(first, "http://127.0.0.1:0?reuseport=1"), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", gale_server_port(first, 0));
    CHECK_EQ_INT(gale_server_listen(second, url), UV_EADDRINUSE);
    strcat(url, "?reuseport=1");
    CHECK_EQ_INT(gale_server_listen(second, url), 0);
    gale_server_free(first);
    gale_server_free(second);
}

/* ------------------------------------------------------------------------------- without memory */

/* Clients for whom there is no memory are turned away; the next ones are served. */
TEST(address, goes_on_after_it_had_no_memory) {
    enum { CLIENTS = 8 };
    int fds[CLIENTS];
    rig_t rig;
    rig_alloc_begin(1, true);
    rig_alloc_pause(true);
    rig_init(&rig);
    rig.url = "http://127.0.0.1:0";
    rig_open(&rig);
    for (int i = 0; i < CLIENTS; i++) fds[i] = sock_connect(gale_server_port(rig.server, 0));
    rig_alloc_pause(false);
    rig_turn(&rig, 20);
    rig_alloc_pause(true);
    CHECK(rig_alloc_refused());
    for (int i = 0; i < CLIENTS; i++) {
        char answer[512];
        CHECK(sock_read(fds[i], answer, sizeof answer, NULL) > 0);
        CHECK_EQ_INT(rig_status_of(gale_cstr(answer)), 503);
        close(fds[i]);
    }
    int fd = sock_connect(gale_server_port(rig.server, 0));
    CHECK(fd >= 0 && sock_send(fd, GET));
    CHECK(rig_until(&rig, &rig.requests, 1, 2000));
    close(fd);
    rig_close(&rig);
    rig_alloc_end();
}

/* ------------------------------------------------------------------------------------ balancing */

/* How many of so many clients, one after the other, each of three workers gets. */
static void count_clients(const char *url, unsigned clients, unsigned seen[3]) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    gale_server_t *s = NULL;
    config.workers = 3;
    h.on_request = say_worker;
    REQUIRE(gale_server_new(&s, &config) == 0 && gale_server_handle(s, &h, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen(s, url), 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    for (unsigned i = 0; i < clients; i++) {
        char out[512];
        int port = gale_server_port(s, 0);
        int client = port > 0 ? sock_connect(port) : sock_connect_unix(url + 5);
        REQUIRE(client >= 0 && sock_send(client, GET));
        REQUIRE(sock_read(client, out, sizeof out, NULL) > 0);
        seen[*rig_body_of(gale_cstr(out)).ptr - '0']++;
        close(client);
    }
    live_end(s);
}

/* Among sockets of their own the system chooses, so that it takes a few. */
TEST(address, each_worker_gets_clients_H1_25) {
    unsigned seen[3] = {0, 0, 0};
    for (int i = 0; i < 40 && (seen[0] == 0 || seen[1] == 0 || seen[2] == 0); i++) {
        count_clients("http://127.0.0.1:0", 10, seen);
    }
    CHECK(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
}

/* Where there is only one socket, it is the next one's turn each time. */
TEST(address, one_socket_for_all_workers_is_dealt_out_H1_25) {
    unsigned seen[3] = {0, 0, 0};
    count_clients("unix:@gale-balance-test", 30, seen);
    for (int i = 0; i < 3; i++) CHECK_EQ_UINT(seen[i], 10);
}
