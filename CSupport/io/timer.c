/* Timers of the user: one libuv timer each, since they want milliseconds, not the wheel's ticks. */
#include "mem.h"
#include "worker.h"

struct gale_timer_s {
    uv_timer_t uv;
    gale_worker_t *worker;
    gale_timer_t *next, **link; /* in the worker's list, while it may fire */
    void (*fn)(void *data);
    void *data;
};

static void on_closed(uv_handle_t *h) {
    gale_worker_t *w = ((gale_timer_t *)h)->worker;
    gale__free(h);
    w->open_handles--;
    gale__worker_check_stopped(w);
}

void gale__timer_stop(gale_timer_t *t) {
    if (t->link == NULL || !gale__on_loop(t->worker)) return;
    *t->link = t->next;
    if (t->next != NULL) t->next->link = t->link;
    t->link = NULL;
    uv_close((uv_handle_t *)&t->uv, on_closed);
}

static void on_due(uv_timer_t *uv) {
    gale_timer_t *t = (gale_timer_t *)uv;
    gale_worker_t *w = t->worker, *before = gale__worker_enter(w);
    void (*fn)(void *) = t->fn;
    void *data = t->data;
    if (uv_timer_get_repeat(uv) == 0) gale__timer_stop(t);
    fn(data);
    gale__worker_settle_all(w);
    gale__worker_leave(before);
}

gale_timer_t *gale__timer_start(gale_worker_t *w, uint64_t ms, uint64_t repeat, void (*fn)(void *),
                                void *data) {
    if (w->state >= GALE__WORKER_CLOSING) return NULL;
    gale_timer_t *t = gale__malloc(sizeof *t);
    if (t == NULL) return NULL;
    uv_timer_init(w->loop, &t->uv);
    t->worker = w;
    t->fn = fn;
    t->data = data;
    t->next = w->timers;
    t->link = &w->timers;
    if (t->next != NULL) t->next->link = &t->next;
    w->timers = t;
    w->open_handles++;
    uv_timer_start(&t->uv, on_due, ms, repeat);
    return t;
}
