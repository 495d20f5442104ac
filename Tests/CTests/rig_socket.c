#include "rig_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static void say_hello(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "hello");
}

gale_server_t *live_start(const gale_config_t *config, const gale_handler_t *handler, void *data,
                          const char *url) {
    gale_handler_t hello = gale_handler();
    hello.on_request = say_hello;
    gale_server_t *s = NULL;
    int err = gale_server_new(&s, config);
    if (err == 0) err = gale_server_handle(s, handler == NULL ? &hello : handler, data);
    if (err == 0) err = gale_server_listen(s, url);
    if (err == 0) err = gale_server_start(s);
    if (err == 0) return s;
    test_fail(__FILE__, __LINE__, "no server: %s", s == NULL ? "" : gale_server_errmsg(s));
    gale_server_free(s);
    return NULL;
}

void live_end(gale_server_t *server) {
    CHECK_EQ_INT(gale_server_stop(server), 0);
    CHECK_EQ_INT(gale_server_join(server), 0);
    gale_server_free(server);
}

static int connect_to(int family, const void *name, socklen_t len) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval limit = {.tv_sec = 5};
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, name, len) == 0) return fd;
    close(fd);
    return -1;
}

int sock_connect(int port) {
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to(AF_INET, &name, sizeof name);
}

int sock_connect_ipv6(int port) {
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    name.sin6_addr = in6addr_loopback;
    return connect_to(AF_INET6, &name, sizeof name);
}

int sock_connect_unix(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(name.sun_path, path, len);
    if (path[0] == '@') name.sun_path[0] = '\0';
    return connect_to(AF_UNIX, &name, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

bool sock_send_bytes(int fd, const void *bytes, size_t len) {
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool sock_send(int fd, const char *text) {
    return sock_send_bytes(fd, text, strlen(text));
}

long sock_read(int fd, char *out, size_t size, const char *until) {
    size_t have = 0;
    out[0] = '\0';
    while (have + 1 < size && (until == NULL || strstr(out, until) == NULL)) {
        ssize_t n = recv(fd, out + have, size - 1 - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        have += (size_t)n;
        out[have] = '\0';
    }
    return (long)have;
}

/* Size of the whole response at the start of `text`, 0 when it is not all there. */
static size_t response_size(const char *text, size_t len) {
    gale_str_t all = gale_str(text, len), body = rig_body_of(all);
    if (body.ptr == NULL) return 0;
    const char *length = strstr(text, "Content-Length: ");
    size_t want = length == NULL || length > body.ptr ? 0 : strtoul(length + 16, NULL, 10);
    return body.len < want ? 0 : (size_t)(body.ptr - text) + want;
}

bool sock_read_responses(int fd, unsigned count) {
    static _Thread_local char bytes[65536];
    size_t have = 0;
    while (count > 0) {
        ssize_t n = recv(fd, bytes + have, sizeof bytes - 1 - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        have += (size_t)n;
        bytes[have] = '\0';
        for (size_t size; count > 0 && (size = response_size(bytes, have)) > 0; count--) {
            have -= size;
            memmove(bytes, bytes + size, have + 1);
        }
    }
    return have == 0;
}
