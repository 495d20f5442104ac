/* /broadcast: a WebSocket on which each message goes to all sockets, the sender's included, on
 * every worker. */
#ifndef ECHO_BROADCAST_H
#define ECHO_BROADCAST_H

#include <gale.h>

/* Takes a request among them. */
void broadcast_join(gale_req_t *req, gale_server_t *server);

#endif
