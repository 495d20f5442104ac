// Connections to a server on loopback.
#ifndef BENCH_CONNECT_H
#define BENCH_CONNECT_H

// A connected, blocking socket with TCP_NODELAY; -1 with errno set when there is none. Numbers
// spread the connections over source addresses, so that no address runs out of ports.
int connect_to(int port, unsigned number);

#endif
