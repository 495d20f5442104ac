/* A tunnel: a connection that ceased to speak HTTP and carries the bytes of two applications (RFC
 * 9110 7.8, 9.3.6). */
#ifndef GALE_IO_TUNNEL_H
#define GALE_IO_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"

struct gale_tunnel_s {
    gale__conn_t *conn;
    void *data;
    gale_tunnel_handler_t handler;
    uint64_t active_ms; /* when a byte last went either way */
    uint32_t ref_slot;
    bool want_drain : 1;
    bool ended : 1;        /* by the handler; a FIN follows what is queued */
    bool client_ended : 1; /* and the handler knows */
};

int gale__tunnel_accept(gale_req_t *r, gale_str_t protocol, const gale_tunnel_handler_t *h,
                        void *data, const gale_header_t *headers, size_t n, gale_tunnel_t **out);
/* Whether the request asks for this protocol by Upgrade, and may (gale_req_wants_upgrade). */
bool gale__tunnel_wanted(const gale_req_t *r, gale_str_t protocol);
size_t gale__tunnel_feed(gale__conn_t *c, const char *bytes, size_t len);
int gale__tunnel_write(gale_tunnel_t *t, gale_str_t bytes);
int gale__tunnel_write_buf(gale_tunnel_t *t, gale_buf_t buf);
int gale__tunnel_end(gale_tunnel_t *t);
void gale__tunnel_drained(gale_tunnel_t *t);
/* The ends of both directions, when all before them is done. True when the handler was told. */
bool gale__tunnel_settle(gale_tunnel_t *t);
/* The idle deadline has come: milliseconds that are left of it, as bytes went meanwhile, or 0. */
uint64_t gale__tunnel_idle_left(const gale_tunnel_t *t);
/* The server stops. */
void gale__tunnel_stop(gale_tunnel_t *t);
/* The connection is gone: on_close, then free. */
void gale__tunnel_gone(gale_tunnel_t *t, int reason);

#endif
