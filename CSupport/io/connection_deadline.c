/*
 * How long a client may take, and how slowly. A connection has one deadline, which its phase chooses.
 * Beside it runs its pace, while bytes of a request are to come or bytes are queued for the client:
 * the moment up to which those that have moved are enough. Each byte puts it off by what it is worth
 * at the least rate allowed, but never further than the grace from now.
 */
#include "connection.h"
#include "file.h"
#include "http1.h"
#include "server.h"
#include "tunnel.h"
#include "ws.h"
#include "ws_connect.h"

enum { STOP_HEAD_MS = 1000 };

static const gale_config_t *config_of(const gale__conn_t *c) {
    return &c->worker->server->config;
}

/* ----------------------------------------------------------------------------------------- pace */

static uint64_t now_us(const gale__conn_t *c) {
    return uv_now(c->worker->loop) * 1000;
}

static uint64_t grace_us(const gale__conn_t *c) {
    return (uint64_t)config_of(c)->rate_grace_ms * 1000;
}

/* n bytes have moved: whether that was in time. */
static bool keeps_pace(gale__conn_t *c, uint32_t rate, uint64_t n) {
    if (rate == UINT32_MAX) return true;
    uint64_t latest = now_us(c) + grace_us(c);
    uint64_t worth = n > UINT32_MAX ? grace_us(c) : n * 1000000 / rate;
    c->due_us = worth < latest - c->due_us ? c->due_us + worth : latest;
    return c->due_us > now_us(c);
}

/* ------------------------------------------------------------------------------------- deadlines */

void gale__conn_set_deadline(gale__conn_t *c, gale__deadline_t kind, uint64_t ms) {
    gale_worker_t *w = c->worker;
    if (kind != c->deadline) {
        c->deadline = (uint8_t)kind;
        c->due_us = now_us(c) + grace_us(c);
    }
    gale__worker_deadline(w, &c->timer, kind == GALE__DEADLINE_NONE ? 0 : uv_now(w->loop) + ms);
}

/* Whether the client is to take something before anything else happens. */
static bool waits_for_client(const gale__conn_t *c) {
    return c->backlogs > 0 || (c->req != NULL && c->req->file != NULL && gale__file_waits(c->req));
}

/* What it has still to take. */
static size_t owed(const gale__conn_t *c) {
    bool file = c->req != NULL && c->req->file != NULL;
    return c->transport->untaken(c) + (file ? (size_t)gale__file_left(c->req) : 0);
}

/* A look at the queue is due when nothing may have moved for so long, or too little. */
static void watch_queue(gale__conn_t *c) {
    const gale_config_t *config = config_of(c);
    uint64_t ms = config->write_timeout_ms;
    if (c->deadline != GALE__DEADLINE_WRITE) {
        gale__conn_set_deadline(c, GALE__DEADLINE_WRITE, ms);
        c->untaken = owed(c);
    }
    uint64_t now = now_us(c), due = c->due_us > now ? (c->due_us - now) / 1000 + 1 : 0;
    if (config->min_send_rate != UINT32_MAX && due < ms) ms = due;
    gale__conn_set_deadline(c, GALE__DEADLINE_WRITE, ms);
}

/* Whether the client has taken enough since the last look. */
static bool takes_enough(gale__conn_t *c) {
    size_t left = owed(c), taken = left < c->untaken ? c->untaken - left : 0;
    c->untaken = left;
    return keeps_pace(c, config_of(c)->min_send_rate, taken) && taken > 0;
}

static uint32_t age_ms(const gale__conn_t *c) {
    return (uint32_t)uv_now(c->worker->loop) - c->opened_ms;
}

bool gale__conn_is_worn(const gale__conn_t *c) {
    const gale_config_t *config = config_of(c);
    return c->served >= config->max_requests_per_connection ||
           (config->max_connection_age_ms > 0 && age_ms(c) >= config->max_connection_age_ms);
}

static void set_idle(gale__conn_t *c) {
    const gale_config_t *config = config_of(c);
    uint32_t ms = config->idle_timeout_ms, age = age_ms(c), most = config->max_connection_age_ms;
    if (most > 0 && (age >= most || most - age < ms)) ms = age >= most ? 0 : most - age;
    gale__conn_set_deadline(c, GALE__DEADLINE_IDLE, ms);
}

/* What a head has left that was arriving, or under way, when the server began to stop. */
static uint32_t stop_moment(const gale__conn_t *c) {
    uint32_t idle = config_of(c)->shutdown_idle_ms;
    return idle > STOP_HEAD_MS ? idle : STOP_HEAD_MS;
}

static void set_header(gale__conn_t *c) {
    bool stopping = c->worker->state != GALE__WORKER_RUNNING;
    uint32_t ms = config_of(c)->header_timeout_ms, moment = stop_moment(c);
    gale__conn_set_deadline(c, GALE__DEADLINE_HEADER, stopping && ms > moment ? moment : ms);
}

void gale__conn_hurry_head(gale__conn_t *c) {
    if (c->deadline == GALE__DEADLINE_HEADER &&
        c->timer.deadline > uv_now(c->worker->loop) + stop_moment(c)) {
        set_header(c);
    }
}

/* A message that has begun to come is a body: it is held in memory until it is whole. */
static bool is_receiving(const gale__conn_t *c) {
    return !c->paused && (c->in != NULL || c->ws->frame_open || c->ws->message_kind != 0);
}

