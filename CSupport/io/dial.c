#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "mem.h"

/* Both outlive their dial: the system's answer, or libuv's word that a handle is closed, comes later.
 * The worker waits for them. */
struct gale__lookup {
    uv_getaddrinfo_t req;
    gale__dial_t *dial; /* null: nobody wants to know any more */
    gale_worker_t *worker;
};

struct gale__attempt {
    uv_poll_t poll;
    gale__dial_t *dial;
    gale_worker_t *worker;
    int fd;
};

static bool try_next(gale__dial_t *d, int *err);

static void finish(gale__dial_t *d, int result) {
    gale__dial_stop(d);
    d->done(d, result);
}

/* One address has failed, or the first is known. */
static void go_on(gale__dial_t *d, int err) {
    if (try_next(d, &err)) {
        d->trying(d);
    } else {
        finish(d, err);
    }
}

/* -------------------------------------------------------------------------------------- attempts */

static void on_attempt_closed(uv_handle_t *h) {
    gale__attempt_t *a = h->data;
    gale_worker_t *w = a->worker;
    gale__free(a);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

/* The socket, which is the caller's now. */
static int end_attempt(gale__dial_t *d) {
    gale__attempt_t *a = d->attempt;
    d->attempt = NULL;
    uv_close((uv_handle_t *)&a->poll, on_attempt_closed);
    return a->fd;
}

/* A socket on this machine that was given the very port it connects to is connected to itself, and to
 * no server. */
static bool is_its_own_peer(int fd) {
    struct sockaddr_storage ours, theirs;
    socklen_t ours_len = sizeof ours, theirs_len = sizeof theirs;
    memset(&ours, 0, sizeof ours);
    memset(&theirs, 0, sizeof theirs);
    if (getsockname(fd, (struct sockaddr *)&ours, &ours_len) < 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &theirs_len) < 0) {
        return false;
    }
    bool internet = ours.ss_family == AF_INET || ours.ss_family == AF_INET6;
    return internet && ours_len == theirs_len && memcmp(&ours, &theirs, ours_len) == 0;
}

static int error_of(int fd) {
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0) return -errno;
    if (err == 0 && is_its_own_peer(fd)) return UV_ECONNREFUSED;
    return -err;
}

static void on_writable(uv_poll_t *poll, int status, int events) {
    gale__attempt_t *a = poll->data;
    gale__dial_t *d = a->dial;
    gale_worker_t *before = gale__worker_enter(a->worker);
    (void)events;
    /* libuv calls a refused connection a bad descriptor; the socket knows better. */
    int fd = end_attempt(d), err = error_of(fd);
    if (err == 0 && status < 0) err = status;
    if (err == 0) {
        finish(d, fd);
    } else {
        close(fd);
        go_on(d, err);
    }
    gale__worker_leave(before);
}

static int watch(gale__dial_t *d, int fd) {
    gale__attempt_t *a = gale__malloc(sizeof *a);
    if (a == NULL) return UV_ENOMEM;
    *a = (gale__attempt_t){.dial = d, .worker = d->worker, .fd = fd};
    int err = uv_poll_init(d->worker->loop, &a->poll, fd);
    if (err < 0) {
        gale__free(a);
        return err;
    }
    a->poll.data = a;
    d->worker->open_handles++;
    d->attempt = a;
    err = uv_poll_start(&a->poll, UV_WRITABLE, on_writable);
    if (err < 0) end_attempt(d);
    return err;
}

/* Begins to connect to d->name. */
static int try_name(gale__dial_t *d, socklen_t len) {
    int fd = gale__above_standard(
        socket(d->name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0) return -errno;
    int err = connect(fd, (const struct sockaddr *)&d->name, len) < 0 ? -errno : 0;
    if (err == -EINPROGRESS || err == -EINTR) err = 0;
    if (err == 0) err = watch(d, fd);
    if (err < 0) close(fd);
    return err;
}

/* False when there is no other address, and *err stays what it is or says why the last failed. */
static bool try_next(gale__dial_t *d, int *err) {
    while (d->next != NULL) {
        const struct addrinfo *a = d->next;
        d->next = a->ai_next;
        memset(&d->name, 0, sizeof d->name);
        memcpy(&d->name, a->ai_addr, a->ai_addrlen);
        gale__address_set_port(&d->name, d->port);
        *err = try_name(d, (socklen_t)a->ai_addrlen);
        if (*err == 0) return true;
    }
    return false;
}

/* --------------------------------------------------------------------------------------- lookups */

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found) {
    gale__lookup_t *l = req->data;
    gale__dial_t *d = l->dial;
    gale_worker_t *w = l->worker, *before = gale__worker_enter(w);
    gale__free(l);
    if (d == NULL) {
        uv_freeaddrinfo(found);
    } else {
        d->lookup = NULL;
        d->found = d->next = found;
        go_on(d, status < 0 ? status : UV_EAI_NODATA);
    }
    w->open_handles--;
    gale__worker_check_stopped(w);
    gale__worker_leave(before);
}

static int look_up(gale__dial_t *d, const char *host) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    gale__lookup_t *l = gale__malloc(sizeof *l);
    if (l == NULL) return UV_ENOMEM;
    *l = (gale__lookup_t){.dial = d, .worker = d->worker};
    l->req.data = l;
    int err = uv_getaddrinfo(d->worker->loop, &l->req, on_found, host, NULL, &hints);
    if (err < 0) {
        gale__free(l);
        return err;
    }
    d->worker->open_handles++;
    d->lookup = l;
    return 0;
}

/* ------------------------------------------------------------------------------------------ life */

int gale__dial_start(gale__dial_t *d, const char *host, uint16_t port) {
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    d->port = port;
    memset(&d->name, 0, sizeof d->name);
    if (uv_ip4_addr(host, port, &four) == 0) {
        memcpy(&d->name, &four, sizeof four);
        return try_name(d, sizeof four);
    }
    if (uv_ip6_addr(host, port, &six) == 0) {
        memcpy(&d->name, &six, sizeof six);
        return try_name(d, sizeof six);
    }
    return look_up(d, host);
}

int gale__dial_start_unix(gale__dial_t *d, gale_str_t path) {
    memset(&d->name, 0, sizeof d->name);
    int len = gale__address_unix(&d->name, path);
    return len < 0 ? len : try_name(d, (socklen_t)len);
}

unsigned gale__dial_left(const gale__dial_t *d) {
    unsigned n = d->attempt != NULL;
    for (const struct addrinfo *a = d->next; a != NULL; a = a->ai_next) n++;
    return n;
}

bool gale__dial_skip(gale__dial_t *d) {
    int err = UV_ETIMEDOUT;
    if (d->attempt == NULL || d->next == NULL) return false;
    close(end_attempt(d));
    return try_next(d, &err);
}

void gale__dial_stop(gale__dial_t *d) {
    if (d->attempt != NULL) close(end_attempt(d));
    if (d->lookup != NULL) {
        d->lookup->dial = NULL;
        uv_cancel((uv_req_t *)&d->lookup->req); /* or it is looked up in vain */
        d->lookup = NULL;
    }
    if (d->found != NULL) uv_freeaddrinfo(d->found);
    d->found = d->next = NULL;
}
