/* The in-memory client of gale.h: its bytes go through a real connection. */
#ifndef GALE_IO_PEER_H
#define GALE_IO_PEER_H

#include <stdbool.h>

#include "worker.h"

int gale__peer_open(gale_worker_t *w, const gale_peer_handler_t *h, void *data, gale_peer_t **out);
gale_worker_t *gale__peer_worker(const gale_peer_t *p);
int gale__peer_send(gale_peer_t *p, gale_str_t bytes);
void gale__peer_stall(gale_peer_t *p, bool stalled);
void gale__peer_shutdown(gale_peer_t *p);
void gale__peer_close(gale_peer_t *p);

#endif
