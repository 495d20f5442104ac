#include "worker.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "accept_point.h"
#include "connection.h"
#include "files_cache.h"
#include "mem.h"
#include "server.h"

enum { FREE_OUTBOXES = 8 };
#define BEAT_MS 1000

_Thread_local gale_worker_t *gale__here;

gale_worker_t *gale__worker_here(void) {
    return gale__here;
}

/* ------------------------------------------------------------------------------ deadlines, Date */

static void on_wheel(uv_timer_t *t);

static void arm_wheel(gale_worker_t *w) {
    int64_t wait = gale__wheel_next(&w->wheel, uv_now(w->loop));
    if (wait < 0) {
        w->wheel_due = 0;
        return;
    }
    w->wheel_due = uv_now(w->loop) + (uint64_t)wait;
    uv_timer_start(&w->wheel_timer, on_wheel, (uint64_t)wait, 0);
}

static void on_wheel(uv_timer_t *t) {
    gale_worker_t *w = t->data, *before = gale__worker_enter(w);
    gale__count_set(&w->counters, GALE__N_LAG_MS, uv_now(w->loop) - w->wheel_due);
    w->wheel_due = 0;
    gale__wheel_entry_t *e;
    bool beats = false;
    while ((e = gale__wheel_expired(&w->wheel, uv_now(w->loop))) != NULL) {
        if (e == &w->beat) {
            beats = true;
            continue;
        }
        gale__conn_expired((gale__conn_t *)((char *)e - offsetof(gale__conn_t, timer)));
    }
    if (beats && gale__tidy_beat(w) && w->beat.deadline == 0)
        gale__wheel_set(&w->wheel, &w->beat, uv_now(w->loop) + BEAT_MS);
    arm_wheel(w);
    gale__worker_leave(before);
}

void gale__worker_deadline(gale_worker_t *w, gale__wheel_entry_t *e, uint64_t deadline_ms) {
    if (deadline_ms == 0) {
        gale__wheel_remove(&w->wheel, e);
        return;
    }
    gale__wheel_set(&w->wheel, e, deadline_ms);
    if (w->wheel_due == 0 || deadline_ms + GALE__WHEEL_TICK_MS < w->wheel_due) arm_wheel(w);
}

void gale__worker_new_stamp(gale_worker_t *w, uint64_t now) {
    w->stamp_ms = now == 0 ? 1 : now;
    if (w->beat.deadline == 0) gale__worker_deadline(w, &w->beat, now + BEAT_MS);
    gale__stamp_update(&w->stamp, (int64_t)time(NULL), !w->server->config.no_server_header);
}

/* --------------------------------------------------------------------------- outboxes, settling */

gale__outbox_t *gale__worker_outbox(gale_worker_t *w) {
    gale__outbox_t *o = w->outboxes;
    if (o != NULL) {
        w->outboxes = o->next;
        w->outbox_count--;
        return o;
    }
    o = gale__malloc(sizeof *o);
    if (o == NULL) return NULL;
    o->serial = (uint64_t)++w->outboxes_made << 32;
    o->bytes = 0;
    o->arena_used = o->parts = o->owned = 0;
    o->borrowed = NULL;
    o->borrowed_len = 0;
    return o;
}

void gale__worker_outbox_back(gale_worker_t *w, gale__outbox_t *o) {
    if (o->parts > 0) gale__outbox_clear(o);
    if (w->outbox_count >= FREE_OUTBOXES) {
        gale__free(o);
        return;
    }
    o->next = w->outboxes;
    w->outboxes = o;
    w->outbox_count++;
}

void gale__worker_free_pools(gale_worker_t *w) {
    while (w->outboxes != NULL) {
        gale__outbox_t *o = w->outboxes;
        w->outboxes = o->next;
        gale__free(o);
    }
    while (w->free_conns != NULL) {
        gale__conn_t *c = w->free_conns;
        w->free_conns = c->next;
        gale__free(c);
    }
    w->outbox_count = w->free_conn_count = 0;
}

void gale__worker_watch_peak(gale_worker_t *w) {
    w->tidy.peak = w->conn_count;
    if (w->conn_count >= GALE__TIDY_MANY && w->beat.deadline == 0)
        gale__worker_deadline(w, &w->beat, uv_now(w->loop) + BEAT_MS);
}

static void on_settle(uv_idle_t *p) {
    gale_worker_t *w = p->data, *before = gale__worker_enter(w);
    while (w->later != NULL) { /* their next turn has come */
        gale__conn_t *c = w->later;
        w->later = c->dirty_next;
        c->turn_left = GALE__TURN_WORK;
        c->dirty_next = w->dirty;
        w->dirty = c;
    }
    gale__topics_flush(w);
    gale__worker_settle_all(w);
    gale__coding_turn(w);
    gale__worker_settle_all(w);
    gale__worker_leave(before);
}

void gale__worker_settle_soon(gale_worker_t *w) {
    uv_idle_start(&w->settle, on_settle);
}

