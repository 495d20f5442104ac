/* gale_publish, gale_ws_subscribe ...: topics. */
#include <string.h>

#include "../io/connection.h"
#include "../io/reader.h"
#include "../io/server.h"
#include "../io/ws.h"
#include "given.h"

static int join(gale_ws_t *ws, gale_str_t topic, uint32_t slow, uint64_t limit) {
    if (!gale__on_loop(ws->conn->worker)) return GALE_ETHREAD;
    if (!gale__topic_name_ok(topic) || slow > GALE_SLOW_DROP_NEWEST) return UV_EINVAL;
    if (ws->conn->cut_due || ws->conn->ws != ws) return GALE_EGONE;
    if (ws->close_sent) return GALE_ESTATE;
    const gale_config_t *config = &ws->conn->worker->server->config;
    return gale__topic_join(ws, topic, (int)(slow == 0 ? config->ws_slow_policy : slow),
                            limit == 0 ? config->ws_slow_limit : limit);
}

int gale_ws_subscribe(gale_ws_t *ws, gale_str_t topic) {
    return join(ws, topic, 0, 0);
}

int gale_ws_subscribe_with(gale_ws_t *ws, gale_str_t topic, uint32_t slow, uint64_t limit) {
    return join(ws, topic, slow, limit);
}

int gale_ws_unsubscribe(gale_ws_t *ws, gale_str_t name) {
    const gale_worker_t *w = ws->conn->worker;
    if (!gale__on_loop(w)) return GALE_ETHREAD;
    if (!gale__topic_name_ok(name)) return UV_EINVAL;
    gale__topic_t *topic = gale__topic_find(&w->topics, gale__topic_hash(w->server, name), name);
    gale__sub_t *sub =
        topic == NULL || ws->reader == NULL ? NULL : gale__reader_find(ws->reader, topic);
    if (sub == NULL) return 1;
    gale__reader_unsubscribe(ws->reader, sub);
    return 0;
}

int gale_ws_publish(gale_ws_t *ws, gale_str_t topic, int kind, gale_str_t bytes) {
    const gale_worker_t *w = ws->conn->worker;
    if (!gale__on_loop(w)) return GALE_ETHREAD;
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__publish(w->server, topic, kind, bytes, ws);
}

int gale_publish(gale_server_t *server, gale_str_t topic, int kind, gale_str_t bytes) {
    return gale__str_lacks(bytes) ? UV_EINVAL : gale__publish(server, topic, kind, bytes, NULL);
}

size_t gale_worker_subscribers(const gale_worker_t *w, gale_str_t name) {
    if (!gale__topic_name_ok(name)) return 0;
    const gale__topic_t *topic =
        gale__topic_find(&w->topics, gale__topic_hash(w->server, name), name);
    return topic == NULL ? 0 : topic->count;
}
