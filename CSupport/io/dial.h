/*
 * A connection from here to a server: its name looked up, its addresses tried in turn, until a
 * socket is connected. What it becomes is its owner's matter.
 */
#ifndef GALE_IO_DIAL_H
#define GALE_IO_DIAL_H

#include <netdb.h>
#include <sys/socket.h>

#include "worker.h"

typedef struct gale__dial gale__dial_t;
typedef struct gale__lookup gale__lookup_t;
typedef struct gale__attempt gale__attempt_t;

/* Begins as {.worker, .data, .done, .trying}; nothing of it outlives gale__dial_stop. */
struct gale__dial {
    gale_worker_t *worker;
    void *data;
    /* Connected: the descriptor is the callee's. Or why not (a system's error, that of the last
     * address). At most once; never within a call of these. */
    void (*done)(gale__dial_t *d, int result);
    /* An address begins to be tried, but for the first of gale__dial_start and the next of _skip. */
    void (*trying)(gale__dial_t *d);
    gale__lookup_t *lookup;        /* while the name is looked up */
    gale__attempt_t *attempt;      /* while an address is tried */
    struct addrinfo *found, *next; /* the answer, and the next of it to try */
    struct sockaddr_storage name;  /* the address tried last */
    uint16_t port;
};

/* Begins: 0, or an error and then nothing was begun. `host` is a name or an address. */
int gale__dial_start(gale__dial_t *d, const char *host, uint16_t port);
/* The same to a unix socket; "@name": in the abstract namespace. */
int gale__dial_start_unix(gale__dial_t *d, gale_str_t path);
/* Addresses that may be tried from now on, the present one included; 0 while the name is looked
 * up. */
unsigned gale__dial_left(const gale__dial_t *d);
/* Gives the present address up for the next; false when there is none. */
bool gale__dial_skip(gale__dial_t *d);
/* Ends it, whatever it is at; `done` is not called any more. */
void gale__dial_stop(gale__dial_t *d);

#endif