static void push(gale_worker_t *w, gale__conn_t **list, gale__conn_t *c) {
    if (w->dirty == NULL && w->later == NULL) gale__worker_settle_soon(w);
    c->dirty = true;
    c->dirty_next = *list;
    *list = c;
}

void gale__worker_mark_dirty(gale_worker_t *w, gale__conn_t *c) {
    push(w, &w->dirty, c);
}

void gale__worker_mark_later(gale_worker_t *w, gale__conn_t *c) {
    if (!c->dirty) push(w, &w->later, c);
}

static bool take_out(gale__conn_t **link, const gale__conn_t *c) {
    while (*link != NULL && *link != c) link = &(*link)->dirty_next;
    if (*link == NULL) return false;
    *link = c->dirty_next;
    return true;
}

void gale__worker_forget_dirty(gale_worker_t *w, gale__conn_t *c) {
    if (!c->dirty) return;
    if (!take_out(&w->dirty, c)) take_out(&w->later, c);
    c->dirty = false;
}

void gale__worker_settle_all(gale_worker_t *w) {
    while (w->dirty != NULL) {
        gale__conn_t *c = w->dirty;
        w->dirty = c->dirty_next;
        c->dirty = false;
        gale__conn_settle(c);
    }
    if (w->later == NULL && w->coding.first == NULL && !gale__topics_waiting(&w->topics))
        uv_idle_stop(&w->settle);
}

/* ------------------------------------------------------------------------------------- stopping */

void gale__worker_handle_closed(uv_handle_t *h) {
    gale_worker_t *w = h->data;
    w->open_handles--;
    gale__worker_check_stopped(w);
}

static void stop_timers(gale_worker_t *w) {
    while (w->timers != NULL) gale__timer_stop(w->timers);
}

/* No connection and no listener is left: the worker's own handles go, and with them the loop's
 * reason to run. */
static void close_handles(gale_worker_t *w) {
    w->state = GALE__WORKER_CLOSING;
    const gale_handler_t *h = &w->server->handler;
    gale_worker_t *before = gale__worker_enter(w);
    gale__mailbox_close(&w->mailbox);
    if (h->on_worker_stop != NULL) h->on_worker_stop(w, w->server->handler_data);
    stop_timers(w);
    gale__worker_settle_all(w);
    atomic_store(&w->wake_closed, true);
    while (atomic_load(&w->wakers) > 0) sched_yield();
    uv_handle_t *own[] = {(uv_handle_t *)&w->wake, (uv_handle_t *)&w->wheel_timer,
                          (uv_handle_t *)&w->grace_timer, (uv_handle_t *)&w->accept_timer,
                          (uv_handle_t *)&w->settle};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        uv_close(own[i], gale__worker_handle_closed);
    gale__files_cache_close(w);
    gale__worker_leave(before);
}

void gale__worker_check_stopped(gale_worker_t *w) {
    if (w->state == GALE__WORKER_STOPPING && w->conn_count == 0 && !w->dealt_to) close_handles(w);
    if (w->state == GALE__WORKER_CLOSING && w->open_handles == 0 && w->conn_count == 0) {
        w->state = GALE__WORKER_ENDED;
        if (w->server->attached) gale__server_worker_ended(w->server);
    }
}

static void cut_all(gale_worker_t *w) {
    for (gale__conn_t *c = w->conns, *next; c != NULL; c = next) {
        next = c->next;
        gale__conn_cut(c, GALE_ESHUTDOWN);
    }
    gale__worker_settle_all(w);
}

static void on_grace_over(uv_timer_t *t) {
    gale_worker_t *before = gale__worker_enter(t->data);
    cut_all(t->data);
    gale__worker_leave(before);
}

/* Settling one connection may close others (a handler that answers them), so the list is walked by
 * marks. */
static void retire_all(gale_worker_t *w) {
    for (gale__conn_t *c = w->conns, *next; c != NULL; c = next) {
        next = c->next;
        c->depth++; /* nothing is torn down under the walk */
        gale__conn_retire(c, w->drained);
        c->depth--;
        gale__conn_touch(c);
    }
    gale__worker_settle_all(w);
}

/* What was on its way to connections without a request has had its time. */
static void on_drained(uv_timer_t *t) {
    gale_worker_t *w = t->data, *before = gale__worker_enter(w);
    const gale_config_t *config = &w->server->config;
    w->drained = true;
    uv_timer_start(t, on_grace_over, config->shutdown_grace_ms - config->shutdown_idle_ms, 0);
    retire_all(w);
    gale__worker_check_stopped(w);
    gale__worker_leave(before);
}

static void begin_stop(gale_worker_t *w) {
    const gale_config_t *config = &w->server->config;
    w->state = GALE__WORKER_STOPPING;
    w->drained = config->shutdown_idle_ms == 0;
    gale__accept_close_all(w);
    if (w->drained) {
        uv_timer_start(&w->grace_timer, on_grace_over, config->shutdown_grace_ms, 0);
    } else {
        uv_timer_start(&w->grace_timer, on_drained, config->shutdown_idle_ms, 0);
    }
    retire_all(w);
    gale__worker_check_stopped(w);
}

