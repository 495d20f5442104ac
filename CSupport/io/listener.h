/* Listening sockets: the URL, the bound address, one accept point a worker. */
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

typedef union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
} gale__accept_handle_t;

typedef struct gale__accept_point {
    struct gale__accept_point *next;
    struct gale_worker_s *worker;
    bool is_unix;
    bool closed;            /* its listening handle is */
    bool refusing, another; /* `refused` is being closed; one more waits for it */
    gale__accept_handle_t uv;
    gale__accept_handle_t refused; /* takes a client for whom there is no memory, and drops it */
} gale__accept_point_t;

/* Starts listening for this worker; `shared` says that other workers listen on the same address. */
int gale__listener_open(struct gale_worker_s *w, gale__address_t *a, bool shared, int backlog);
/* Closes all of a worker's accept points. */
void gale__listener_close_all(struct gale_worker_s *w);

#endif
