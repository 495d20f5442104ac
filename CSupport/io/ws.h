/* WebSocket on a connection (RFC 6455): handshake, messages, the closing handshake. */
#ifndef GALE_IO_WS_H
#define GALE_IO_WS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "server.h"
#include "utf8.h"
#include "ws_frame.h"

typedef struct gale__ws_connecting gale__ws_connecting_t;

/* A message that has not come whole. */
typedef struct {
    size_t len, cap;
    char bytes[];
} gale__ws_message_t;

struct gale_ws_s {
    gale__conn_t *conn;
    void *data;
    const gale_ws_handler_t *handler; /* of gale__ws_tables_take */
    gale__ws_message_t *message;      /* null: nothing of one is kept */
    gale__ws_windows_t *windows;      /* of its own, with takeover; else null */
    gale__reader_t *reader;           /* null until it subscribes to a topic */
    char *reason;                     /* of the peer's close frame, or a pong's payload */
    uint64_t frame_left;              /* payload bytes of the present data frame still to come */
    uint32_t ref_slot;
    uint32_t pinged_ms;  /* when the last ping went out of itself, or it was opened; wraps */
    uint32_t message_ms; /* when a message last came or went; wraps */
    gale__utf8_t utf8;
    uint8_t mask[4];
    uint16_t close_code;
    uint8_t mask_at;      /* which of its bytes is next */
    uint8_t message_kind; /* 0: none is open */
    uint8_t reason_len;
    uint8_t frame_rules; /* GALE__WS_ALLOW_RSV1, GALE__WS_FROM_SERVER */
    uint8_t send_bits;   /* of the window for what is sent compressed; 0: no permessage-deflate */
    bool frame_fin : 1;
    bool frame_open : 1;
    bool close_sent : 1;
    bool want_drain : 1;
    bool compressed : 1; /* the open message */
    bool pong_due : 1;   /* `reason` is its payload */
    bool unheard : 1;    /* no byte has come since the ping of pinged_ms */
    bool client : 1;     /* this process opened it: it is a gale__ws_client_t */
};

/* Idle sockets are many. */
_Static_assert(sizeof(struct gale_ws_s) <= 104, "a WebSocket must not grow");

/* One that this process opened; see ws_connect.h. */
typedef struct {
    struct gale_ws_s ws;
    gale__ws_connecting_t *connecting; /* null once it is open */
    gale_config_t config;              /* the server's, but for what gale_ws_connect was told */
} gale__ws_client_t;

static inline gale__ws_client_t *gale__ws_client(const gale_ws_t *ws) {
    return (gale__ws_client_t *)ws;
}

static inline const gale_config_t *gale__ws_config(const gale_ws_t *ws) {
    return ws->client ? &gale__ws_client(ws)->config : &ws->conn->worker->server->config;
}

/* The subprotocols that a request offers, one after the other; begins with the request alone. */
typedef struct {
    const gale_req_t *req;
    uint32_t field; /* the next one to look at */
    gale_str_t list;
} gale__ws_offers_t;
bool gale__ws_offers_next(gale__ws_offers_t *o, gale_str_t *name);

/* The handshake; see ws_accept.c. */
int gale__ws_accept(gale_req_t *r, const gale_ws_handler_t *h, void *data,
                    const gale_ws_options_t *options, gale_ws_t **out);

/* Sending; see ws_send.c. */
int gale__ws_send(gale_ws_t *ws, int kind, gale_str_t bytes);
int gale__ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t buf);
int gale__ws_control(gale_ws_t *ws, int opcode, gale_str_t payload);
/* Of a client: a frame by its unmasked head and its payload, or a whole unmasked one, with a key of
 * its own. What is given stays as it is. */
int gale__ws_write_masked(gale_ws_t *ws, gale_str_t head, gale_str_t payload);
int gale__ws_write_masked_frame(gale_ws_t *ws, gale_str_t frame);
/* Whether the kind is one, with or without GALE_WS_PLAIN. */
bool gale__ws_is_kind(int kind);
/* Whether it can be sent what gale__ws_compress makes with so many bits. */
static inline bool gale__ws_takes_deflated(const gale_ws_t *ws, unsigned window_bits) {
    return ws->send_bits >= window_bits;
}

/* Closing. */
int gale__ws_close(gale_ws_t *ws, int code, gale_str_t reason);
/* The peer broke the protocol, or cannot be served: it is told why, nothing more it says is looked
 * at. */
void gale__ws_fail(gale_ws_t *ws, int code, const char *why);
/* Tells a client that takes a topic's messages too slowly, and ends its subscriptions. */
void gale__ws_too_slow(gale_ws_t *ws);
/* Bytes that wait, of topics too. */
size_t gale__ws_queued(const gale_ws_t *ws);
void gale__ws_drained(gale_ws_t *ws);
/* The connection is gone: on_close, then free. */
void gale__ws_gone(gale_ws_t *ws, int reason);

/* Receiving. */
size_t gale__ws_feed(gale__conn_t *c, char *bytes, size_t len);
/* A whole compressed message: inflates and delivers it, or fails. */
void gale__ws_inflate(gale_ws_t *ws, int kind, gale_str_t payload);
void gale__ws_deliver(gale_ws_t *ws, int kind, gale_str_t bytes);

/* Pings and idleness; see ws_watch.c. Milliseconds until it is to be looked at, 0: never. */
uint32_t gale__ws_watch_due(const gale_ws_t *ws);
/* It is due: sends a ping or closes. */
void gale__ws_watch(gale_ws_t *ws);

#endif
