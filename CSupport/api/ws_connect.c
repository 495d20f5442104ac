/* gale_ws_connect and what is known of its answer. */
#include "../io/ws_connect.h"

#include "config.h"
#include "given.h"

static void or_default(uint32_t *value, uint32_t fallback) {
    if (*value == 0) *value = fallback;
}

/* What is 0 is as the worker's server has it. */
static void complete(gale_ws_connect_options_t *o, const gale_config_t *config) {
    or_default(&o->connect_timeout_ms, 20000);
    or_default(&o->max_header_bytes, config->max_header_bytes);
    or_default(&o->deflate_window_bits, o->deflate == 2 ? 12 : 15);
    or_default(&o->deflate_min_bytes, config->ws_deflate_min_bytes);
    or_default(&o->close_timeout_ms, config->ws_close_timeout_ms);
    or_default(&o->idle_timeout_ms, config->ws_idle_timeout_ms);
    if (o->max_message_bytes == 0) o->max_message_bytes = config->ws_max_message_bytes;
    if (o->ping_interval_ms == 0) {
        o->ping_interval_ms = config->ws_ping_interval_ms;
        or_default(&o->ping_timeout_ms, config->ws_ping_timeout_ms);
    }
    if (o->ping_timeout_ms == 0 || o->ping_timeout_ms > o->ping_interval_ms) {
        o->ping_timeout_ms = o->ping_interval_ms;
    }
    if ((gale_codings() & GALE_CODING_DEFLATE) == 0) o->deflate = 0;
}

static bool is_sane(const gale_ws_connect_options_t *o) {
    return o->deflate <= 2 && o->deflate_window_bits >= 9 && o->deflate_window_bits <= 15 &&
           o->max_header_bytes >= 256 && o->max_header_bytes <= 1 << 20;
}

int gale_ws_connect(gale_worker_t *worker, gale_str_t url, const gale_ws_handler_t *handler,
                    void *data, const gale_ws_connect_options_t *options, gale_ws_t **out) {
    gale_ws_handler_t h = {0};
    gale_ws_connect_options_t o = {0};
    if (out != NULL) *out = NULL;
    if (!gale__on_loop(worker)) return GALE_ETHREAD;
    if (gale__str_lacks(url)) return UV_EINVAL;
    size_t smallest = offsetof(gale_ws_handler_t, on_close) + sizeof h.on_close;
    int err = gale__struct_take(&h, sizeof h, handler, smallest);
    smallest = offsetof(gale_ws_connect_options_t, idle_timeout_ms) + sizeof o.idle_timeout_ms;
    if (err == 0 && options != NULL) err = gale__struct_take(&o, sizeof o, options, smallest);
    if (err < 0) return err;
    if (gale__strs_lack(o.subprotocols, o.subprotocol_count) || gale__str_lacks(o.origin) ||
        gale__fields_lack(o.headers, o.header_count))
        return UV_EINVAL;
    complete(&o, &worker->server->config);
    return is_sane(&o) ? gale__ws_connect(worker, url, &h, data, &o, out) : UV_EINVAL;
}

/* Null when there is none, or not any more. */
static const gale__ws_connecting_t *answered(const gale_ws_t *ws) {
    const gale__ws_connecting_t *k = ws->client ? gale__ws_client(ws)->connecting : NULL;
    return k != NULL && k->is_answered ? k : NULL;
}

int gale_ws_answer_status(const gale_ws_t *ws) {
    const gale__ws_connecting_t *k = answered(ws);
    return k == NULL ? 0 : k->answer.status;
}

size_t gale_ws_answer_headers(const gale_ws_t *ws, const gale_header_t **out) {
    const gale__ws_connecting_t *k = answered(ws);
    if (out != NULL) *out = k == NULL ? NULL : k->answer.head.headers;
    return k == NULL ? 0 : k->answer.head.header_count;
}

gale_str_t gale_ws_answer_subprotocol(const gale_ws_t *ws) {
    const gale__ws_connecting_t *k = answered(ws);
    return k == NULL ? gale_str(NULL, 0) : k->agreed.subprotocol;
}
