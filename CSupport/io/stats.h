/*
 * What a worker counts. Only its own thread writes, by plain relaxed stores; whoever wants the sums
 * reads (gale_stats). In the order of gale_stats_t.
 */
#ifndef GALE_IO_STATS_H
#define GALE_IO_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "gale.h"

typedef enum {
    GALE__N_ACCEPTED,
    GALE__N_REFUSED,
    GALE__N_EVICTED,
    GALE__N_OPEN,
    GALE__N_REQUESTS,
    GALE__N_1XX,
    GALE__N_2XX,
    GALE__N_3XX,
    GALE__N_4XX,
    GALE__N_5XX,
    GALE__N_BYTES_IN,
    GALE__N_BYTES_OUT,
    GALE__N_BAD_SYNTAX,
    GALE__N_BAD_TARGET,
    GALE__N_BAD_HEAD,
    GALE__N_BAD_BODY,
    GALE__N_BAD_OTHER,
    GALE__N_TIMEOUT_HEADER,
    GALE__N_TIMEOUT_BODY,
    GALE__N_TIMEOUT_IDLE,
    GALE__N_TIMEOUT_WRITE,
    GALE__N_TIMEOUT_CLOSE,
    GALE__N_WEBSOCKETS,
    GALE__N_MESSAGES_IN,
    GALE__N_MESSAGES_OUT,
    GALE__N_LAG_MS, /* those of several workers are not added up; the last before blocks_held */
    GALE__N_TOPICS,
    GALE__N_SUBSCRIPTIONS,
    GALE__N_DELIVERIES,
    GALE__N_DROPPED,
    GALE__N_SLOW_CLOSED,
    GALE__N_CONNECTS,
    GALE__N_CONNECTS_FAILED,
    GALE__N_DIALED,
    GALE__N_COUNTERS
} gale__counter_t;

typedef struct {
    _Atomic uint64_t n[GALE__N_COUNTERS];
} gale__counters_t;

static inline uint64_t gale__counted(const gale__counters_t *c, gale__counter_t which) {
    return atomic_load_explicit(&c->n[which], memory_order_relaxed);
}
static inline void gale__count_set(gale__counters_t *c, gale__counter_t which, uint64_t value) {
    atomic_store_explicit(&c->n[which], value, memory_order_relaxed);
}
/* Gauges are counted down by adding the negative. */
static inline void gale__count(gale__counters_t *c, gale__counter_t which, uint64_t by) {
    gale__count_set(c, which, gale__counted(c, which) + by);
}

/* A response of this status goes out. */
static inline void gale__count_response(gale__counters_t *c, int status) {
    gale__count(c, (gale__counter_t)(GALE__N_1XX + status / 100 - 1), 1);
}
/* No, it does not. */
static inline void gale__count_response_back(gale__counters_t *c, int status) {
    gale__count(c, (gale__counter_t)(GALE__N_1XX + status / 100 - 1), (uint64_t)-1);
}

/* Sums the workers' counters. Any thread. */
void gale__stats_sum(const gale_server_t *s, gale_stats_t *out);

#endif
