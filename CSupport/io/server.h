/* The server object: configuration, callbacks, bound sockets, workers. Set up on one thread; then
 * read by its workers. */
#ifndef GALE_IO_SERVER_H
#define GALE_IO_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "address.h"
#include "admission.h"
#include "forwarded.h"
#include "siphash.h"
#include "worker.h"

enum { GALE__MAX_LISTENERS = 32, GALE__MAX_WORKERS = 256 };

typedef enum { GALE__SERVER_NEW, GALE__SERVER_RUNNING, GALE__SERVER_STOPPED } gale__server_state_t;

struct gale_server_s {
    gale_config_t config;
    gale_handler_t handler;
    gale__admission_t admission;
    void *handler_data;
    gale__network_t *trusted; /* config.trusted_proxies */
    gale__forwarded_rules_t forwarded;
    gale__sip_key_t topic_secret;
    bool has_handler;
    bool own_threads; /* gale_server_start made them */
    bool attached;
    atomic_bool in_run; /* gale_server_run was called; it may have returned */
    /* Of an attached server, or one in gale_server_run: gale_server_free was called, or it ended. */
    atomic_bool half_gone;
    atomic_int state;
    _Atomic uint64_t spooled; /* bytes of temporary files */
    atomic_uint stops;        /* calls of gale_server_stop */
    gale__address_t address[GALE__MAX_LISTENERS];
    size_t address_count;
    size_t listens; /* calls that were successful */
    gale_worker_t *workers;
    atomic_uint dealing;      /* accept points that deal out clients */
    atomic_uint worker_count; /* those that can be posted to; 0 before run */
    /* Held until all threads are there: none runs before, as its callbacks may free the server. */
    pthread_mutex_t starting;
    bool given_up; /* under `starting`: a thread could not be made, the others end at once */
    pthread_t *threads;
    size_t thread_count;
    char errmsg[256];
};

/* Null without memory. */
gale_server_t *gale__server_make(const gale_config_t *config);
/* Whether there is one, also one whose loop has yet to give it back. */
bool gale__server_any(void);
/* Keeps the sentence for gale_server_errmsg and gives `err`. */
int gale__server_fail(gale_server_t *s, int err, const char *what, const char *where);
/* Stops and joins what runs, then frees; of an attached server that still runs: as its
 * loop closes. */
void gale__server_destroy(gale_server_t *s);

int gale__server_run(gale_server_t *s);
int gale__server_start(gale_server_t *s);
int gale__server_join(gale_server_t *s);
int gale__server_attach(gale_server_t *s, uv_loop_t *loop);
void gale__server_stop(gale_server_t *s);
/* An attached server's last handle is closed, or gale_server_run returns: the server may be gone. */
void gale__server_worker_ended(gale_server_t *s);

#endif
