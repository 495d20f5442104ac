#include "rate_limit.h"

#include "mem.h"

#define NS_PER_MS UINT64_C(1000000)
#define CENTURY_NS (UINT64_C(36525) * 86400 * 1000 * NS_PER_MS)

bool gale__rate_limit_init(gale__rate_limit_t *l, uint32_t tokens, uint32_t period_ms,
                           uint32_t burst, uint32_t max_keys) {
    *l = (gale__rate_limit_t){0};
    if (tokens == 0 || burst == 0 || max_keys == 0 || max_keys > 1u << 28) return false;
    l->token_ns = period_ms * NS_PER_MS / tokens;
    if (l->token_ns == 0 || l->token_ns > CENTURY_NS / burst) return false;
    l->burst_ns = l->token_ns * burst;
    uint32_t sets = 1;
    while (sets * GALE__RATE_SET < max_keys) sets *= 2;
    l->set_mask = sets - 1;
    l->buckets = gale__calloc((size_t)sets * GALE__RATE_SET, sizeof *l->buckets);
    return true;
}

/* The bucket of this hash; when there is none, the place for it, with a full one. */
static gale__rate_bucket_t *find(gale__rate_limit_t *l, uint64_t hash, uint64_t now) {
    gale__rate_bucket_t *set = l->buckets + (size_t)gale__rate_limit_set(l, hash) * GALE__RATE_SET;
    gale__rate_bucket_t *fullest = set;
    for (int i = 0; i < GALE__RATE_SET; i++) {
        if (set[i].hash == hash) return &set[i];
        if (set[i].full_ns < fullest->full_ns) fullest = &set[i];
    }
    *fullest = (gale__rate_bucket_t){hash, now};
    return fullest;
}

int64_t gale__rate_limit_take(gale__rate_limit_t *l, uint64_t hash, uint32_t tokens,
                              uint64_t now_ms) {
    if (tokens == 0) return 0;
    if (tokens > l->burst_ns / l->token_ns) return -1;
    uint64_t now = now_ms * NS_PER_MS;
    gale__rate_bucket_t *b = find(l, hash == 0 ? 1 : hash, now);
    uint64_t full = (b->full_ns > now ? b->full_ns : now) + tokens * l->token_ns;
    if (full > now + l->burst_ns) {
        uint64_t wait = full - now - l->burst_ns;
        return (int64_t)((wait + NS_PER_MS - 1) / NS_PER_MS);
    }
    b->full_ns = full;
    return 0;
}
