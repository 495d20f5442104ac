/* Defaults, and the rule for structs of other sizes than this library's (see gale.h, Structs). */
#include "config.h"

#include <string.h>
#include <uv.h>

#include "ip.h"

static gale_config_t defaults(void) {
    return (gale_config_t){
        .struct_size = sizeof(gale_config_t),
        .backlog = 1024,
        .max_header_bytes = 16384,
        .max_headers = 100,
        .max_body_bytes = 1 << 20,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
        .write_timeout_ms = 30000,
        .shutdown_grace_ms = 10000,
        .write_high_water = 65536,
        .write_low_water = 16384,
        .write_limit = 64 << 20,
        .ws_max_message_bytes = 10 << 20,
        .ws_close_timeout_ms = 5000,
        .compress_level = 6,
        .compress_min_bytes = 1024,
        .decompress_ratio = 100,
        .coding_memory = 64 << 20,
        .max_spool_bytes = (uint64_t)10 << 30,
        .max_requests_per_connection = UINT32_MAX,
        .min_receive_rate = 240,
        .min_send_rate = 240,
        .rate_grace_ms = 30000,
        .ws_deflate_level = 6,
        .ws_deflate_min_bytes = 64,
        .ws_deflate_memory = 64 << 20,
        .ws_slow_policy = GALE_SLOW_CLOSE,
        .ws_max_topics = 1024,
        .ws_slow_limit = 1 << 20,
    };
}

static void init(void *to, size_t size, const void *from, size_t known) {
    if (size < sizeof size) return;
    memset(to, 0, size);
    memcpy(to, from, size < known ? size : known);
    memcpy(to, &size, sizeof size);
}

void gale_config_init(gale_config_t *config, size_t struct_size) {
    gale_config_t d = defaults();
    init(config, struct_size, &d, sizeof d);
}

void gale_handler_init(gale_handler_t *handler, size_t struct_size) {
    gale_handler_t d = {0};
    init(handler, struct_size, &d, sizeof d);
}

void gale_files_config_init(gale_files_config_t *config, size_t struct_size) {
    gale_files_config_t d = {0};
    init(config, struct_size, &d, sizeof d);
}

void gale_form_handler_init(gale_form_handler_t *handler, size_t struct_size) {
    gale_form_handler_t d = {0};
    init(handler, struct_size, &d, sizeof d);
}

void gale_ws_handler_init(gale_ws_handler_t *handler, size_t struct_size) {
    gale_ws_handler_t d = {0};
    init(handler, struct_size, &d, sizeof d);
}

void gale_ws_options_init(gale_ws_options_t *options, size_t struct_size) {
    gale_ws_options_t d = {0};
    init(options, struct_size, &d, sizeof d);
}

void gale_ws_connect_options_init(gale_ws_connect_options_t *options, size_t struct_size) {
    gale_ws_connect_options_t d = {0};
    init(options, struct_size, &d, sizeof d);
}

void gale_tunnel_handler_init(gale_tunnel_handler_t *handler, size_t struct_size) {
    gale_tunnel_handler_t d = {0};
    init(handler, struct_size, &d, sizeof d);
}

int gale__struct_take(void *to, size_t known, const void *from, size_t smallest) {
    size_t size;
    memcpy(&size, from, sizeof size);
    if (size < smallest || size > GALE__STRUCT_MAX) return GALE_EVERSION;
    const unsigned char *bytes = from;
    for (size_t i = known; i < size; i++) {
        if (bytes[i] != 0) return GALE_EVERSION;
    }
    memcpy(to, from, size < known ? size : known);
    memcpy(to, &known, sizeof known);
    return 0;
}

enum { MOST_TRUSTED = 256 };

static bool is_trust_sane(const gale_config_t *c) {
    if (c->forwarded_family > GALE_FORWARDED_X_REAL_IP) return false;
    if (c->trusted_proxies == NULL) return true;
    int count = gale__networks_parse(gale_cstr(c->trusted_proxies), NULL, 0);
    return count >= 0 && count <= MOST_TRUSTED;
}

static void or_default32(uint32_t *value, uint32_t fallback) {
    if (*value == 0) *value = fallback;
}

