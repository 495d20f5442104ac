/* Sockets that someone else has bound: gale_server_listen_fd, "systemd:". */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

static void say_worker(gale_req_t *req, void *data) {
    char text[16];
    (void)data;
    snprintf(text, sizeof text, "%zu", gale_worker_index(gale_req_worker(req)));
    gale_respond_text(req, 200, text);
}

static void say_remote(gale_req_t *req, void *data) {
    char text[46];
    (void)data;
    CHECK(gale_req_remote(req, text, sizeof text) > 0);
    gale_respond_text(req, 200, text);
}

static void check_status(int fd, int status) {
    char out[1024];
    CHECK(fd >= 0);
    if (fd < 0) return;
    CHECK(sock_send(fd, GET) && sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), status);
    close(fd);
}

/* A socket on a port of 127.0.0.1 that the system chose. */
static int bound_socket(bool listens) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    if (listens) CHECK_EQ_INT(listen(fd, 8), 0);
    return fd;
}

/* H1-25: a socket of someone else's, whose path and options are theirs. */
TEST(handed, a_socket_handed_over_H1_25) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    h.on_request = say_worker;
    for (config.workers = 1; config.workers <= 2; config.workers++) {
        for (int listens = 0; listens < 2; listens++) {
            gale_server_t *s = NULL;
            int fd = bound_socket(listens), ours = dup(fd);
            REQUIRE(gale_server_new(&s, &config) == 0 && gale_server_handle(s, &h, NULL) == 0);
            CHECK_EQ_INT(gale_server_listen_fd(s, fd, NULL), 0);
            int port = gale_server_port(s, 0);
            CHECK(port > 0 && gale_server_start(s) == 0);
            check_status(sock_connect(port), 200);
            live_end(s);
            int client = sock_connect(port); /* still in the queue that we have as well */
            CHECK(client >= 0);
            close(client);
            close(ours);
            CHECK_EQ_INT(sock_connect(port), -1);
        }
    }
}

