/*
 * Real sockets for tests: a server on threads of its own, blocking clients with timeouts. A read
 * that waits longer than five seconds is a failed test, not one that hangs.
 */
#ifndef GALE_TESTS_RIG_SOCKET_H
#define GALE_TESTS_RIG_SOCKET_H

#include "rig.h"

/* Makes a server with this handler (null: answers "hello"), listens on `url` and starts it. Null on failure. */
gale_server_t *live_start(const gale_config_t *config, const gale_handler_t *handler, void *data,
                          const char *url);
/* Stops, joins and frees. */
void live_end(gale_server_t *server);

/* A connected client of 127.0.0.1:port, or -1. */
int sock_connect(int port);
int sock_connect_unix(const char *path);
int sock_connect_ipv6(int port);
bool sock_send(int fd, const char *text);
bool sock_send_bytes(int fd, const void *bytes, size_t len);
/* Reads until `size` bytes are there, the text holds `until` (null: never), or the server closes;
 * gives the number of bytes, NUL-terminated in `out`; -1 on a timeout or a reset. */
long sock_read(int fd, char *out, size_t size, const char *until);
/* Reads whole responses with a Content-Length until there are `count` of them; false on anything else. */
bool sock_read_responses(int fd, unsigned count);

#endif