static void take_websocket(gale_config_t *to, const gale_config_t *d) {
    if (to->ws_max_message_bytes == 0) to->ws_max_message_bytes = d->ws_max_message_bytes;
    or_default32(&to->ws_close_timeout_ms, d->ws_close_timeout_ms);
    or_default32(&to->ws_deflate_level, d->ws_deflate_level);
    or_default32(&to->ws_deflate_min_bytes, d->ws_deflate_min_bytes);
    or_default32(&to->ws_deflate_window_bits, to->ws_deflate == 2 ? 12 : 15);
    if (to->ws_deflate_memory == 0) to->ws_deflate_memory = d->ws_deflate_memory;
    uint32_t interval = to->ws_ping_interval_ms;
    if (to->ws_ping_timeout_ms == 0 || to->ws_ping_timeout_ms > interval) {
        to->ws_ping_timeout_ms = interval;
    }
    or_default32(&to->ws_slow_policy, d->ws_slow_policy);
    or_default32(&to->ws_max_topics, d->ws_max_topics);
    if (to->ws_slow_limit == 0) to->ws_slow_limit = d->ws_slow_limit;
}

static bool is_websocket_sane(const gale_config_t *c) {
    return c->ws_deflate <= 2 && c->ws_deflate_level <= 9 && c->ws_deflate_window_bits >= 9 &&
           c->ws_deflate_window_bits <= 15 && c->ws_ping_interval_ms <= INT32_MAX &&
           c->ws_idle_timeout_ms <= INT32_MAX && c->ws_slow_policy <= GALE_SLOW_DROP_NEWEST;
}

int gale__config_take(gale_config_t *to, const gale_config_t *from) {
    const gale_config_t d = defaults();
    *to = d;
    /* The smallest size is that of 0.1: a field added later does not move it. */
    size_t smallest = offsetof(gale_config_t, no_server_header) + sizeof(uint32_t);
    int err = from == NULL ? 0 : gale__struct_take(to, sizeof *to, from, smallest);
    if (err < 0) return err;
    or_default32(&to->workers, uv_available_parallelism());
    or_default32(&to->backlog, d.backlog);
    or_default32(&to->max_header_bytes, d.max_header_bytes);
    or_default32(&to->max_headers, d.max_headers);
    if (to->max_body_bytes == 0) to->max_body_bytes = d.max_body_bytes;
    or_default32(&to->header_timeout_ms, d.header_timeout_ms);
    or_default32(&to->body_timeout_ms, d.body_timeout_ms);
    or_default32(&to->idle_timeout_ms, d.idle_timeout_ms);
    or_default32(&to->write_timeout_ms, d.write_timeout_ms);
    or_default32(&to->shutdown_grace_ms, d.shutdown_grace_ms);
    or_default32(&to->write_high_water, d.write_high_water);
    uint32_t low = to->write_high_water / 4;
    or_default32(&to->write_low_water, low < d.write_low_water ? low : d.write_low_water);
    if (to->write_limit == 0) to->write_limit = d.write_limit;
    or_default32(&to->compress_level, d.compress_level);
    or_default32(&to->compress_min_bytes, d.compress_min_bytes);
    or_default32(&to->decompress_ratio, d.decompress_ratio);
    or_default32(&to->coding_memory, d.coding_memory);
    if (to->shutdown_idle_ms > to->shutdown_grace_ms) to->shutdown_idle_ms = to->shutdown_grace_ms;
    if (to->max_spool_bytes == 0) to->max_spool_bytes = d.max_spool_bytes;
    or_default32(&to->max_requests_per_connection, d.max_requests_per_connection);
    or_default32(&to->min_receive_rate, d.min_receive_rate);
    or_default32(&to->min_send_rate, d.min_send_rate);
    or_default32(&to->rate_grace_ms, d.rate_grace_ms);
    take_websocket(to, &d);
    bool sane = to->workers <= 256 && to->max_headers <= 10000 && to->max_header_bytes >= 256 &&
                to->max_header_bytes <= 1 << 20 && to->write_low_water <= to->write_high_water &&
                is_trust_sane(to) && is_websocket_sane(to) && to->compress_level <= 9 &&
                (to->compress | to->decompress) <= GALE_CODING_ALL;
    to->compress &= gale_codings();
    if ((gale_codings() & GALE_CODING_DEFLATE) == 0) to->ws_deflate = 0;
    return sane ? 0 : UV_EINVAL;
}
