/*
 * A worker: one libuv loop on one thread with everything its connections share: blocks, outboxes,
 * pools, the timer wheel, the mailbox, the reference table. Nothing here is locked; other threads
 * come in by the mailbox alone.
 */
#ifndef GALE_IO_WORKER_H
#define GALE_IO_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "block.h"
#include "coders.h"
#include "coding_turn.h"
#include "gale.h"
#include "http1_head.h"
#include "http1_response.h"
#include "mailbox.h"
#include "outbox.h"
#include "ref_table.h"
#include "stats.h"
#include "tidy.h"
#include "timer_wheel.h"
#include "topics.h"
#include "ws_coders.h"
#include "ws_keys.h"
#include "ws_tables.h"

typedef struct gale__conn gale__conn_t;
typedef struct gale__proxied gale__proxied_t;
typedef struct gale__accept_point gale__accept_point_t;

typedef enum {
    GALE__WORKER_IDLE, /* not yet on a loop */
    GALE__WORKER_RUNNING,
    GALE__WORKER_STOP_DUE, /* gale_server_stop was called here, and what it does comes next */
    GALE__WORKER_STOPPING, /* no listeners; open requests finish */
    GALE__WORKER_CLOSING,  /* no connections; handles are being closed */
    GALE__WORKER_ENDED
} gale__worker_state_t;

struct gale_worker_s {
    gale_server_t *server;
    uv_loop_t *loop;
    uv_loop_t own_loop;
    size_t index;
    void *data;
    atomic_uintptr_t thread; /* of its loop; callbacks keep it current for attached loops */
    gale__worker_state_t state;

    uv_async_t wake; /* mailbox and stop */
    uv_timer_t wheel_timer;
    uv_timer_t grace_timer;
    uv_timer_t accept_timer; /* listens again */
    /* Settles connections written to outside their own callbacks. While it is due the loop must not wait, nor a
     * foreign one that asks uv_backend_timeout: that is why it is an idle and no prepare handle. */
    uv_idle_t settle;
    int open_handles; /* of those five, the listeners, timers and peers */
    unsigned stops_seen;
    bool dealt_to;     /* worker 0 may still send clients */
    bool drained;      /* stopping, and connections without a request are closed */
    atomic_int wakers; /* threads that are about to use `wake` */
    atomic_bool wake_closed;

    gale__wheel_t wheel;
    uint64_t wheel_due; /* when wheel_timer fires; 0: not armed */
    gale__wheel_entry_t
        beat; /* fires about once a second while there are requests, to see how late; and to tidy */
    gale__mailbox_t mailbox;
    gale__ref_table_t refs;
    gale__block_pool_t blocks;
    gale__coders_t coders;
    gale__coding_turn_t coding;
    gale__ws_coders_t ws_coders;
    gale__ws_keys_t ws_keys;
    gale__ws_tables_t ws_tables;
    gale__topics_t topics;
    gale__head_limits_t limits;
    gale__stamp_t stamp;
    uint64_t stamp_ms;

    gale__outbox_t *outboxes; /* free ones */
    unsigned outbox_count;
    uint32_t outboxes_made;
    gale_req_t *requests; /* free ones */
    unsigned request_count;
    gale__conn_t *free_conns;
    unsigned free_conn_count;
    gale__conn_t *conns; /* open ones */
    size_t conn_count;
    gale__conn_t *dirty; /* to be settled */
    gale__conn_t *later; /* have had their share of this turn of the loop */
    gale_timer_t *timers;
    struct gale__files_cache *files_cache; /* null until a static file is asked for */
    uint64_t turn; /* of the loop, counted from then on; what comes by gale_peer_send is another */
    gale__accept_point_t *accept_points;
    long received; /* what a transport's own recv gave, until libuv calls back for it */
    int spare_fd;  /* given up for a moment when there is no other descriptor; -1: none */
    gale__conn_t *evict_hand; /* where the search for an idle client goes on; null: at the start */
    gale__tidy_t tidy;
    gale__counters_t counters;
};

/* Puts the worker on a loop: handles, listeners, on_worker_start. */
int gale__worker_open(gale_worker_t *w, gale_server_t *s, size_t index, uv_loop_t *loop);
/* After its loop has ended: mailbox, pools, tables. */
void gale__worker_release(gale_worker_t *w);
/* Wakes the worker to look at server->stops. Any thread, signal handlers. */
void gale__worker_wake(gale_worker_t *w);
int gale__worker_post(gale_worker_t *w, void (*fn)(void *arg), void *arg);

/* Every callback of libuv that reaches Gale's code begins with it: the calling thread is the
 * worker's. Gives what gale__worker_leave wants at its end; the worker itself may be gone by then.
 */
extern _Thread_local gale_worker_t *gale__here __attribute__((visibility("hidden")));
static inline gale_worker_t *gale__worker_enter(gale_worker_t *w) {
    gale_worker_t *before = gale__here;
    gale__here = w;
    atomic_store_explicit(&w->thread, (uintptr_t)pthread_self(), memory_order_relaxed);
    return before;
}
static inline void gale__worker_leave(gale_worker_t *before) {
    gale__here = before;
}
static inline bool gale__on_loop(const gale_worker_t *w) {
    return atomic_load_explicit(&w->thread, memory_order_relaxed) == (uintptr_t)pthread_self();
}
gale_worker_t *gale__worker_here(void);

/* How old the Date may be before the clock is asked again. */
#define GALE__STAMP_MS 100
void gale__worker_new_stamp(gale_worker_t *w, uint64_t now);
/* Brings Date up to date and gives the stamp. */
static inline const gale__stamp_t *gale__worker_stamp(gale_worker_t *w) {
    uint64_t now = uv_now(w->loop);
    if (w->stamp_ms == 0 || now - w->stamp_ms >= GALE__STAMP_MS) gale__worker_new_stamp(w, now);
    return &w->stamp;
}
/* A deadline on the wheel; 0 takes it off. */
void gale__worker_deadline(gale_worker_t *w, gale__wheel_entry_t *e, uint64_t deadline_ms);

gale__outbox_t *gale__worker_outbox(gale_worker_t *w);
void gale__worker_outbox_back(gale_worker_t *w, gale__outbox_t *o);
/* Frees the free outboxes and connections. */
void gale__worker_free_pools(gale_worker_t *w);
/* Many connections are open: the beat looks when they go. */
void gale__worker_watch_peak(gale_worker_t *w);
/* The connection is settled before the loop waits again. */
void gale__worker_mark_dirty(gale_worker_t *w, gale__conn_t *c);
/* The same in the next turn of the loop, when the other clients have had theirs. */
void gale__worker_mark_later(gale_worker_t *w, gale__conn_t *c);
void gale__worker_forget_dirty(gale_worker_t *w, gale__conn_t *c);
void gale__worker_settle_all(gale_worker_t *w);
/* What topics have for their sockets goes out before the loop waits. */
void gale__worker_settle_soon(gale_worker_t *w);
/* A connection has gone: a stopping worker may have been waiting for it. */
void gale__worker_check_stopped(gale_worker_t *w);
/* on close callback of every handle counted in open_handles. */
void gale__worker_handle_closed(uv_handle_t *h);

/* User timers. */
gale_timer_t *gale__timer_start(gale_worker_t *w, uint64_t ms, uint64_t repeat, void (*fn)(void *),
                                void *data);
void gale__timer_stop(gale_timer_t *t);

#endif
