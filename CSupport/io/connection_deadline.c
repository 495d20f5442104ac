/* How long a connection may take for what it is about: one deadline at a time, chosen when it
 * settles. */
#include "connection.h"
#include "file.h"
#include "http1.h"
#include "server.h"
#include "tunnel.h"
#include "ws.h"

void gale__conn_set_deadline(gale__conn_t *c, gale__deadline_t kind, uint64_t ms) {
    gale_worker_t *w = c->worker;
    c->deadline = (uint8_t)kind;
    gale__worker_deadline(w, &c->timer, kind == GALE__DEADLINE_NONE ? 0 : uv_now(w->loop) + ms);
}

/* Whether the client is to take something before anything else happens, and how much there is. It
 * has done so when that is another figure than at the last look. */
static bool waits_for_client(const gale__conn_t *c, size_t *queued) {
    bool file = c->req != NULL && c->req->file != NULL;
    *queued = gale__conn_queued(c) + (file ? (size_t)gale__file_left(c->req) : 0);
    return c->backlogs > 0 || (file && gale__file_waits(c->req));
}

void gale__conn_choose_deadline(gale__conn_t *c) {
    const gale_config_t *config = &c->worker->server->config;
    size_t queued;
    if (waits_for_client(c, &queued)) {
        if (c->deadline != GALE__DEADLINE_WRITE && c->deadline != GALE__DEADLINE_LINGER) {
            c->last_queued = queued;
            gale__conn_set_deadline(c, GALE__DEADLINE_WRITE, config->write_timeout_ms);
        }
        return;
    }
    switch (c->phase) {
    case GALE__PHASE_HEAD:
        if (c->req == NULL && !c->fresh) {
            gale__conn_set_deadline(c, GALE__DEADLINE_IDLE, config->idle_timeout_ms);
        } else if (c->deadline != GALE__DEADLINE_HEADER) {
            gale__conn_set_deadline(c, GALE__DEADLINE_HEADER, config->header_timeout_ms);
        }
        break;
    case GALE__PHASE_BODY:
        if (c->paused) {
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        } else if (c->deadline != GALE__DEADLINE_BODY) {
            gale__conn_set_deadline(c, GALE__DEADLINE_BODY, config->body_timeout_ms);
        }
        break;
    case GALE__PHASE_PROXY: /* the deadline since it is open holds on */
    case GALE__PHASE_LINGER:
        break;
    case GALE__PHASE_WS:
        if (c->ws->close_sent && c->deadline != GALE__DEADLINE_WS_CLOSE) {
            gale__conn_set_deadline(c, GALE__DEADLINE_WS_CLOSE, config->ws_close_timeout_ms);
        } else if (!c->ws->close_sent) {
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        }
        break;
    case GALE__PHASE_TUNNEL:
        if (config->tunnel_idle_timeout_ms > 0 && c->deadline != GALE__DEADLINE_TUNNEL) {
            gale__conn_set_deadline(c, GALE__DEADLINE_TUNNEL, config->tunnel_idle_timeout_ms);
        } else if (config->tunnel_idle_timeout_ms == 0) {
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        }
        break;
    default:
        gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
    }
}

static void count_timeout(gale__conn_t *c) {
    static const uint8_t which[] = {
        [GALE__DEADLINE_HEADER] = GALE__N_TIMEOUT_HEADER,
        [GALE__DEADLINE_BODY] = GALE__N_TIMEOUT_BODY,
        [GALE__DEADLINE_IDLE] = GALE__N_TIMEOUT_IDLE,
        [GALE__DEADLINE_WRITE] = GALE__N_TIMEOUT_WRITE,
        [GALE__DEADLINE_LINGER] = GALE__N_TIMEOUT_CLOSE,
        [GALE__DEADLINE_WS_CLOSE] = GALE__N_TIMEOUT_CLOSE,
        [GALE__DEADLINE_TUNNEL] = GALE__N_TIMEOUT_IDLE,
    };
    gale__count(&c->worker->counters, (gale__counter_t)which[c->deadline], 1);
}

void gale__conn_expired(gale__conn_t *c) {
    switch (c->deadline) {
    case GALE__DEADLINE_HEADER:
        if (c->req != NULL) {
            gale__http1_refuse(c, 408, "the request head took too long");
        } else {
            gale__conn_cut(c, GALE_ETIMEDOUT);
        }
        break;
    case GALE__DEADLINE_BODY:
        gale__http1_refuse(c, 408, "the request body took too long");
        break;
    case GALE__DEADLINE_WRITE: {
        size_t queued;
        waits_for_client(c, &queued);
        if (queued != c->last_queued) { /* the client took something since the last look */
            c->last_queued = queued;
            gale__conn_set_deadline(c, GALE__DEADLINE_WRITE,
                                    c->worker->server->config.write_timeout_ms);
            return;
        }
        gale__conn_cut(c, GALE_ETIMEDOUT);
        break;
    }
    case GALE__DEADLINE_TUNNEL: {
        uint64_t left = gale__tunnel_idle_left(c->tunnel);
        if (left > 0) {
            gale__conn_set_deadline(c, GALE__DEADLINE_TUNNEL, left);
            return;
        }
        gale__conn_cut(c, GALE_ETIMEDOUT);
        break;
    }
    case GALE__DEADLINE_NONE:
        return;
    default:
        gale__conn_cut(c, GALE_ETIMEDOUT);
    }
    count_timeout(c);
    gale__conn_settle(c);
}
