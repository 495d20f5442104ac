/* gale_stats: the sums over all workers. */
#include "stats.h"

#include <string.h>

#include "server.h"

enum { SECOND = GALE__N_LAG_MS + 1 }; /* behind blocks_held, which is no counter */
#define FIRST offsetof(gale_stats_t, connections_accepted)
_Static_assert(offsetof(gale_stats_t, loop_lag_ms) == FIRST + GALE__N_LAG_MS * sizeof(uint64_t),
               "the counters stand in the order of gale_stats_t");
_Static_assert(offsetof(gale_stats_t, connects_open) ==
                   offsetof(gale_stats_t, topics) +
                       (GALE__N_DIALED - GALE__N_TOPICS) * sizeof(uint64_t),
               "so do the later ones");

void gale__stats_sum(const gale_server_t *s, gale_stats_t *out) {
    uint64_t sum[GALE__N_COUNTERS] = {0}, lag = 0;
    unsigned count = atomic_load(&s->worker_count);
    out->blocks_held = 0;
    for (unsigned i = 0; i < count; i++) {
        const gale_worker_t *w = &s->workers[i];
        for (int k = 0; k < GALE__N_COUNTERS; k++) sum[k] += gale__counted(&w->counters, k);
        out->blocks_held += atomic_load_explicit(&w->blocks.held, memory_order_relaxed);
        if (gale__counted(&w->counters, GALE__N_LAG_MS) > lag) {
            lag = gale__counted(&w->counters, GALE__N_LAG_MS);
        }
    }
    sum[GALE__N_LAG_MS] = lag;
    memcpy((char *)out + FIRST, sum, SECOND * sizeof *sum);
    memcpy(&out->topics, sum + SECOND, sizeof sum - SECOND * sizeof *sum);
}
