/*
 * One connection to Redis on a uv loop: name, address, bytes out, replies in.
 *
 * hiredis reads the replies. Its asynchronous context is not used: it looks names up while the loop
 * waits, asserts what a peer sends, and keeps as much of it as comes. All functions are for the
 * loop's thread, and none blocks.
 */
#ifndef GALE_REDIS_WIRE_H
#define GALE_REDIS_WIRE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gale_wire_s gale_wire_t;   /* a connection */
typedef struct gale_reply_s gale_reply_t; /* what came over it: hiredis' redisReply */

/* Called on the loop; none within gale_wire_open or gale_wire_send. */
typedef struct gale_wire_events_s {
    void (*opened)(void *data);
    /* Bytes have come: gale_wire_next until it gives nothing. */
    void (*came)(void *data);
    /* It is over (gale_wire_error says why), and gale_wire_close must follow. Once. */
    void (*failed)(void *data);
} gale_wire_events_t;

/* How large one reply may be: its bytes, and the elements of its arrays, all told. */
typedef struct gale_wire_limits_s {
    size_t bytes;
    size_t elements;
} gale_wire_limits_t;

/* Begins to connect to a host's name or address; port 0: `host` is the path of a unix socket.
 * Addresses of the name are tried in turn. 0 and a wire that gale_wire_close ends, or libuv's error
 * and none. `events` must outlive it; `data` is handed to them. */
int gale_wire_open(gale_wire_t **out, void *uv_loop, const char *host, int port,
                   gale_wire_limits_t limits, const gale_wire_events_t *events, void *data);

/* Sends the bytes, copied, with all others of this turn of the loop. 0, or UV_ENOMEM, or UV_ENOTCONN
 * before `opened` and after `failed`. */
int gale_wire_send(gale_wire_t *wire, const void *bytes, size_t len);

/* The next reply, for gale_reply_free; null: none is complete yet, or the wire has just failed, which
 * `failed` is called for soon. */
gale_reply_t *gale_wire_next(gale_wire_t *wire);

/* Why it failed, in words; "" while it hasn't. */
const char *gale_wire_error(const gale_wire_t *wire);

/* Ends it: what was sent goes as far as the system takes it at once, no event comes any more, and it frees itself when libuv has let go of it. */
void gale_wire_close(gale_wire_t *wire);

typedef enum gale_reply_kind_e {
    GALE_REPLY_NULL,
    GALE_REPLY_INTEGER,
    GALE_REPLY_STRING,
    GALE_REPLY_STATUS,
    GALE_REPLY_ERROR,
    GALE_REPLY_ARRAY
} gale_reply_kind_t;

gale_reply_kind_t gale_reply_kind(const gale_reply_t *reply);
long long gale_reply_integer(const gale_reply_t *reply);
/* The bytes of a string, status or error, and how many; null with 0. */
const char *gale_reply_bytes(const gale_reply_t *reply, size_t *len);
/* The elements of an array: how many, and the index-th, null beyond them. */
size_t gale_reply_count(const gale_reply_t *reply);
const gale_reply_t *gale_reply_at(const gale_reply_t *reply, size_t index);
void gale_reply_free(gale_reply_t *reply);

#endif
