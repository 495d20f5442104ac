#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "accept_point.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "mem.h"
#include "server.h"
#include "str.h"

enum {
    TURN_ACCEPTS = 32, /* of one listener in one turn of the loop; then the clients have theirs */
    RETRY_MS = 100,    /* when no descriptor is to be had */
    EVICT_LOOK = 256,  /* clients looked at to find an idle one */
    FRESH_MS = 10,     /* in which the first bytes of a new client come, if it means well */
    MOMENT_MS = 200
};

/* What an accept point's clients are. */
enum { IS_UNIX = 1, IS_PROXIED = 2, IS_SECURE = 4, KIND_BITS = 3 };

/* --------------------------------------------------------------------------------- turning away */

#define FULL "503 Service Unavailable: as many clients as may be are here\n"
#define TEXT(x) #x
#define DIGITS(x) TEXT(x)
#define FULL_LENGTH 60
_Static_assert(sizeof FULL - 1 == FULL_LENGTH, "Content-Length");

/* Says why and closes. What the client has sent already is read, so that closing does not reset the
 * connection before it has seen the answer. */
static void turn_away(gale_worker_t *w, int fd) {
    static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                 "Retry-After: 1\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: " DIGITS(FULL_LENGTH) "\r\n\r\n" FULL;
    char sink[4096];
    gale__count(&w->counters, GALE__N_REFUSED, 1);
    ssize_t sent = send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) shutdown(fd, SHUT_WR);
    if (sent > 0) sent = recv(fd, sink, sizeof sink, MSG_DONTWAIT);
    close(fd);
}

#define BUSY INT64_MAX

/* Since when the client has nothing under way; BUSY when it has. One that has just come, whose head is
 * coming, or that has not read its last answer yet is given a moment. The last kind goes first. */
static int64_t idle_since(const gale__conn_t *c) {
    const gale_config_t *config = &c->worker->server->config;
    int64_t deadline = (int64_t)c->timer.deadline, now = (int64_t)uv_now(c->worker->loop);
    if (!c->admitted || c->depth > 0 || c->settling) return BUSY;
    if (c->phase == GALE__PHASE_LINGER && c->deadline == GALE__DEADLINE_LINGER) {
        int64_t since = deadline - GALE__LINGER_MS;
        return now - since >= MOMENT_MS ? INT64_MIN + since : BUSY;
    }
    if (c->phase != GALE__PHASE_HEAD && c->phase != GALE__PHASE_PROXY) return BUSY;
    if (c->deadline == GALE__DEADLINE_IDLE) {
        return c->in == NULL ? deadline - config->idle_timeout_ms : BUSY;
    }
    if (c->deadline != GALE__DEADLINE_HEADER) return BUSY;
    int64_t since = deadline - config->header_timeout_ms;
    return now - since >= (c->fresh ? FRESH_MS : MOMENT_MS) ? since : BUSY;
}

/* The client that has been idle longest, of a good number of this worker's, gives way. */
static bool evict(gale_worker_t *w) {
    gale__conn_t *best = NULL;
    int64_t since = BUSY;
    gale__conn_t *c = w->evict_hand;
    for (int i = 0; i < EVICT_LOOK; i++) {
        if (c == NULL) c = w->conns;
        if (c == NULL) break;
        if (idle_since(c) < since) {
            best = c;
            since = idle_since(c);
        }
        c = c->next;
    }
    w->evict_hand = c;
    if (best == NULL) return false;
    gale__conn_cut(best, GALE_ELIMIT);
    gale__conn_settle(best);
    gale__count(&w->counters, GALE__N_EVICTED, 1);
    return true;
}

void gale__accept_left(gale__conn_t *c) {
    if (!c->admitted) return;
    gale__admission_t *a = &c->worker->server->admission;
    gale__admission_leave(a);
    gale__admission_leave_from(a, c->address_place);
    c->admitted = false;
}

bool gale__accept_source(gale__conn_t *c, const gale__ip_t *source) {
    if (!c->admitted || c->address_place != 0) return true;
    return gale__admission_enter_from(&c->worker->server->admission, source, &c->address_place);
}

/* ------------------------------------------------------------------------------------- accepting */

