/*
 * Memory goes back to the system when those it was taken for have left: once a worker has been quiet
 * for a second, or half of its clients are gone, what its pools keep is freed, and the C library is
 * asked to give back what is free. At most once in some seconds, and never as part of a request.
 */
#ifndef GALE_IO_TIDY_H
#define GALE_IO_TIDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gale.h"

typedef struct {
    uint64_t moved;     /* what was counted at the last look */
    uint64_t tidied_ms; /* 0: not yet */
    size_t peak;        /* of connections, since then */
    bool due;           /* something has happened since then */
} gale__tidy_t;

enum { GALE__TIDY_MANY = 64 /* connections whose leaving is worth a look */ };

/* About once a second. True: there is something to look for in the next one, too. */
bool gale__tidy_beat(gale_worker_t *w);

#endif
