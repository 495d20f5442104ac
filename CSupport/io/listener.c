#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept_point.h"
#include "server.h"

enum { WHERE = 256 };

/* ---------------------------------------------------------------------------- addresses
 * and URLs */

static int set_flag(int fd, int level, int name) {
    int on = 1;
    return setsockopt(fd, level, name, &on, sizeof on) < 0 ? -errno : 0;
}

static int open_bound(gale__address_t *a, bool reuse_port) {
    int fd = socket(a->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int err = 0;
    if (!a->is_unix) {
        err = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
        if (err == 0 && a->name.ss_family == AF_INET6)
            err = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
        if (err == 0 && reuse_port) err = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    }
    if (err == 0 && bind(fd, (struct sockaddr *)&a->name, a->name_len) < 0) err = -errno;
    if (err < 0) {
        close(fd);
        return err;
    }
    return fd;
}

/* A socket file nobody listens on is a leftover of a killed process; anything else is not ours to
 * remove (NET-02). */
static int remove_stale(const char *path, const struct sockaddr *name, socklen_t len) {
    struct stat st;
    if (lstat(path, &st) < 0) return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode)) return UV_EEXIST;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int err = connect(fd, name, len) == 0 || errno == EAGAIN ? UV_EADDRINUSE : 0;
    close(fd);
    if (err == 0 && unlink(path) < 0) err = -errno;
    return err;
}

static int bind_unix(gale__address_t *a, const char *path) {
    struct sockaddr_un *name = (struct sockaddr_un *)&a->name;
    size_t len = strlen(path);
    if (len == 0 || strcmp(path, "@") == 0) return GALE_EURL;
    if (len >= sizeof name->sun_path) return UV_ENAMETOOLONG;
    a->is_unix = true;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, len);
    bool abstract = path[0] == '@';
    if (abstract) name->sun_path[0] = '\0';
    a->name_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (abstract ? 0 : 1));
    if (!abstract) {
        int err = remove_stale(path, (struct sockaddr *)name, a->name_len);
        if (err < 0) return err;
    }
    mode_t mask = umask(0177); /* the file is born with mode 0600 (H1-27) */
    a->fd = open_bound(a, false);
    umask(mask);
    if (a->fd < 0) return a->fd;
    struct stat st;
    if (!abstract && lstat(path, &st) == 0) {
        memcpy(a->path, path, len + 1);
        a->inode = st.st_ino;
    }
    return 0;
}

static int bind_tcp(gale__address_t *a, const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int gai = getaddrinfo(host, port, &hints, &found);
    if (gai != 0) return gai == EAI_MEMORY ? UV_ENOMEM : UV_EAI_NONAME;
    memcpy(&a->name, found->ai_addr, found->ai_addrlen);
    a->name_len = found->ai_addrlen;
    freeaddrinfo(found);
    /* Without SO_REUSEPORT, so that another server on this port is an error and not a partner. */
    a->fd = open_bound(a, false);
    if (a->fd < 0) return a->fd;
    if (getsockname(a->fd, (struct sockaddr *)&a->name, &a->name_len) < 0) return -errno;
    a->port = ntohs(a->name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a->name)->sin6_port
                                                  : ((struct sockaddr_in *)&a->name)->sin_port);
    return 0;
}

/* HOST:PORT or [HOST]:PORT with digits for the port and nothing behind it but one slash. */
static bool split_host(const char *text, char *host, char *port) {
    const char *end = text + strlen(text);
    if (end > text && end[-1] == '/') end--;
    const char *host_end = NULL, *colon = NULL;
    if (*text == '[') {
        text++;
        host_end = memchr(text, ']', (size_t)(end - text));
        colon = host_end == NULL ? NULL : host_end + 1;
    } else {
        host_end = colon = memchr(text, ':', (size_t)(end - text));
    }
    if (colon == NULL || colon >= end || *colon != ':' || host_end == text) return false;
    size_t host_len = (size_t)(host_end - text), port_len = (size_t)(end - colon - 1);
    if (host_len >= WHERE / 2 || port_len == 0 || port_len > 5) return false;
    for (const char *p = colon + 1; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
    }
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    memcpy(port, colon + 1, port_len);
    port[port_len] = '\0';
    return strtol(port, NULL, 10) <= 65535;
}

int gale__address_bind(gale__address_t *a, const char *url, int backlog, char *where) {
    memset(a, 0, sizeof *a);
    a->fd = -1;
    snprintf(where, WHERE, "%s", url);
    int err;
    if (strncmp(url, "unix:", 5) == 0) {
        snprintf(where, WHERE, "%s", url + 5);
        err = bind_unix(a, url + 5);
    } else {
        char host[WHERE / 2], port[8];
        if (strncmp(url, "http://", 7) != 0 || !split_host(url + 7, host, port)) return GALE_EURL;
        snprintf(where, WHERE, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
        err = bind_tcp(a, host, port);
    }
    /* At once: bound alone, neither a port nor a socket file would keep others from taking it. */
    if (err == 0 && listen(a->fd, backlog) < 0) err = -errno;
    if (err < 0) gale__address_close(a);
    return err;
}

void gale__address_close(gale__address_t *a) {
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
    struct stat st;
    if (a->path[0] != '\0' && lstat(a->path, &st) == 0 && st.st_ino == a->inode) unlink(a->path);
    a->path[0] = '\0';
}

static int tcp_fd(gale__address_t *a, const gale_worker_t *w, bool shared) {
    if (w->index == 0) {
        if (shared && !a->is_unix) {
            int err = set_flag(a->fd, SOL_SOCKET, SO_REUSEPORT);
            if (err < 0) return err;
        }
        int fd = a->fd;
        a->fd = -1;
        return fd;
    }
    return open_bound(a, true);
}

static int unix_fd(gale__address_t *a, const gale_worker_t *w) {
    gale__accept_point_t *first = w->server->workers[0].accept_points;
    if (w->index == 0) {
        int fd = a->fd;
        a->fd = -1;
        return fd;
    }
    for (; first != NULL; first = first->next) {
        struct sockaddr_storage name;
        socklen_t len = sizeof name;
        if (!first->is_unix) continue;
        if (getsockname(first->fd, (struct sockaddr *)&name, &len) < 0 || len != a->name_len) {
            continue;
        }
        if (memcmp(&name, &a->name, len) == 0) return fcntl(first->fd, F_DUPFD_CLOEXEC, 0);
    }
    return UV_EBADF;
}

int gale__address_fd(gale__address_t *a, const gale_worker_t *w, bool shared) {
    return a->is_unix ? unix_fd(a, w) : tcp_fd(a, w, shared);
}