static void choose_for_websocket(gale__conn_t *c) {
    gale__deadline_t kind = GALE__DEADLINE_NONE;
    uint32_t ms = 0;
    if (c->ws->close_sent) {
        kind = GALE__DEADLINE_WS_CLOSE;
        ms = gale__ws_config(c->ws)->ws_close_timeout_ms;
    } else if (is_receiving(c)) {
        kind = GALE__DEADLINE_BODY;
        ms = config_of(c)->body_timeout_ms;
    } else if ((ms = gale__ws_watch_due(c->ws)) > 0) {
        kind = GALE__DEADLINE_WS_WATCH;
    }
    /* What is watched moves with each message. */
    bool moves = kind == GALE__DEADLINE_WS_WATCH;
    if (kind == GALE__DEADLINE_NONE || moves || kind != c->deadline) {
        gale__conn_set_deadline(c, kind, ms);
    }
}

/* Holds for all that happens meanwhile. */
static bool is_fixed(const gale__conn_t *c) {
    return c->deadline == GALE__DEADLINE_LINGER || c->deadline == GALE__DEADLINE_CONNECT;
}

void gale__conn_choose_deadline(gale__conn_t *c) {
    if (waits_for_client(c)) {
        if (c->deadline != GALE__DEADLINE_WRITE && !is_fixed(c)) {
            watch_queue(c);
        }
        return;
    }
    switch (c->phase) {
    case GALE__PHASE_HEAD:
        if (c->req == NULL && !c->fresh) {
            set_idle(c);
        } else if (c->deadline != GALE__DEADLINE_HEADER) {
            set_header(c);
        }
        break;
    case GALE__PHASE_BODY:
        if (c->paused || c->req->held != NULL) { /* it isn't the client that is slow */
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        } else if (c->deadline != GALE__DEADLINE_BODY) {
            gale__conn_set_deadline(c, GALE__DEADLINE_BODY, config_of(c)->body_timeout_ms);
        }
        break;
    case GALE__PHASE_PROXY: /* the deadline since it is open holds on */
    case GALE__PHASE_CONNECT:
    case GALE__PHASE_LINGER:
        break;
    case GALE__PHASE_WS:
        choose_for_websocket(c);
        break;
    case GALE__PHASE_TUNNEL:
        if (config_of(c)->tunnel_idle_timeout_ms == 0) {
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        } else if (c->deadline != GALE__DEADLINE_TUNNEL) {
            gale__conn_set_deadline(c, GALE__DEADLINE_TUNNEL, config_of(c)->tunnel_idle_timeout_ms);
        }
        break;
    default:
        if (c->req != NULL && c->req->heartbeat_ms > 0) {
            gale__conn_set_deadline(c, GALE__DEADLINE_HEARTBEAT, c->req->heartbeat_ms);
        } else {
            gale__conn_set_deadline(c, GALE__DEADLINE_NONE, 0);
        }
    }
}

/* -------------------------------------------------------------------------------------- too slow */

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

static void too_slow(gale__conn_t *c, const char *why) {
    count_timeout(c);
    if (c->phase == GALE__PHASE_WS) {
        gale__ws_fail(c->ws, 1008, "the message came too slowly");
    } else if (c->req == NULL) {
        gale__conn_cut(c, GALE_ETIMEDOUT);
    } else {
        gale__http1_refuse(c, 408, why);
    }
}

/* Whether the bytes that just came are of something that is still coming. */
static bool is_coming(const gale__conn_t *c) {
    if (c->cut_due || c->paused) return false;
    if (c->phase == GALE__PHASE_WS) return is_receiving(c);
    return c->req != NULL &&
           c->phase == (c->deadline == GALE__DEADLINE_BODY ? GALE__PHASE_BODY : GALE__PHASE_HEAD);
}

void gale__conn_received(gale__conn_t *c, size_t n) {
    bool body = c->deadline == GALE__DEADLINE_BODY;
    if (!is_coming(c)) return;
    if (body) gale__conn_set_deadline(c, GALE__DEADLINE_BODY, config_of(c)->body_timeout_ms);
    if (keeps_pace(c, config_of(c)->min_receive_rate, n)) return;
    too_slow(c, body ? "the request body came too slowly" : "the request head came too slowly");
}

/* Whether what has moved meanwhile puts the deadline off. */
static bool is_put_off(gale__conn_t *c) {
    if (c->deadline == GALE__DEADLINE_WRITE && takes_enough(c)) {
        watch_queue(c);
        return true;
    }
    uint64_t left = c->deadline == GALE__DEADLINE_TUNNEL ? gale__tunnel_idle_left(c->tunnel) : 0;
    if (left > 0) gale__conn_set_deadline(c, GALE__DEADLINE_TUNNEL, left);
    return left > 0;
}

void gale__conn_expired(gale__conn_t *c) {
    if (is_put_off(c)) return;
    switch (c->deadline) {
    case GALE__DEADLINE_HEADER:
        too_slow(c, "the request head took too long");
        break;
    case GALE__DEADLINE_BODY:
        too_slow(c, "the request body took too long");
        break;
    case GALE__DEADLINE_HEARTBEAT:
        gale__exchange_heartbeat(c->req);
        break;
    case GALE__DEADLINE_WS_WATCH:
        gale__ws_watch(c->ws);
        break;
    case GALE__DEADLINE_CONNECT:
        gale__ws_connect_expired(c->ws);
        break;
    case GALE__DEADLINE_NONE:
        return;
    default:
        count_timeout(c);
        gale__conn_cut(c, GALE_ETIMEDOUT);
    }
    gale__conn_settle(c);
}
