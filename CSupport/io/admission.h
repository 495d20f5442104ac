/*
 * Who may come in: connections in all and from one address, counted over all workers. Workers meet
 * here when a client comes and when it goes, never for a request.
 */
#ifndef GALE_IO_ADMISSION_H
#define GALE_IO_ADMISSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "gale.h"
#include "ip.h"
#include "tally.h"

typedef struct {
    uint32_t max;
    uint32_t max_per_address; /* 0: not counted */
    atomic_uint open;
    gale__tally_t by_address;
    pthread_mutex_t lock; /* of by_address */
} gale__admission_t;

int gale__admission_init(gale__admission_t *a, const gale_config_t *config);
void gale__admission_clear(gale__admission_t *a);

/* One connection more; false when there are as many as may be. */
bool gale__admission_enter(gale__admission_t *a);
void gale__admission_leave(gale__admission_t *a);
/* One more from this address: *place is what the other call wants; false when there are as many as
 * may be. */
bool gale__admission_enter_from(gale__admission_t *a, const gale__ip_t *from, uint32_t *place);
void gale__admission_leave_from(gale__admission_t *a, uint32_t place);

#endif
