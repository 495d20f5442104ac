#include "admission.h"

#include <string.h>
#include <sys/resource.h>
#include <uv.h>

enum { SPARE = 32, MOST = 1 << 20 };

/* The program needs descriptors too: files, databases, its own sockets. */
static uint32_t descriptors_for_clients(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= MOST) return MOST;
    uint32_t all = (uint32_t)limit.rlim_cur, spare = all / 16 > SPARE ? all / 16 : SPARE;
    return all > spare ? all - spare : 1;
}

int gale__admission_init(gale__admission_t *a, const gale_config_t *config) {
    a->max = config->max_connections == 0 ? descriptors_for_clients() : config->max_connections;
    if (config->max_connections_per_address == 0) return 0;
    gale__sip_key_t secret;
    int err = uv_random(NULL, NULL, &secret, sizeof secret, 0, NULL);
    if (err < 0) return err;
    if (!gale__tally_init(&a->by_address, secret, a->max < MOST ? a->max : MOST)) return UV_ENOMEM;
    pthread_mutex_init(&a->lock, NULL);
    a->max_per_address = config->max_connections_per_address;
    return 0;
}

void gale__admission_clear(gale__admission_t *a) {
    if (a->max_per_address == 0) return;
    gale__tally_free(&a->by_address);
    pthread_mutex_destroy(&a->lock);
    a->max_per_address = 0;
}

bool gale__admission_enter(gale__admission_t *a) {
    if (atomic_fetch_add_explicit(&a->open, 1, memory_order_relaxed) < a->max) return true;
    gale__admission_leave(a);
    return false;
}

void gale__admission_leave(gale__admission_t *a) {
    atomic_fetch_sub_explicit(&a->open, 1, memory_order_relaxed);
}

/* An IPv4 address, or the half of an IPv6 address that a client cannot choose; false for others.
 * No IPv6 client's address begins with ff. */
static bool key_of(const gale__ip_t *from, uint64_t *key) {
    memset(key, 0xff, sizeof *key);
    if (from->family == GALE__IP_V4) memcpy((char *)key + 4, from->bytes, 4);
    if (from->family == GALE__IP_V6) memcpy(key, from->bytes, sizeof *key);
    return from->family != GALE__IP_NONE;
}

bool gale__admission_enter_from(gale__admission_t *a, const gale__ip_t *from, uint32_t *place) {
    uint64_t key;
    *place = 0;
    if (a->max_per_address == 0 || !key_of(from, &key)) return true;
    pthread_mutex_lock(&a->lock);
    *place = gale__tally_add(&a->by_address, key, a->max_per_address);
    pthread_mutex_unlock(&a->lock);
    return *place != 0;
}

void gale__admission_leave_from(gale__admission_t *a, uint32_t place) {
    if (place == 0) return;
    pthread_mutex_lock(&a->lock);
    gale__tally_drop(&a->by_address, place);
    pthread_mutex_unlock(&a->lock);
}
