/*
 * A connection: one client (or a server, whose client this process is), its transport, what it has
 * sent and not yet been processed, what waits to be sent to it. It knows phases and deadlines; what
 * the bytes mean is http1's and ws's matter. Idle, it owns no buffer.
 */
#ifndef GALE_IO_CONNECTION_H
#define GALE_IO_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "exchange.h"
#include "ip.h"
#include "worker.h"

/* What a connection needs of its transport: libuv stream, or the in-memory peer. */
typedef struct {
    /* Bytes the system took at once, UV_EAGAIN, or another error. */
    long (*try_write)(gale__conn_t *c, const uv_buf_t *parts, unsigned count);
    /* Queues what try_write refused; gale__conn_written follows. */
    int (*write)(gale__conn_t *c, gale__backlog_t *b);
    size_t (*queued)(const gale__conn_t *c);
    /* What is queued, and what the system holds and the client has not taken yet. */
    size_t (*untaken)(const gale__conn_t *c);
    int (*read_start)(gale__conn_t *c);
    void (*read_stop)(gale__conn_t *c);
    void (*shutdown)(gale__conn_t *c);
    /* gale__conn_closed follows, later. */
    void (*close)(gale__conn_t *c);
    /* Whose the other end is; gives the port (0 without one) or an error. */
    int (*peer)(const gale__conn_t *c, gale__ip_t *ip);
    /* Whether bytes have come that were not read yet. */
    bool (*has_input)(const gale__conn_t *c);
    /* The next four are null where there is no sendfile. As try_write, for what more follows at
     * once, so that it is worth waiting for before a packet goes. */
    long (*try_cork)(gale__conn_t *c, const uv_buf_t *parts, unsigned count);
    /* Sends bytes of a file behind all that was written: as try_write, 0 at the file's end. */
    long (*send_file)(gale__conn_t *c, int fd, uint64_t offset, size_t n);
    int (*descriptor)(const gale__conn_t *c); /* of the socket */
    /* Until it is told otherwise the system sends full packets only, over all calls. */
    void (*cork)(gale__conn_t *c, bool on);
} gale__transport_t;

typedef enum {
    GALE__PHASE_HEAD,   /* between requests, or within a head */
    GALE__PHASE_BODY,   /* a body is coming */
    GALE__PHASE_ANSWER, /* the request is complete, the response is not; the last that is HTTP's */
    GALE__PHASE_PROXY,  /* before the first request, a PROXY header is coming */
    GALE__PHASE_WS,
    GALE__PHASE_TUNNEL,
    GALE__PHASE_CONNECT, /* this process is the client: until its WebSocket is open */
    GALE__PHASE_LINGER,  /* the last response is out; what the client still sends is thrown away */
    GALE__PHASE_CLOSED
} gale__phase_t;

typedef enum {
    GALE__DEADLINE_NONE,
    GALE__DEADLINE_HEADER,
    GALE__DEADLINE_BODY,
    GALE__DEADLINE_IDLE,
    GALE__DEADLINE_WRITE,
    GALE__DEADLINE_LINGER,
    GALE__DEADLINE_WS_CLOSE,
    GALE__DEADLINE_WS_WATCH,
    GALE__DEADLINE_HEARTBEAT,
    GALE__DEADLINE_TUNNEL,
    GALE__DEADLINE_CONNECT
} gale__deadline_t;

/* How long a client has to take its last answer and leave. */
enum { GALE__LINGER_MS = 2000 };

/* What one client may ask for in one turn of the loop, so that a flood of tiny requests does not
 * starve the others: a message or a piece of a body is 1, a request GALE__REQUEST_WORK. */
enum { GALE__TURN_WORK = 256, GALE__REQUEST_WORK = 4 };