static void take_in(gale_worker_t *w, gale__conn_t *c, int fd) {
    w->conn_count++; /* until on_closed, whatever comes first */
    int err = c->is_unix ? uv_pipe_init(w->loop, &c->uv.pipe, 0) : uv_tcp_init(w->loop, &c->uv.tcp);
    bool has_handle = err == 0;
    c->uv.handle.data = c;
    if (err == 0) err = c->is_unix ? uv_pipe_open(&c->uv.pipe, fd) : uv_tcp_open(&c->uv.tcp, fd);
    if (err == 0) {
        if (!c->is_unix) uv_tcp_nodelay(&c->uv.tcp, 1);
        gale__conn_open(c);
        return;
    }
    close(fd);
    gale__accept_left(c);
    gale__count(&w->counters, GALE__N_REFUSED, 1);
    c->phase = GALE__PHASE_CLOSED;
    if (has_handle) {
        c->transport->close(c);
    } else {
        gale__conn_closed(c);
    }
}

/* Who counts for max_connections_per_address: not those who speak for others. */
static void whose(const gale_worker_t *w, unsigned kind, const struct sockaddr_storage *from,
                  gale__ip_t *ip) {
    const gale__forwarded_rules_t *rules = &w->server->forwarded;
    gale__address_ip(from, ip);
    if (kind & IS_PROXIED || gale__networks_have(rules->networks, rules->count, ip)) {
        ip->family = GALE__IP_NONE;
    }
}

/* A client at the door: in, or why not. Gives the connection, or null. */
static gale__conn_t *admit(gale_worker_t *w, unsigned kind, int fd,
                           const struct sockaddr_storage *from) {
    gale__admission_t *a = &w->server->admission;
    gale__ip_t ip;
    uint32_t place;
    whose(w, kind, from, &ip);
    if (!gale__admission_enter_from(a, &ip, &place)) {
        gale__count(&w->counters, GALE__N_REFUSED, 1);
        close(fd);
        return NULL;
    }
    bool room = gale__admission_enter(a) || (evict(w) && gale__admission_enter(a));
    gale__conn_t *c = room ? gale__conn_new(w, &gale__transport_stream) : NULL;
    if (c == NULL) {
        if (room) gale__admission_leave(a);
        gale__admission_leave_from(a, place);
        turn_away(w, fd);
        return NULL;
    }
    c->admitted = true;
    c->address_place = place;
    c->is_unix = (kind & IS_UNIX) != 0;
    c->secure = (kind & IS_SECURE) != 0;
    if (kind & IS_PROXIED) c->phase = GALE__PHASE_PROXY;
    take_in(w, c, fd);
    return c;
}

/* --------------------------------------------------------------------------------------- dealing */

/* A client from worker 0. The letter is the descriptor and its kind, so that it takes no memory. */
static void take_dealt(void *arg) {
    gale_worker_t *w = gale__worker_here();
    uintptr_t letter = (uintptr_t)arg;
    int fd = (int)(letter >> KIND_BITS);
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    if (w->state >= GALE__WORKER_CLOSING) {
        close(fd);
        return;
    }
    getpeername(fd, (struct sockaddr *)&from, &len);
    gale__conn_t *c = admit(w, letter & ((1u << KIND_BITS) - 1), fd, &from);
    if (c != NULL && w->state == GALE__WORKER_STOPPING) gale__conn_retire(c, w->drained);
}

/* True when the client is another worker's now. */
static bool deal(gale__accept_point_t *point, int fd) {
    gale_worker_t *w = point->worker;
    gale_server_t *s = w->server;
    gale_worker_t *to = &s->workers[point->turn++ % atomic_load(&s->worker_count)];
    void *letter = (void *)((uintptr_t)fd << KIND_BITS | point->kind);
    return to != w && gale__worker_post(to, take_dealt, letter) >= 0;
}

/* The others learn that no client will come to them any more. */
static void stop_dealing(gale_server_t *s) {
    if (atomic_fetch_sub(&s->dealing, 1) > 1) return;
    unsigned count = atomic_load(&s->worker_count);
    for (unsigned i = 1; i < count; i++) gale__worker_wake(&s->workers[i]);
}

/* ------------------------------------------------------------------------------- at the listener */

