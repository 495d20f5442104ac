/* Keys for the frames of sockets that this process opened. Nobody may be able to guess one (RFC 6455
 * 10.3), so they are random bytes of the system's, taken some at a time. */
#ifndef GALE_IO_WS_KEYS_H
#define GALE_IO_WS_KEYS_H

#include <stdint.h>

enum { GALE__WS_KEYS = 64 };

/* A worker's; begins as {0}. */
typedef struct {
    uint8_t key[GALE__WS_KEYS][4];
    uint32_t left;
} gale__ws_keys_t;

/* A fresh one; 0 or an error. */
int gale__ws_keys_next(gale__ws_keys_t *k, uint8_t key[4]);

#endif
