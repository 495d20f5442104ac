/*
 * Whether the client of a WebSocket is still there, and whether anybody still says something
 * (WS-16). One deadline for both, which stands while nothing else is waited for.
 */
#include "ws.h"

static uint32_t now_ms(const gale_ws_t *ws) {
    return (uint32_t)uv_now(ws->conn->worker->loop);
}

/* What is left of a span that began at `since`; at least 1. */
static uint32_t left_of(uint32_t span, uint32_t passed) {
    return passed < span ? span - passed : 1;
}

static uint32_t ping_due(const gale_ws_t *ws) {
    const gale_config_t *config = gale__ws_config(ws);
    if (config->ws_ping_interval_ms == 0) return 0;
    uint32_t span = ws->unheard ? config->ws_ping_timeout_ms : config->ws_ping_interval_ms;
    return left_of(span, now_ms(ws) - ws->pinged_ms);
}

uint32_t gale__ws_watch_due(const gale_ws_t *ws) {
    uint32_t idle = gale__ws_config(ws)->ws_idle_timeout_ms, ping = ping_due(ws);
    if (idle == 0) return ping;
    idle = left_of(idle, now_ms(ws) - ws->message_ms);
    return ping != 0 && ping < idle ? ping : idle;
}

static void give_up(gale_ws_t *ws, int code, const char *why) {
    gale__count(&ws->conn->worker->counters, GALE__N_TIMEOUT_IDLE, 1);
    gale__ws_close(ws, code, gale_cstr(why));
}

/* What it sends cannot be heard while nobody reads. */
static bool is_deaf(const gale_ws_t *ws) {
    return ws->conn->paused || !ws->conn->reading;
}

void gale__ws_watch(gale_ws_t *ws) {
    const gale_config_t *config = gale__ws_config(ws);
    uint32_t now = now_ms(ws), since = now - ws->pinged_ms;
    if (config->ws_idle_timeout_ms > 0 && now - ws->message_ms >= config->ws_idle_timeout_ms) {
        give_up(ws, 1001, "idle for too long");
        return;
    }
    if (config->ws_ping_interval_ms == 0) return;
    if (ws->unheard && since >= config->ws_ping_timeout_ms) {
        if (!is_deaf(ws)) {
            give_up(ws, 1000, "ping timed out"); /* as Tornado does */
            return;
        }
        ws->unheard = false;
    }
    if (since < config->ws_ping_interval_ms) return;
    ws->pinged_ms = now;
    ws->unheard = gale__ws_control(ws, GALE__WS_PING, gale_str(NULL, 0)) >= 0;
}
