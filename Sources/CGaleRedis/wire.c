#include "wire.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "memory.h"
#include "replies.h"

enum { READ_SIZE = 65536 };

typedef enum { RESOLVING, CONNECTING, OPEN, FAILED, CLOSED } state_t;

/* Bytes that wait. */
typedef struct {
    char *bytes;
    size_t len, room;
} buffer_t;

struct gale_wire_s {
    uv_loop_t *loop;
    const gale_wire_events_t *events;
    void *data;
    gale__replies_t replies;
    state_t state;
    char error[192];
    /* What libuv still holds: it is freed when it holds nothing. */
    bool resolving, has_stream;
    int helpers; /* `flush` and `later` */

    uv_getaddrinfo_t lookup;
    struct addrinfo *found, *next; /* addresses that were found, and the one to try */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } to;
    uv_connect_t connect;
    uv_write_t write;
    bool writing;
    buffer_t out, written; /* what is gathered in this turn; what the system is being given */
    uv_prepare_t flush;    /* before the loop waits */
    uv_timer_t later;      /* for `failed`, which never comes from within a call */
    char *in;
};

/* ----------------------------------------------------------------------------------------- ends */

static void release(gale_wire_t *w) {
    if (w->state != CLOSED || w->resolving || w->has_stream || w->helpers > 0) return;
    if (w->found != NULL) uv_freeaddrinfo(w->found);
    gale__replies_clear(&w->replies);
    gale__redis_free(w->out.bytes);
    gale__redis_free(w->written.bytes);
    gale__redis_free(w->in);
    gale__redis_free(w);
}

static void on_helper_closed(uv_handle_t *h) {
    gale_wire_t *w = h->data;
    w->helpers--;
    release(w);
}

static void on_failed(uv_timer_t *t) {
    gale_wire_t *w = t->data;
    w->events->failed(w->data);
}

static void fail(gale_wire_t *w, const char *doing, const char *why) {
    if (w->state >= FAILED) return;
    w->state = FAILED;
    snprintf(w->error, sizeof w->error, "%s%s%s", doing, *doing != '\0' ? ": " : "", why);
    if (w->has_stream) uv_read_stop(&w->to.stream);
    uv_timer_start(&w->later, on_failed, 0, 0);
}

/* --------------------------------------------------------------------------------------- reading */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    gale_wire_t *w = h->data;
    *buf = uv_buf_init(w->in, READ_SIZE);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
    gale_wire_t *w = s->data;
    if (n == 0 || w->state != OPEN) return;
    if (n == UV_EOF) {
        fail(w, "", "Redis has ended the connection");
    } else if (n < 0) {
        fail(w, "cannot read", uv_strerror((int)n));
    } else if (!gale__replies_feed(&w->replies, buf->base, (size_t)n)) {
        fail(w, "cannot read", gale__replies_error(&w->replies));
    } else {
        w->events->came(w->data);
    }
}

gale_reply_t *gale_wire_next(gale_wire_t *w) {
    redisReply *reply = NULL;
    if (w->state != OPEN) return NULL;
    int found = gale__replies_next(&w->replies, &reply);
    if (found < 0) fail(w, "cannot understand Redis", gale__replies_error(&w->replies));
    return found > 0 ? (gale_reply_t *)reply : NULL;
}

/* --------------------------------------------------------------------------------------- writing */

static bool gather(buffer_t *b, const void *bytes, size_t len) {
    if (len > b->room - b->len) {
        size_t room = b->room < 512 ? 1024 : b->room * 2;
        if (room < b->len + len) room = b->len + len;
        char *larger = gale__redis_realloc(b->bytes, room);
        if (larger == NULL) return false;
        b->bytes = larger;
        b->room = room;
    }
    if (len > 0) memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
    return true;
}

/* A burst's memory is not kept for ever. */
static void empty(buffer_t *b) {
    b->len = 0;
    if (b->room <= READ_SIZE) return;
    gale__redis_free(b->bytes);
    *b = (buffer_t){0};
}

static void on_written(uv_write_t *request, int status);

static void flush(gale_wire_t *w) {
    if (w->writing || w->out.len == 0 || w->state != OPEN) return;
    uv_buf_t buf = uv_buf_init(w->out.bytes, (unsigned)w->out.len);
    int n = uv_try_write(&w->to.stream, &buf, 1);
    if (n < 0 && n != UV_EAGAIN) {
        fail(w, "cannot write", uv_strerror(n));
        return;
    }
    size_t sent = n > 0 ? (size_t)n : 0;
    if (sent == w->out.len) {
        empty(&w->out);
        return;
    }
    buffer_t spare = w->written;
    w->written = w->out;
    w->out = spare;
    buf = uv_buf_init(w->written.bytes + sent, (unsigned)(w->written.len - sent));
    n = uv_write(&w->write, &w->to.stream, &buf, 1, on_written);
    w->writing = n == 0;
    if (n < 0) fail(w, "cannot write", uv_strerror(n));
}

static void on_written(uv_write_t *request, int status) {
    gale_wire_t *w = request->data;
    w->writing = false;
    empty(&w->written);
    if (status < 0) {
        fail(w, "cannot write", uv_strerror(status));
    } else {
        flush(w);
    }
}

static void on_flush(uv_prepare_t *p) {
    uv_prepare_stop(p);
    flush(p->data);
}

