#include "address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { PORT_TRIES = 16 };

static int set_flag(int fd, int level, int name) {
    int on = 1;
    return setsockopt(fd, level, name, &on, sizeof on) < 0 ? -errno : 0;
}

static int open_bound(const gale__address_t *a, bool reuse_port) {
    int fd = socket(a->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int err = 0;
    if (!a->is_unix) {
        err = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
        if (err == 0 && a->name.ss_family == AF_INET6)
            err = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY);
        if (err == 0 && reuse_port) err = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    }
    if (err == 0 && bind(fd, (const struct sockaddr *)&a->name, a->name_len) < 0) err = -errno;
    if (err < 0) {
        close(fd);
        return err;
    }
    return fd;
}

int gale__above_standard(int fd) {
    if (fd < 0 || fd > STDERR_FILENO) return fd;
    int above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), err = errno;
    close(fd);
    errno = err;
    return above;
}

int gale__address_again(const gale__address_t *a) {
    return open_bound(a, true);
}

int gale__address_take(gale__address_t *a, bool shared) {
    if (shared && !gale__address_deals(a)) {
        int err = set_flag(a->fd, SOL_SOCKET, SO_REUSEPORT);
        if (err < 0) return err;
    }
    int fd = a->fd;
    a->fd = -1;
    return fd;
}

bool gale__address_deals(const gale__address_t *a) {
    return a->is_unix || a->handed;
}

int gale__address_ip(const struct sockaddr_storage *name, gale__ip_t *ip) {
    memset(ip, 0, sizeof *ip);
    if (name->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)name;
        *ip = gale__ip_v6(six->sin6_addr.s6_addr);
        return ntohs(six->sin6_port);
    }
    if (name->ss_family != AF_INET) return 0;
    const struct sockaddr_in *four = (const struct sockaddr_in *)name;
    uint8_t bytes[4];
    memcpy(bytes, &four->sin_addr, sizeof bytes);
    *ip = gale__ip_v4(bytes);
    return ntohs(four->sin_port);
}

/* -------------------------------------------------------------------------------- unix sockets */

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

int gale__address_unix(struct sockaddr_storage *out, gale_str_t path) {
    struct sockaddr_un *name = (struct sockaddr_un *)out;
    if (path.len >= sizeof name->sun_path) return UV_ENAMETOOLONG;
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path.ptr, path.len);
    bool abstract = path.ptr[0] == '@';
    if (abstract) name->sun_path[0] = '\0';
    return (int)(offsetof(struct sockaddr_un, sun_path) + path.len + (abstract ? 0 : 1));
}

static int bind_unix(gale__address_t *a, gale_str_t where) {
    const struct sockaddr_un *name = (const struct sockaddr_un *)&a->name;
    int len = gale__address_unix(&a->name, where);
    if (len < 0) return len;
    a->is_unix = true;
    a->name_len = (socklen_t)len;
    bool abstract = where.ptr[0] == '@';
    if (!abstract) {
        int err = remove_stale(name->sun_path, (const struct sockaddr *)name, a->name_len);
        if (err < 0) return err;
    }
    mode_t mask = umask(~a->options.mode & 0777u); /* the file is born with its mode (H1-27) */
    a->fd = open_bound(a, false);
    umask(mask);
    if (a->fd < 0) return a->fd;
    struct stat st;
    if (!abstract && lstat(name->sun_path, &st) == 0) {
        memcpy(a->path, where.ptr, where.len);
        a->inode = st.st_ino;
    }
    return 0;
}

/* ----------------------------------------------------------------------------------------- TCP */

void gale__address_set_port(struct sockaddr_storage *name, int port) {
    if (name->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)name)->sin6_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in *)name)->sin_port = htons((uint16_t)port);
    }
}

static int port_of(const struct sockaddr_storage *name) {
    return ntohs(name->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)name)->sin6_port
                                             : ((const struct sockaddr_in *)name)->sin_port);
}

static int bind_one(gale__address_t *a, const struct addrinfo *found, int port) {
    memset(&a->name, 0, sizeof a->name);
    memcpy(&a->name, found->ai_addr, found->ai_addrlen);
    a->name_len = (socklen_t)found->ai_addrlen;
    gale__address_set_port(&a->name, port);
    /* Without SO_REUSEPORT, so that another server on this port is an error and not a partner. */
    a->fd = open_bound(a, a->options.reuse_port);
    if (a->fd < 0) return a->fd;
    if (getsockname(a->fd, (struct sockaddr *)&a->name, &a->name_len) < 0) return -errno;
    a->port = port_of(&a->name);
    return 0;
}

static bool seen_before(const struct addrinfo *first, const struct addrinfo *a) {
    for (; first != a; first = first->ai_next) {
        if (first->ai_addrlen == a->ai_addrlen &&
            memcmp(first->ai_addr, a->ai_addr, a->ai_addrlen) == 0) {
            return true;
        }
    }
    return false;
}

/* A family that this machine knows by name only, as in containers without IPv6, is no failure while
 * there is another. */
static bool can_do_without(int err, const struct addrinfo *a) {
    return err == -EAFNOSUPPORT || (err == -EADDRNOTAVAIL && a->ai_family == AF_INET6);
}

