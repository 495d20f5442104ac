/* Bound sockets: made from a listen URL, or handed over by who started us. */
#ifndef GALE_IO_ADDRESS_H
#define GALE_IO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ip.h"
#include "listen_url.h"

enum { GALE__WHERE = 256 };

/* A socket that is bound and listens. */
typedef struct {
    int fd; /* -1 once a worker has taken it */
    bool is_unix;
    bool handed; /* its queue belongs to other processes too: nobody may replace it */
    gale__listen_options_t options;
    size_t call; /* which gale_server_listen it came by */
    int port;
    struct sockaddr_storage name;
    socklen_t name_len;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* to unlink; empty if none */
    uint64_t inode; /* of the socket file: only our own is unlinked */
} gale__address_t;

/* Binds and listens: at least one address, at most `room`. Gives their number, or an error, and then
 * `where` (GALE__WHERE bytes) says what could not be bound. */
int gale__address_bind(gale__address_t *list, size_t room, const char *url, int backlog,
                       char *where);
/* Takes a stream socket that is bound to an address; it is closed if it can't be used. */
int gale__address_adopt(gale__address_t *a, int fd, const gale__listen_options_t *options,
                        int backlog);
/*
 * Several workers listen on a TCP port by a socket of their own each, among which the system spreads
 * the clients. Where there can be only one socket, because it is a unix socket or was handed over,
 * worker 0 accepts for all and deals out in turn: if all polled it, whoever is idle and first awake
 * would get most, and the others wake for nothing.
 */
bool gale__address_deals(const gale__address_t *a);
/* The socket itself, for worker 0; `shared` says that other workers listen on the same address. And
 * one more on the same port, bound, for another worker. Or an error. */
int gale__address_take(gale__address_t *a, bool shared);
int gale__address_again(const gale__address_t *a);
/* The name of a unix socket ("@name": in the abstract namespace): its length, or an error. `out` is
 * zeroed. */
int gale__address_unix(struct sockaddr_storage *out, gale_str_t path);
void gale__address_set_port(struct sockaddr_storage *name, int port);
/* The same descriptor, or an error as errno says, but none below 3, which a process without standard
 * streams may get: libuv does not close those. */
int gale__above_standard(int fd);
/* The address in a socket's name; gives the port. */
int gale__address_ip(const struct sockaddr_storage *name, gale__ip_t *ip);
void gale__address_close(gale__address_t *a);

/* The descriptors that systemd, or a parent in its manner, handed to this process under this name
 * (empty: all) and that nobody has taken yet: their number, at most `room`. */
size_t gale__handed_take(gale_str_t name, int *fds, size_t room);

#endif
