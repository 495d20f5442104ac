/*
 * Accepting: a listening socket of one worker. Gale accepts by itself rather than by libuv's stream,
 * so that a storm of clients takes only its share of a turn, and so that it does not spin when there
 * are no descriptors left.
 */
#ifndef GALE_IO_ACCEPT_POINT_H
#define GALE_IO_ACCEPT_POINT_H

#include <stdbool.h>
#include <uv.h>

#include "address.h"
#include "worker.h"

struct gale__accept_point {
    struct gale__accept_point *next;
    gale_worker_t *worker;
    int fd;
    uint8_t kind;  /* what its clients are: bits of accept_point.c */
    bool deals;    /* its clients go to all workers in turn */
    unsigned turn; /* who gets the next one */
    uv_poll_t poll;
};

/* Starts listening for this worker; `shared` says that others listen on the same address. */
int gale__accept_open(gale_worker_t *w, gale__address_t *a, bool shared, int backlog);
/* Listens again after there were no descriptors. */
void gale__accept_retry(gale_worker_t *w);
/* Closes all of a worker's accept points. */
void gale__accept_close_all(gale_worker_t *w);
/* The PROXY header names the client: it counts among those of its address. False when there are as
 * many as may be. */
bool gale__accept_source(gale__conn_t *c, const gale__ip_t *source);
/* A connection is being torn down: it no longer counts. */
void gale__accept_left(gale__conn_t *c);

#endif
