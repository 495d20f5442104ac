/* gale_limiter_*: the table of core/rate_limit behind locks, a lock for every sixteenth set. */
#include <pthread.h>
#include <uv.h>

#include "config.h"
#include "mem.h"
#include "rate_limit.h"
#include "siphash.h"

enum { LOCKS = 16, DEFAULT_PERIOD_MS = 1000, DEFAULT_KEYS = 65536 };

struct gale_limiter_s {
    gale__rate_limit_t table;
    gale__sip_key_t secret;
    pthread_mutex_t lock[LOCKS];
};

static int take_config(gale_limiter_config_t *to, const gale_limiter_config_t *from) {
    size_t smallest = offsetof(gale_limiter_config_t, max_keys) + sizeof to->max_keys;
    int err = gale__struct_take(to, sizeof *to, from, smallest);
    if (err < 0) return err;
    if (to->period_ms == 0) to->period_ms = DEFAULT_PERIOD_MS;
    if (to->burst == 0) to->burst = to->tokens;
    if (to->max_keys == 0) to->max_keys = DEFAULT_KEYS;
    return 0;
}

int gale_limiter_new(gale_limiter_t **out, const gale_limiter_config_t *config) {
    gale_limiter_config_t c = {0};
    if (out == NULL) return UV_EINVAL;
    *out = NULL;
    int err = take_config(&c, config);
    if (err < 0) return err;
    gale_limiter_t *l = gale__calloc(1, sizeof *l);
    if (l == NULL) return UV_ENOMEM;
    if (!gale__rate_limit_init(&l->table, c.tokens, c.period_ms, c.burst, c.max_keys)) {
        err = UV_EINVAL;
    } else if (l->table.buckets == NULL) {
        err = UV_ENOMEM;
    } else {
        err = uv_random(NULL, NULL, &l->secret, sizeof l->secret, 0, NULL);
    }
    if (err < 0) {
        gale__free(l->table.buckets);
        gale__free(l);
        return err;
    }
    for (int i = 0; i < LOCKS; i++) pthread_mutex_init(&l->lock[i], NULL);
    *out = l;
    return 0;
}

int64_t gale_limiter_take(gale_limiter_t *l, gale_str_t key, uint32_t tokens, uint64_t now_ms) {
    if (key.ptr == NULL && key.len > 0) return UV_EINVAL;
    if (now_ms == 0) now_ms = uv_hrtime() / 1000000;
    uint64_t hash = gale__siphash(l->secret, key);
    pthread_mutex_t *lock = &l->lock[gale__rate_limit_set(&l->table, hash) % LOCKS];
    pthread_mutex_lock(lock);
    int64_t wait = gale__rate_limit_take(&l->table, hash, tokens, now_ms);
    pthread_mutex_unlock(lock);
    return wait < 0 ? GALE_ELIMIT : wait;
}

void gale_limiter_free(gale_limiter_t *l) {
    if (l == NULL) return;
    for (int i = 0; i < LOCKS; i++) pthread_mutex_destroy(&l->lock[i]);
    gale__free(l->table.buckets);
    gale__free(l);
}
