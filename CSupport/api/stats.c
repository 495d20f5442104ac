#include "../io/stats.h"

#include <string.h>

#include "config.h"

int gale_stats(const gale_server_t *server, gale_stats_t *out) {
    gale_stats_t stats;
    size_t smallest = offsetof(gale_stats_t, blocks_held) + sizeof stats.blocks_held;
    size_t size = out->struct_size;
    int err = gale__struct_take(&stats, sizeof stats, out, smallest);
    if (err < 0) return err;
    gale__stats_sum(server, &stats);
    memcpy(out, &stats, size < sizeof stats ? size : sizeof stats);
    out->struct_size = size;
    return 0;
}
