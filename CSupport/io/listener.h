/* Listening sockets: the URL, the bound address, a descriptor of it for each worker. */
#ifndef GALE_IO_LISTENER_H
#define GALE_IO_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include "gale.h"

/* A bound socket. Worker 0 listens on fd itself; the others on sockets of their own (TCP) or on
 * duplicates (unix). */
typedef struct {
    int fd; /* -1 once a worker has taken it */
    bool is_unix;
    int port;
    struct sockaddr_storage name;
    socklen_t name_len;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* to unlink; empty if none */
    uint64_t inode; /* of the socket file: only our own is unlinked */
} gale__address_t;

/* Parses, binds and listens. On failure `where` (256 bytes) says what could not be bound. */
int gale__address_bind(gale__address_t *a, const char *url, int backlog, char *where);
void gale__address_close(gale__address_t *a);

/* The socket that this worker listens on, bound and, for worker 0, listening; or an error. `shared`
 * says that other workers listen on the same address. */
int gale__address_fd(gale__address_t *a, const struct gale_worker_s *w, bool shared);

#endif