struct gale__conn {
    gale_worker_t *worker;
    const gale__transport_t *transport;
    gale__conn_t *next, *prev; /* of the worker's open ones, or its free list */
    gale__conn_t *dirty_next;
    gale_req_t *req; /* the open exchange */
    union {          /* what it became when it ceased to speak HTTP, if it did */
        gale_ws_t *ws;
        gale_tunnel_t *tunnel;
    };
    gale__proxied_t *proxied; /* whose it is, by a PROXY header; else null */
    gale__outbox_t *out;
    gale__block_t *in; /* bytes that wait: [in_start, in_end) */
    uint32_t in_start, in_end;
    gale__wheel_entry_t timer;
    size_t untaken;         /* at the last look of the write deadline */
    uint64_t due_us;        /* until when what has moved is enough */
    uint32_t opened_ms;     /* wraps; for its age */
    uint32_t served;        /* requests */
    uint32_t linger_bytes;  /* still accepted while lingering */
    uint32_t depth;         /* of callbacks on the stack that will settle it */
    uint32_t address_place; /* in the server's tally of addresses; 0: not counted */
    int cut_reason;
    uint16_t turn_left; /* of GALE__TURN_WORK */
    uint8_t phase;
    uint8_t deadline;
    uint8_t backlogs; /* 1 while writes are queued */
    bool reading : 1;
    bool paused : 1;
    bool eof : 1; /* the client shut down its sending side */
    bool keep_alive : 1;
    bool close_when_flushed : 1;
    bool shut : 1;
    bool dirty : 1;
    bool is_unix : 1;
    bool settling : 1;
    bool cut_due : 1;  /* settle will tear it down */
    bool fresh : 1;    /* no byte has come yet */
    bool secure : 1;   /* what comes over it is https */
    bool admitted : 1; /* counts among the server's connections */
    bool tunneled : 1; /* it became a tunnel */
    bool dialed : 1;   /* this process is the client */
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
        gale_peer_t *peer;
    } uv;
};

gale__conn_t *gale__conn_new(gale_worker_t *w, const gale__transport_t *t);
/* It is connected: reads and deadlines begin. */
void gale__conn_open(gale__conn_t *c);
/* It is to be connected to a server, by whoever sets its phase: deadlines begin. */
void gale__conn_begin(gale__conn_t *c);
/* Gives back one that never opened, or whose transport is closed. */
void gale__conn_closed(gale__conn_t *c);

/* From the transport. */
char *gale__conn_room(gale__conn_t *c, size_t *size);
void gale__conn_read(gale__conn_t *c, char *bytes, size_t n);
void gale__conn_eof(gale__conn_t *c);
void gale__conn_broken(gale__conn_t *c, int reason);
void gale__conn_written(gale__conn_t *c, gale__backlog_t *b, int status);
void gale__conn_expired(gale__conn_t *c);

/* Deadlines and pace. */
void gale__conn_set_deadline(gale__conn_t *c, gale__deadline_t kind, uint64_t ms);
void gale__conn_choose_deadline(gale__conn_t *c);
/* Bytes of a head or body that did not end with them. */
void gale__conn_received(gale__conn_t *c, size_t n);
/* The server stops: a head that is arriving has only a moment left. */
void gale__conn_hurry_head(gale__conn_t *c);
/* Whether it should take no more requests, by their number or its age. */
bool gale__conn_is_worn(const gale__conn_t *c);

static inline void gale__conn_work(gale__conn_t *c, uint16_t work) {
    c->turn_left = c->turn_left > work ? c->turn_left - work : 0;
}

/* Output. Each gives 0 or an error (then the connection is broken). */
char *gale__conn_reserve(gale__conn_t *c, size_t n);
int gale__conn_write(gale__conn_t *c, gale_str_t bytes);
int gale__conn_write_buf(gale__conn_t *c, gale_buf_t buf);
int gale__conn_flush(gale__conn_t *c);
/* Flushes and sends bytes of a file, for transports that have send_file. The bytes sent, 0 at the
 * file's end; UV_EAGAIN: the client must take some first; or another error. */
long gale__conn_send_file(gale__conn_t *c, int fd, uint64_t offset, size_t n);
static inline size_t gale__conn_queued(const gale__conn_t *c) {
    size_t n = c->out == NULL ? 0 : c->out->bytes;
    return c->backlogs == 0 ? n : n + c->transport->queued(c);
}
/* After a write of the application's: 0; 1 above high water; GALE_ELIMIT, and it is cut. */
int gale__conn_pressure(gale__conn_t *c);

/* Someone changed its state outside of its own callback: settle it before the loop waits. */
void gale__conn_touch(gale__conn_t *c);
void gale__conn_settle(gale__conn_t *c);
/* Sends what is queued, then closes gently: a FIN, a bounded wait for the client's. */
void gale__conn_linger(gale__conn_t *c);
/* Closes now; reason goes to on_done or decides the close code. */
void gale__conn_cut(gale__conn_t *c, int reason);
/* The server stops: idle ones close (unless told to be left, or bytes have come), sockets get 1001, others end after their request. */
void gale__conn_retire(gale__conn_t *c, bool idle_too);

extern const gale__transport_t gale__transport_stream;

#endif
