/* Whom the server takes the client for. */
#ifndef ECHO_CLIENT_H
#define ECHO_CLIENT_H

#include <gale.h>

/* Answers with {"address", "port", "peer", "scheme", "host", "same_origin", "worker"}. */
void echo_client(gale_req_t *req);

#endif