static int open_spare(void) {
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_retry(uv_timer_t *t) {
    gale__accept_retry(t->data);
}

/* Nobody is accepted for a moment, so that the loop does not spin on a listener it cannot serve. */
static void pause_all(gale_worker_t *w) {
    for (gale__accept_point_t *p = w->accept_points; p != NULL; p = p->next) uv_poll_stop(&p->poll);
    uv_timer_start(&w->accept_timer, on_retry, RETRY_MS, 0);
}

/* There is no descriptor for the client that waits, if one does: accept does not look at that first.
 * An idle one gives way; or the spare descriptor serves to turn it away; or nothing helps but time.
 * False: no more now. */
static bool without_descriptor(gale__accept_point_t *point) {
    gale_worker_t *w = point->worker;
    struct pollfd door = {.fd = point->fd, .events = POLLIN};
    if (poll(&door, 1, 0) <= 0) return false;
    if (evict(w)) return true;
    if (w->spare_fd >= 0) {
        close(w->spare_fd);
        int fd = accept4(point->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) turn_away(w, fd);
        w->spare_fd = open_spare();
        if (fd >= 0 && w->spare_fd >= 0) return true;
    }
    pause_all(w);
    return false;
}

/* False when that was all for this turn. */
static bool accept_one(gale__accept_point_t *point) {
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int fd = gale__above_standard(
        accept4(point->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd >= 0) {
        if (!point->deals || !deal(point, fd)) admit(point->worker, point->kind, fd, &from);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        return without_descriptor(point);
    case ENOBUFS:
    case ENOMEM:
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        pause_all(point->worker);
        return false;
    default: /* that client has left already, or its network has (accept(2)) */
        return true;
    }
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    gale__accept_point_t *point = poll->data;
    gale_worker_t *before = gale__worker_enter(point->worker);
    (void)events;
    if (status < 0) {
        pause_all(point->worker);
    } else {
        for (int i = 0; i < TURN_ACCEPTS && accept_one(point); i++) {
        }
    }
    gale__worker_leave(before);
}

void gale__accept_retry(gale_worker_t *w) {
    if (w->spare_fd < 0) w->spare_fd = open_spare();
    for (gale__accept_point_t *p = w->accept_points; p != NULL; p = p->next) {
        uv_poll_start(&p->poll, UV_READABLE, on_ready);
    }
}

/* ------------------------------------------------------------------------------ opening, closing */

static uint8_t kind_of(const gale__address_t *a) {
    return (uint8_t)((a->is_unix ? IS_UNIX : 0) | (a->options.proxy ? IS_PROXIED : 0) |
                     (a->options.secure ? IS_SECURE : 0));
}

static int open_point(gale__accept_point_t *point, gale__address_t *a, bool shared, int backlog) {
    gale_worker_t *w = point->worker;
    point->fd = w->index == 0 ? gale__address_take(a, shared) : gale__address_again(a);
    if (point->fd < 0) return point->fd;
    int err = listen(point->fd, backlog) < 0 ? -errno : 0;
    if (err == 0) err = uv_poll_init(w->loop, &point->poll, point->fd);
    if (err < 0) close(point->fd);
    return err;
}

int gale__accept_open(gale_worker_t *w, gale__address_t *a, bool shared, int backlog) {
    bool deals = shared && gale__address_deals(a);
    if (deals && w->index > 0) {
        w->dealt_to = true;
        return 0;
    }
    if (a->options.backlog > 0) backlog = (int)a->options.backlog;
    if (w->accept_points == NULL) w->spare_fd = open_spare();
    gale__accept_point_t *point = gale__calloc(1, sizeof *point);
    if (point == NULL) return UV_ENOMEM;
    point->worker = w;
    point->kind = kind_of(a);
    point->deals = deals;
    int err = open_point(point, a, shared, backlog);
    if (err < 0) {
        gale__free(point);
        return err;
    }
    if (deals) atomic_fetch_add(&w->server->dealing, 1);
    point->poll.data = point;
    w->open_handles++;
    point->next = w->accept_points;
    w->accept_points = point;
    return uv_poll_start(&point->poll, UV_READABLE, on_ready);
}

static void on_point_closed(uv_handle_t *h) {
    gale__accept_point_t *point = h->data;
    gale_worker_t *w = point->worker;
    gale__free(point);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

void gale__accept_close_all(gale_worker_t *w) {
    gale__accept_point_t *point = w->accept_points;
    w->accept_points = NULL;
    uv_timer_stop(&w->accept_timer);
    if (w->spare_fd >= 0) close(w->spare_fd);
    w->spare_fd = -1;
    for (gale__accept_point_t *next; point != NULL; point = next) {
        next = point->next;
        uv_close((uv_handle_t *)&point->poll, on_point_closed);
        close(point->fd);
        if (point->deals) stop_dealing(w->server);
    }
}