/* Letters first, then whether gale_server_stop was called. */
static void look_around(gale_worker_t *w) {
    /* Asked before the letters are read: then no client is in those that come later. */
    bool all_dealt = atomic_load(&w->server->dealing) == 0;
    gale__mailbox_run(&w->mailbox);
    gale__worker_settle_all(w);
    if (all_dealt) w->dealt_to = false;
    unsigned stops = atomic_load(&w->server->stops);
    if (stops == w->stops_seen) {
        gale__worker_check_stopped(w);
        return;
    }
    bool again = w->stops_seen > 0 || stops > 1;
    w->stops_seen = stops;
    if (w->state <= GALE__WORKER_STOP_DUE) begin_stop(w);
    if (again && w->state == GALE__WORKER_STOPPING) cut_all(w);
}

static void on_wake(uv_async_t *a) {
    gale_worker_t *w = a->data, *before = gale__worker_enter(w);
    if (w->state < GALE__WORKER_CLOSING) look_around(w);
    gale__worker_leave(before);
}

/* The count keeps the worker from closing the handle while another thread is in uv_async_send. */
void gale__worker_wake(gale_worker_t *w) {
    atomic_fetch_add(&w->wakers, 1);
    if (!atomic_load(&w->wake_closed)) uv_async_send(&w->wake);
    atomic_fetch_sub(&w->wakers, 1);
}

int gale__worker_post(gale_worker_t *w, void (*fn)(void *arg), void *arg) {
    int posted = gale__mailbox_post(&w->mailbox, fn, arg);
    if (posted > 0) gale__worker_wake(w);
    return posted < 0 ? posted : 0;
}

/* ----------------------------------------------------------------------------------------- life */

static int open_handles(gale_worker_t *w) {
    int err = uv_async_init(w->loop, &w->wake, on_wake);
    if (err < 0) return err;
    uv_timer_init(w->loop, &w->wheel_timer); /* these cannot fail */
    uv_timer_init(w->loop, &w->grace_timer);
    uv_timer_init(w->loop, &w->accept_timer);
    uv_idle_init(w->loop, &w->settle);
    w->wake.data = w->wheel_timer.data = w->grace_timer.data = w;
    w->accept_timer.data = w->settle.data = w;
    /* Deadlines and the grace period hold no loop open by themselves: connections do. */
    uv_unref((uv_handle_t *)&w->wheel_timer);
    uv_unref((uv_handle_t *)&w->grace_timer);
    w->open_handles = 5;
    return 0;
}

static uint32_t lenient(const gale_config_t *c) {
    return (c->allow_bare_lf ? GALE__LENIENT_BARE_LF : 0u) |
           (c->allow_obs_fold ? GALE__LENIENT_OBS_FOLD : 0u) |
           (c->allow_missing_host ? GALE__LENIENT_NO_HOST : 0u) |
           (c->allow_repeated_length ? GALE__LENIENT_LENGTHS : 0u);
}

int gale__worker_open(gale_worker_t *w, gale_server_t *s, size_t index, uv_loop_t *loop) {
    memset(w, 0, sizeof *w);
    w->server = s;
    w->index = index;
    w->spare_fd = -1;
    w->refs.worker = (uint32_t)index;
    w->limits.max_bytes = s->config.max_header_bytes;
    w->limits.max_headers = s->config.max_headers;
    w->coders.budget.limit = s->config.coding_memory;
    gale__ws_coders_init(&w->ws_coders, &s->config);
    w->limits.lenient = lenient(&s->config);
    w->loop = loop == NULL ? &w->own_loop : loop;
    int err = loop == NULL ? uv_loop_init(w->loop) : 0;
    if (err < 0) {
        w->loop = NULL;
        return err;
    }
    gale__wheel_init(&w->wheel, uv_now(w->loop));
    err = open_handles(w);
    if (err < 0) {
        if (loop == NULL) uv_loop_close(w->loop);
        w->loop = NULL;
        return err;
    }
    w->state = GALE__WORKER_RUNNING;
    bool shared = s->config.workers > 1 && !s->attached;
    for (size_t i = 0; err == 0 && i < s->address_count; i++) {
        err = gale__accept_open(w, &s->address[i], shared, (int)s->config.backlog);
        if (err < 0) gale__server_fail(s, err, "cannot listen", NULL);
    }
    return err;
}

void gale__worker_release(gale_worker_t *w) {
    gale__mailbox_close(&w->mailbox);
    gale__topics_clear(w);
    gale__worker_free_pools(w);
    gale__exchange_free_pool(w);
    gale__files_cache_free(w);
    gale__block_pool_clear(&w->blocks);
    gale__coders_clear(&w->coders);
    gale__ws_coders_clear(&w->ws_coders);
    gale__ref_table_clear(&w->refs);
}