/* All addresses on one port. With port 0 the first one's is chosen by the system (NET-01). */
static int bind_all(gale__address_t *list, size_t room, const struct addrinfo *found, int port) {
    size_t count = 0;
    int err = 0, missing = 0;
    for (const struct addrinfo *a = found; err == 0 && a != NULL; a = a->ai_next) {
        if (seen_before(found, a)) continue;
        if (count == room) {
            err = GALE_ELIMIT;
            break;
        }
        list[count] = (gale__address_t){.fd = -1, .options = list->options};
        err = bind_one(&list[count], a, count > 0 ? list->port : port);
        if (err == 0) {
            count++;
            continue;
        }
        gale__address_close(&list[count]);
        if (can_do_without(err, a)) {
            missing = err;
            err = 0;
        }
    }
    if (err == 0 && count > 0) return (int)count;
    while (count-- > 0) gale__address_close(&list[count]);
    return err == 0 ? missing : err;
}

static int bind_tcp(gale__address_t *list, size_t room, const gale__listen_url_t *url) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[GALE__WHERE];
    if (url->where.len >= sizeof host) return UV_ENAMETOOLONG;
    memcpy(host, url->where.ptr, url->where.len);
    host[url->where.len] = '\0';
    int gai = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, "0", &hints, &found);
    if (gai != 0) return gai == EAI_MEMORY ? UV_ENOMEM : UV_EAI_NONAME;
    int count = bind_all(list, room, found, url->port);
    for (int i = 1; url->port == 0 && count == UV_EADDRINUSE && i < PORT_TRIES; i++) {
        count = bind_all(list, room, found, 0); /* the other family's was taken */
    }
    freeaddrinfo(found);
    return count;
}

/* -------------------------------------------------------------------------------------- handed */

int gale__address_adopt(gale__address_t *a, int fd, const gale__listen_options_t *options,
                        int backlog) {
    int type = 0, listens = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof type;
    memset(a, 0, sizeof *a);
    a->fd = fd;
    a->handed = true;
    a->options = *options;
    a->name_len = sizeof a->name;
    int err = flags < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
                      getsockname(fd, (struct sockaddr *)&a->name, &a->name_len) < 0
                  ? -errno
                  : 0;
    if (err == 0 && type != SOCK_STREAM) err = UV_EPROTOTYPE;
    int family = a->name.ss_family;
    if (err == 0 && family != AF_INET && family != AF_INET6 && family != AF_UNIX) {
        err = UV_EAFNOSUPPORT;
    }
    len = sizeof listens;
    if (err == 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0) err = -errno;
    if (err == 0 && !listens && listen(fd, backlog) < 0) err = -errno;
    if (err == 0 &&
        (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)) {
        err = -errno;
    }
    if (err < 0) {
        gale__address_close(a);
        return err;
    }
    a->is_unix = family == AF_UNIX;
    if (!a->is_unix) a->port = port_of(&a->name);
    return 0;
}

static int adopt_all(gale__address_t *list, size_t room, const gale__listen_url_t *url,
                     int backlog) {
    int fds[64];
    const gale__listen_options_t options = url->options;
    size_t count = gale__handed_take(url->where, fds, sizeof fds / sizeof *fds);
    if (count == 0) return UV_ENOENT;
    int err = count > room ? GALE_ELIMIT : 0;
    size_t done = 0;
    while (err == 0 && done < count) {
        err = gale__address_adopt(&list[done], fds[done], &options, backlog);
        done++;
    }
    if (err == 0) return (int)count;
    for (size_t i = 0; i < done; i++) gale__address_close(&list[i]);
    for (size_t i = done; i < count; i++) close(fds[i]);
    return err;
}

/* ---------------------------------------------------------------------------------------- both */

static void say_where(const gale__listen_url_t *url, char *where) {
    bool colon = url->where.len > 0 && memchr(url->where.ptr, ':', url->where.len) != NULL;
    int len = (int)(url->where.len < GALE__WHERE ? url->where.len : GALE__WHERE);
    switch (url->kind) {
    case GALE__LISTEN_TCP:
        snprintf(where, GALE__WHERE, colon ? "[%.*s]:%d" : "%.*s:%d", len, url->where.ptr,
                 url->port);
        break;
    case GALE__LISTEN_UNIX:
        snprintf(where, GALE__WHERE, "%.*s", len, url->where.ptr);
        break;
    default:
        snprintf(where, GALE__WHERE, "systemd:%.*s", len, url->where.ptr);
    }
}

int gale__address_bind(gale__address_t *list, size_t room, const char *text, int backlog,
                       char *where) {
    gale__listen_url_t url;
    snprintf(where, GALE__WHERE, "%s", text);
    if (!gale__listen_url_parse(&url, gale_cstr(text))) return GALE_EURL;
    if (room == 0) return GALE_ELIMIT;
    say_where(&url, where);
    if (url.options.backlog > 0) backlog = (int)url.options.backlog;
    if (url.kind == GALE__LISTEN_HANDED) return adopt_all(list, room, &url, backlog);
    memset(list, 0, sizeof *list);
    list->fd = -1;
    list->options = url.options;
    int count = 1, err;
    if (url.kind == GALE__LISTEN_UNIX) {
        err = bind_unix(list, url.where);
    } else {
        err = count = bind_tcp(list, room, &url);
    }
    /* At once: bound alone, neither a port nor a socket file would keep others from taking it. */
    for (int i = 0; err >= 0 && i < count; i++) {
        if (listen(list[i].fd, backlog) < 0) err = -errno;
    }
    if (err >= 0) return count;
    for (int i = 0; i < (count > 0 ? count : 1); i++) gale__address_close(&list[i]);
    return err;
}

void gale__address_close(gale__address_t *a) {
    if (a->fd >= 0) close(a->fd);
    a->fd = -1;
    struct stat st;
    if (a->path[0] != '\0' && lstat(a->path, &st) == 0 && st.st_ino == a->inode) unlink(a->path);
    a->path[0] = '\0';
}
