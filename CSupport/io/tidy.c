#include "tidy.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "connection.h"
#include "mem.h"

enum { PAUSE_MS = 5000 };

static void tidy(gale_worker_t *w) {
    gale__coders_clear(&w->coders);
    gale__block_pool_trim(&w->blocks);
    gale__exchange_free_pool(w);
    gale__worker_free_pools(w);
#ifdef __GLIBC__
    if (gale__mem_is_standard()) malloc_trim(0);
#endif
}

bool gale__tidy_beat(gale_worker_t *w) {
    gale__tidy_t *t = &w->tidy;
    uint64_t now = uv_now(w->loop), moved = gale__counted(&w->counters, GALE__N_BYTES_IN) +
                                            gale__counted(&w->counters, GALE__N_BYTES_OUT) +
                                            gale__counted(&w->counters, GALE__N_ACCEPTED);
    bool quiet = moved == t->moved, many = t->peak >= GALE__TIDY_MANY;
    bool ebbed = many && w->conn_count <= t->peak / 2;
    t->moved = moved;
    if (!quiet) t->due = true;
    if ((ebbed || (quiet && t->due)) && (t->tidied_ms == 0 || now - t->tidied_ms >= PAUSE_MS)) {
        tidy(w);
        t->tidied_ms = now;
        t->peak = w->conn_count;
        t->due = false;
    }
    return t->due || t->peak >= GALE__TIDY_MANY;
}
