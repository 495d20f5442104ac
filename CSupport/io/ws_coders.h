/*
 * A worker's compressors for WebSocket messages (RFC 7692). Sockets that forget their window
 * between messages share one of each kind, and hold nothing. Those that keep it have a pair of
 * their own, as long as all of them stay within ws_deflate_memory.
 */
#ifndef GALE_IO_WS_CODERS_H
#define GALE_IO_WS_CODERS_H

#include "gale.h"
#include "ws_deflate.h"
#include "ws_extensions.h"

enum { GALE__WS_LEAST_BITS = 9, GALE__WS_MOST_BITS = 15 };

typedef struct {
    gale__deflate_t *deflate[GALE__WS_MOST_BITS - GALE__WS_LEAST_BITS + 1]; /* made when needed */
    gale__inflate_t *inflate;
    gale__budget_t memory; /* of all of them; has no limit, since what is kept is reserved below */
    gale__budget_t kept;   /* reserved for windows of sockets' own */
    uint8_t level;
} gale__ws_coders_t;

/* A socket's own pair; each is made when it is first needed. */
typedef struct {
    gale__deflate_t *deflate;
    gale__inflate_t *inflate;
    size_t reserved;
    uint8_t send_bits, receive_bits;
    bool deflate_kept, inflate_kept;
    bool deflate_stale; /* something was sent past it: it must forget what it has seen */
} gale__ws_windows_t;

void gale__ws_coders_init(gale__ws_coders_t *c, const gale_config_t *config);
/* Frees what is shared; all sockets are gone. */
void gale__ws_coders_clear(gale__ws_coders_t *c);

/* The shared ones; null without memory or zlib. Used within one call, never kept. */
gale__deflate_t *gale__ws_coders_deflate(gale__ws_coders_t *c, unsigned window_bits);
gale__inflate_t *gale__ws_coders_inflate(gale__ws_coders_t *c);

/* Reserves what an agreement with takeover may need, for the server's side (a client turns it round);
 * null when there is no more. */
gale__ws_windows_t *gale__ws_windows_new(gale__ws_coders_t *c, const gale__ws_deflate_t *agreed);
/* The socket's own; null when they are not kept, or without memory. */
gale__deflate_t *gale__ws_windows_deflate(gale__ws_coders_t *c, gale__ws_windows_t *w);
gale__inflate_t *gale__ws_windows_inflate(gale__ws_coders_t *c, gale__ws_windows_t *w);
/* Null is allowed. */
void gale__ws_windows_free(gale__ws_coders_t *c, gale__ws_windows_t *w);

/* Compresses a message of either kind into a whole frame with RSV1. `takeover`: as of
 * gale__ws_deflate_message. False when it would not get smaller, or without memory: then it goes
 * as it is. */
bool gale__ws_deflate_frame(gale__deflate_t *d, bool takeover, int kind, gale_str_t message,
                            gale_buf_t *frame);
/* The same once for many receivers: without takeover, for every socket that agreed to a server
 * window of at least 2^window_bits bytes (gale__ws_takes_deflated). On the loop of the worker that
 * `c` is of; the frame may be used on any. */
bool gale__ws_compress(gale__ws_coders_t *c, unsigned window_bits, int kind, gale_str_t message,
                       gale_buf_t *frame);

#endif