int gale_wire_send(gale_wire_t *w, const void *bytes, size_t len) {
    if (w->state != OPEN) return UV_ENOTCONN;
    /* libuv counts the bytes of one buffer in 32 bits. */
    if (len > INT32_MAX - w->out.len) return UV_ENOMEM;
    if (!gather(&w->out, bytes, len)) return UV_ENOMEM;
    if (!w->writing) uv_prepare_start(&w->flush, on_flush);
    return 0;
}

/* ------------------------------------------------------------------------------------ connecting */

static void try_next(gale_wire_t *w, int err);

static void on_stream_closed(uv_handle_t *h) {
    gale_wire_t *w = h->data;
    w->has_stream = false;
    if (w->state == CONNECTING) {
        try_next(w, UV_ECONNREFUSED);
    } else {
        release(w);
    }
}

static void on_connected(uv_connect_t *request, int status) {
    gale_wire_t *w = request->data;
    if (w->state != CONNECTING) return;
    if (status < 0 && w->next != NULL) {
        uv_close(&w->to.handle, on_stream_closed); /* the next address needs a new socket */
        return;
    }
    if (status == 0) status = uv_read_start(&w->to.stream, on_alloc, on_read);
    if (status < 0) {
        fail(w, "cannot connect", uv_strerror(status));
        return;
    }
    if (w->to.handle.type == UV_TCP) {
        uv_tcp_nodelay(&w->to.tcp, 1);
        uv_tcp_keepalive(&w->to.tcp, 1, 30);
    }
    w->state = OPEN;
    w->events->opened(w->data);
}

static int connect_tcp(gale_wire_t *w, const struct sockaddr *address) {
    int err = uv_tcp_init(w->loop, &w->to.tcp);
    if (err < 0) return err;
    w->has_stream = true;
    w->to.handle.data = w;
    return uv_tcp_connect(&w->connect, &w->to.tcp, address, on_connected);
}

/* Tries the addresses that are left; `err` is what became of the one before. */
static void try_next(gale_wire_t *w, int err) {
    while (w->next != NULL && !w->has_stream) {
        struct addrinfo *a = w->next;
        w->next = a->ai_next;
        err = connect_tcp(w, a->ai_addr);
        if (err == 0) return;
        if (w->has_stream && w->next != NULL) {
            uv_close(&w->to.handle, on_stream_closed);
            return;
        }
    }
    fail(w, "cannot connect", uv_strerror(err));
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    gale_wire_t *w = request->data;
    w->resolving = false;
    w->found = found;
    if (w->state == CLOSED) {
        release(w);
    } else if (status < 0) {
        fail(w, "cannot find the host", uv_strerror(status));
    } else {
        w->state = CONNECTING;
        w->next = found;
        try_next(w, UV_EAI_NODATA);
    }
}

static int resolve(gale_wire_t *w, const char *host, int port) {
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    w->lookup.data = w;
    w->state = RESOLVING;
    int err = uv_getaddrinfo(w->loop, &w->lookup, on_resolved, host, service, &hints);
    w->resolving = err == 0;
    return err;
}

static int connect_any(gale_wire_t *w, const char *host, int port) {
    struct sockaddr_storage address;
    w->state = CONNECTING;
    if (port == 0) {
        int err = uv_pipe_init(w->loop, &w->to.pipe, 0);
        if (err < 0) return err;
        w->has_stream = true;
        w->to.handle.data = w;
        uv_pipe_connect(&w->connect, &w->to.pipe, host, on_connected);
        return 0;
    }
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) == 0 ||
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) == 0)
        return connect_tcp(w, (struct sockaddr *)&address);
    return resolve(w, host, port);
}

/* ------------------------------------------------------------------------------------------ life */

static gale_wire_t *make(uv_loop_t *loop, gale_wire_limits_t limits) {
    gale_wire_t *w = gale__redis_realloc(NULL, sizeof *w);
    if (w == NULL) return NULL;
    memset(w, 0, sizeof *w);
    w->loop = loop;
    w->in = gale__redis_realloc(NULL, READ_SIZE);
    if (w->in == NULL || !gale__replies_init(&w->replies, limits)) {
        gale__redis_free(w->in);
        gale__redis_free(w);
        return NULL;
    }
    uv_prepare_init(loop, &w->flush); /* these cannot fail */
    uv_timer_init(loop, &w->later);
    w->helpers = 2;
    w->flush.data = w->later.data = w->connect.data = w->write.data = w;
    return w;
}

int gale_wire_open(gale_wire_t **out, void *uv_loop, const char *host, int port,
                   gale_wire_limits_t limits, const gale_wire_events_t *events, void *data) {
    gale_wire_t *w = make(uv_loop, limits);
    if (w == NULL) return UV_ENOMEM;
    w->events = events;
    w->data = data;
    int err = connect_any(w, host, port);
    if (err < 0) {
        gale_wire_close(w);
        return err;
    }
    *out = w;
    return 0;
}

const char *gale_wire_error(const gale_wire_t *w) {
    return w->error;
}

void gale_wire_close(gale_wire_t *w) {
    if (w->state == CLOSED) return;
    flush(w); /* as much as the system takes at once */
    w->state = CLOSED;
    if (w->resolving) uv_cancel((uv_req_t *)&w->lookup);
    if (w->has_stream && !uv_is_closing(&w->to.handle)) uv_close(&w->to.handle, on_stream_closed);
    uv_close((uv_handle_t *)&w->flush, on_helper_closed);
    uv_close((uv_handle_t *)&w->later, on_helper_closed);
}