TEST(handed, a_unix_socket_handed_over_keeps_its_file) {
    char path[64];
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(path, sizeof path, "/tmp/gale-handed-%d.sock", (int)getpid());
    memcpy(name.sun_path, path, (size_t)len);
    unlink(path);
    gale_server_t *s = NULL;
    gale_handler_t h = gale_handler();
    h.on_request = say_worker;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    REQUIRE(gale_server_new(&s, NULL) == 0 && gale_server_handle(s, &h, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen_fd(s, fd, "proxy=off"), 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    check_status(sock_connect_unix(path), 200);
    live_end(s);
    CHECK_EQ_INT(unlink(path), 0);
}

TEST(handed, what_is_no_socket_to_listen_on) {
    gale_server_t *s;
    int pair[2];
    unsigned before = rig_open_fds();
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen_fd(s, -1, NULL), UV_EBADF);
    CHECK_EQ_INT(gale_server_listen_fd(s, 1000000, NULL), UV_EBADF);
    CHECK(rig_has(gale_cstr(gale_server_errmsg(s)), "cannot listen on descriptor 1000000: "));
    CHECK_EQ_INT(gale_server_listen_fd(s, open("/dev/null", O_RDONLY), NULL), UV_ENOTSOCK);
    CHECK_EQ_INT(gale_server_listen_fd(s, socket(AF_INET, SOCK_DGRAM, 0), NULL), UV_EPROTOTYPE);
    CHECK_EQ_INT(gale_server_listen_fd(s, bound_socket(true), "proxy=optional"), GALE_EURL);
    CHECK_EQ_INT(gale_server_listen_fd(s, bound_socket(true), "reuseport=1"), GALE_EURL);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK(gale_server_listen_fd(s, pair[0], NULL) < 0);
    close(pair[1]);
    CHECK_EQ_INT(gale_server_port(s, 0), 0);
    gale_server_free(s);
    CHECK_EQ_UINT(rig_open_fds(), before); /* each was taken and closed */
}

/* An IPv6 socket for both families names its IPv4 clients as what they are. */
TEST(handed, clients_of_a_socket_for_both_families) {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6};
    int fd = socket(AF_INET6, SOCK_STREAM, 0), off = 0;
    REQUIRE(fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0);
    REQUIRE(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    gale_server_t *s = NULL;
    gale_handler_t h = gale_handler();
    char out[512];
    h.on_request = say_remote;
    REQUIRE(gale_server_new(&s, NULL) == 0 && gale_server_handle(s, &h, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen_fd(s, fd, NULL), 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    int client = sock_connect(gale_server_port(s, 0));
    CHECK(client >= 0 && sock_send(client, GET) && sock_read(client, out, sizeof out, NULL) > 0);
    CHECK_EQ_STRS(rig_body_of(gale_cstr(out)), gale_cstr("127.0.0.1"));
    close(client);
    live_end(s);
}

/* Every worker gets clients of the one socket: it is the next one's turn each time. */
TEST(handed, dealt_out_to_all_workers_H1_25) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    gale_server_t *s = NULL;
    unsigned seen[3] = {0, 0, 0};
    config.workers = 3;
    h.on_request = say_worker;
    REQUIRE(gale_server_new(&s, &config) == 0 && gale_server_handle(s, &h, NULL) == 0);
    CHECK_EQ_INT(gale_server_listen_fd(s, bound_socket(true), NULL), 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    for (int i = 0; i < 30; i++) {
        char out[512];
        int fd = sock_connect(gale_server_port(s, 0));
        REQUIRE(fd >= 0 && sock_send(fd, GET) && sock_read(fd, out, sizeof out, NULL) > 0);
        seen[*rig_body_of(gale_cstr(out)).ptr - '0']++;
        close(fd);
    }
    live_end(s);
    for (int i = 0; i < 3; i++) CHECK_EQ_UINT(seen[i], 10);
}

/* --------------------------------------------------------------------------------- LISTEN_FDS */

static gale_server_t *last_server;

static void answer_and_stop(gale_req_t *req, void *data) {
    unsigned *left = data;
    say_remote(req, NULL);
    if (--*left == 0) gale_server_stop(last_server);
}

/* Without a failed step the child's status is 0; else it is the step. */
#define STEP(number, condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) _exit(number);                                                           \
    } while (0)

static void child(int web, int admin, const char *names) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    gale_server_t *s;
    char pid[16];
    unsigned left = 3;
    /* Away from where they must lie. */
    int first = fcntl(web, F_DUPFD, 100), second = fcntl(admin, F_DUPFD, 100);
    STEP(1, first >= 0 && second >= 0 && dup2(first, 3) == 3 && dup2(second, 4) == 4);
    close(first);
    close(second);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    if (names != NULL) setenv("LISTEN_FDNAMES", names, 1);
    config.workers = 1;
    h.on_request = answer_and_stop;
    STEP(2, gale_server_new(&s, &config) == 0 && gale_server_handle(s, &h, &left) == 0);
    last_server = s;
    if (names != NULL) {
        STEP(3, gale_server_listen(s, "systemd:other") == UV_ENOENT);
        STEP(4, strstr(gale_server_errmsg(s), "cannot listen on systemd:other: ") != NULL);
        STEP(5, gale_server_listen(s, "systemd:admin") == 0);
        STEP(6, gale_server_listen(s, "systemd:admin") == UV_ENOENT); /* it was taken */
    }
    STEP(7, gale_server_listen(s, "systemd:") == 0);
    STEP(8, gale_server_listen(s, "systemd:") == UV_ENOENT);
    STEP(9, fcntl(3, F_GETFD) == FD_CLOEXEC && fcntl(4, F_GETFD) == FD_CLOEXEC);
    STEP(10, gale_server_run(s) == 0);
    gale_server_free(s);
    _exit(0);
}

static int port_of(int fd) {
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &len) == 0 ? ntohs(name.sin_port) : 0;
}

TEST(handed, by_systemd_H1_25) {
    static const char *const names[] = {NULL, "web:admin"};
    for (int i = 0; i < 2; i++) {
        int web = bound_socket(true), admin = bound_socket(true), status = -1;
        pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) child(web, admin, names[i]);
        check_status(sock_connect(port_of(web)), 200);
        check_status(sock_connect(port_of(admin)), 200);
        check_status(sock_connect(port_of(web)), 200);
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "step %d", WEXITSTATUS(status));
        close(web);
        close(admin);
    }
}

/* For another process, or nonsense: there are none. */
TEST(handed, not_to_us) {
    static const char *const rows[][2] = {{"1", "1"},    {NULL, "1"},    {"self", NULL},
                                          {"self", "x"}, {"self", "-1"}, {"self", "0"},
                                          {"self", ""},  {"x", "1"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale_server_t *s;
        char pid[16];
        snprintf(pid, sizeof pid, "%d", (int)getpid());
        const char *whose = rows[i][0];
        if (whose != NULL) setenv("LISTEN_PID", strcmp(whose, "self") == 0 ? pid : whose, 1);
        if (rows[i][1] != NULL) setenv("LISTEN_FDS", rows[i][1], 1);
        REQUIRE(gale_server_new(&s, NULL) == 0);
        CHECK_EQ_INT(gale_server_listen(s, "systemd:"), UV_ENOENT);
        gale_server_free(s);
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
    }
}
