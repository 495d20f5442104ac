/* The transport over libuv streams: TCP and unix sockets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#ifdef __linux__
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#endif

#include "address.h"
#include "connection.h"
#include "mem.h"
#include "server.h"

/* ---------------------------------------------------------------------------------------- input */

#ifdef __linux__
static int stream_descriptor(const gale__conn_t *c) {
    uv_os_fd_t fd;
    int err = uv_fileno(&c->uv.handle, &fd);
    return err < 0 ? err : fd;
}

/* Bytes that were received, 0 at the end of the stream, or an error. */
static long receive(const gale__conn_t *c, char *room, size_t size) {
    int fd = stream_descriptor(c);
    if (fd < 0) return fd;
    ssize_t n;
    do {
        n = recv(fd, room, size, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}
#endif

/* On Linux the bytes are received right here: read, by which libuv would do it, takes the system's
 * longer way through the file layer, a thirtieth of what a small request costs. By a buffer of no
 * size libuv learns that it has nothing to read, and calls on_read at once. A body goes libuv's way,
 * who reads on for as long as there is more. */
static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    gale__conn_t *c = h->data;
    size_t size = 0;
    char *room = gale__conn_room(c, &size);
    *buf = (uv_buf_t){.base = room, .len = room == NULL ? 0 : size};
    c->worker->received = UV_ENOMEM;
#ifdef __linux__
    if (room == NULL || c->phase == GALE__PHASE_BODY) return;
    c->worker->received = receive(c, room, size);
    buf->len = 0;
#endif
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    gale__conn_t *c = stream->data;
    gale_worker_t *w = c->worker;
    if (c->phase == GALE__PHASE_CLOSED) return;
    gale_worker_t *before = gale__worker_enter(w);
    if (n == UV_ENOBUFS) n = w->received == 0 ? UV_EOF : w->received;
    if (n > 0) {
        gale__conn_read(c, buf->base, (size_t)n);
    } else if (n == UV_EOF) {
        gale__conn_eof(c);
    } else if (n < 0 && n != UV_EAGAIN) {
        gale__conn_broken(c, n == UV_ENOMEM ? UV_ENOMEM : GALE_EGONE);
    }
    gale__worker_leave(before);
}

/* --------------------------------------------------------------------------------------- output */

static void on_written(uv_write_t *req, int status) {
    gale__backlog_t *b = (gale__backlog_t *)req;
    gale__conn_t *c = b->conn;
    gale_worker_t *before = gale__worker_enter(c->worker);
    gale__conn_written(c, b, status);
    gale__worker_leave(before);
}

static int stream_write(gale__conn_t *c, gale__backlog_t *b) {
    b->conn = c;
    return uv_write(&b->req, &c->uv.stream, b->part, b->parts, on_written);
}

static size_t stream_queued(const gale__conn_t *c) {
    return uv_stream_get_write_queue_size(&c->uv.stream);
}

static size_t stream_untaken(const gale__conn_t *c) {
    int held = 0;
#ifdef __linux__
    uv_os_fd_t fd;
    if (uv_fileno(&c->uv.handle, &fd) < 0 || ioctl(fd, SIOCOUTQ, &held) < 0) held = 0;
#endif
    return stream_queued(c) + (size_t)held;
}

static int stream_read_start(gale__conn_t *c) {
    return uv_read_start(&c->uv.stream, on_room, on_read);
}

static void stream_read_stop(gale__conn_t *c) {
    uv_read_stop(&c->uv.stream);
}

static void on_shutdown(uv_shutdown_t *req, int status) {
    (void)status; /* a failed shutdown shows as EOF or by the deadline */
    gale__free(req);
}

static void stream_shutdown(gale__conn_t *c) {
    uv_shutdown_t *req = gale__malloc(sizeof *req);
    if (req == NULL || uv_shutdown(req, &c->uv.stream, on_shutdown) < 0) {
        gale__free(req);
        gale__conn_cut(c, GALE_OK);
    }
}

static void on_closed(uv_handle_t *h) {
    gale__conn_closed(h->data);
}

static void stream_close(gale__conn_t *c) {
    uv_close(&c->uv.handle, on_closed);
}

static int stream_peer(const gale__conn_t *c, gale__ip_t *ip) {
    struct sockaddr_storage name = {0};
    int len = sizeof name, err = 0;
    if (!c->is_unix) err = uv_tcp_getpeername(&c->uv.tcp, (struct sockaddr *)&name, &len);
    int port = gale__address_ip(&name, ip);
    return err < 0 ? err : port;
}

static bool stream_has_input(const gale__conn_t *c) {
    uv_os_fd_t fd;
    int bytes = 0;
    if (uv_fileno(&c->uv.handle, &fd) < 0 || ioctl(fd, FIONREAD, &bytes) < 0) return false;
    return bytes > 0;
}

#ifdef __linux__
/* Past libuv, whose own queue is empty when these are called: one call of the system and nothing
 * around it, which is a tenth of what a small response costs. */
static long send_parts(gale__conn_t *c, const uv_buf_t *parts, unsigned count, int flags) {
    int fd = stream_descriptor(c);
    if (fd < 0) return fd;
    ssize_t n;
    do {
        if (count == 1) {
            n = send(fd, parts->base, parts->len, flags);
        } else {
            struct msghdr m = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
            n = sendmsg(fd, &m, flags);
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static long stream_try_write(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    return send_parts(c, parts, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The system is to wait with a head for the file behind it. */
static long stream_try_cork(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    return send_parts(c, parts, count, MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
}

static long stream_send_file(gale__conn_t *c, int fd, uint64_t offset, size_t n) {
    off_t at = (off_t)offset;
    ssize_t sent;
    do {
        sent = sendfile(stream_descriptor(c), fd, &at, n);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

static void stream_cork(gale__conn_t *c, bool on) {
    int value = on;
    if (c->is_unix) return;
    setsockopt(stream_descriptor(c), IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}
#else
static long stream_try_write(gale__conn_t *c, const uv_buf_t *parts, unsigned count) {
    return uv_try_write(&c->uv.stream, parts, count);
}
#endif

const gale__transport_t gale__transport_stream = {
    .try_write = stream_try_write,
    .write = stream_write,
    .queued = stream_queued,
    .untaken = stream_untaken,
    .read_start = stream_read_start,
    .read_stop = stream_read_stop,
    .shutdown = stream_shutdown,
    .close = stream_close,
    .peer = stream_peer,
    .has_input = stream_has_input,
#ifdef __linux__
    .try_cork = stream_try_cork,
    .send_file = stream_send_file,
    .descriptor = stream_descriptor,
    .cork = stream_cork,
#endif
};
