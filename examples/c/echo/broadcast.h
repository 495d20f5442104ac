/* /broadcast: a WebSocket on which each message goes to all sockets, the sender's included, on
 * every worker. */
#ifndef ECHO_BROADCAST_H
#define ECHO_BROADCAST_H

#include <gale.h>

/* The room of a worker: made by its on_worker_start, freed by its on_worker_stop. */
void broadcast_worker_start(gale_worker_t *worker, void *server);
void broadcast_worker_stop(gale_worker_t *worker, void *server);

/* Takes a request into the room. */
void broadcast_join(gale_req_t *req, gale_server_t *server);

#endif
