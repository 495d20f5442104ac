#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

int gale__server_fail(gale_server_t *s, int err, const char *what, const char *where) {
    snprintf(s->errmsg, sizeof s->errmsg, "%s%s%s: %s", what, where == NULL ? "" : " on ",
             where == NULL ? "" : where, gale_strerror(err));
    return err;
}

/* Writing to a client that has gone must be an error and not the end of the process. */
static void ignore_sigpipe(void) {
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
        now.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &now, NULL);
    }
}

static void start_worker(gale_worker_t *w) {
    const gale_server_t *s = w->server;
    gale_worker_t *before = gale__worker_enter(w);
    if (s->handler.on_worker_start != NULL) s->handler.on_worker_start(w, s->handler_data);
    gale__worker_leave(before);
}

static void run_loop(gale_worker_t *w) {
    start_worker(w);
    uv_run(w->loop, UV_RUN_DEFAULT);
    w->state = GALE__WORKER_ENDED;
}

static void *thread_main(void *arg) {
    gale_worker_t *w = arg;
    gale_server_t *s = w->server;
    pthread_mutex_lock(&s->starting);
    bool given_up = s->given_up;
    pthread_mutex_unlock(&s->starting);
    if (!given_up) run_loop(w);
    return NULL;
}

/* A worker that never ran is taken down by running its loop until all handles are closed. */
static void undo_worker(gale_worker_t *w) {
    if (w->state != GALE__WORKER_RUNNING && w->state != GALE__WORKER_STOP_DUE) return;
    atomic_fetch_add(&w->server->stops, 1);
    gale__worker_wake(w);
    while (w->state != GALE__WORKER_ENDED) uv_run(w->loop, UV_RUN_NOWAIT);
}

static void release_workers(gale_server_t *s) {
    unsigned count = atomic_load(&s->worker_count);
    for (unsigned i = 0; i < count; i++) {
        gale_worker_t *w = &s->workers[i];
        gale__worker_release(w);
        if (w->loop == &w->own_loop) uv_loop_close(&w->own_loop);
    }
}

/* Of workers that never ran: nobody has heard of them. */
static void abandon_workers(gale_server_t *s) {
    const gale_handler_t handler = s->handler;
    unsigned count = atomic_load(&s->worker_count);
    s->handler.on_worker_stop = NULL;
    for (unsigned i = 0; i < count; i++) undo_worker(&s->workers[i]);
    s->handler = handler;
    if (!s->attached) release_workers(s);
    atomic_store(&s->worker_count, 0);
    atomic_store(&s->state, GALE__SERVER_STOPPED);
}

static int open_workers(gale_server_t *s, unsigned count, uv_loop_t *loop) {
    if (atomic_load(&s->state) != GALE__SERVER_NEW || !s->has_handler) {
        return gale__server_fail(
            s, GALE_ESTATE, s->has_handler ? "cannot run" : "cannot run without a handler", NULL);
    }
    s->attached = loop != NULL;
    s->workers = gale__calloc(count, sizeof *s->workers);
    if (s->workers == NULL) return gale__server_fail(s, UV_ENOMEM, "cannot run", NULL);
    ignore_sigpipe();
    int err = gale__admission_init(&s->admission, &s->config);
    if (err == 0) err = uv_random(NULL, NULL, &s->topic_secret, sizeof s->topic_secret, 0, NULL);
    unsigned opened = 0;
    while (err == 0 && opened < count) {
        err = gale__worker_open(&s->workers[opened], s, opened, loop);
        opened++;
    }
    atomic_store(&s->worker_count, opened);
    if (err == 0) {
        atomic_store(&s->state, GALE__SERVER_RUNNING);
        /* A stop that came before there was anyone to wake still counts. */
        if (atomic_load(&s->stops) > 0) gale__server_stop(s);
        return 0;
    }
    abandon_workers(s);
    if (s->errmsg[0] == '\0') gale__server_fail(s, err, "cannot run", NULL);
    return err;
}

static void join_threads(gale_server_t *s) {
    for (size_t i = 0; i < s->thread_count; i++) pthread_join(s->threads[i], NULL);
    s->thread_count = 0;
    gale__free(s->threads);
    s->threads = NULL;
}

static int make_threads(gale_server_t *s, unsigned first) {
    unsigned count = atomic_load(&s->worker_count);
    if (count == first) return 0;
    s->threads = gale__calloc(count, sizeof *s->threads);
    if (s->threads == NULL) return gale__server_fail(s, UV_ENOMEM, "cannot run", NULL);
    for (unsigned i = first; i < count; i++) {
        int err = pthread_create(&s->threads[s->thread_count], NULL, thread_main, &s->workers[i]);
        if (err != 0) return gale__server_fail(s, -err, "cannot make a thread", NULL);
        s->thread_count++;
    }
    return 0;
}

/* Starts a thread for each worker from the first on: all of them, or none has run. When it gives 0
 * and `first` is 0 the server may be gone already. */
static int start_threads(gale_server_t *s, unsigned first) {
    pthread_mutex_lock(&s->starting);
    int err = make_threads(s, first);
    s->given_up = err < 0;
    pthread_mutex_unlock(&s->starting);
    if (err < 0) {
        join_threads(s);
        abandon_workers(s);
    }
    return err;
}

int gale__server_run(gale_server_t *s) {
    int err = open_workers(s, s->config.workers, NULL);
    if (err < 0) return err;
    atomic_store(&s->in_run, true);
    err = start_threads(s, 1);
    if (err == 0) {
        run_loop(&s->workers[0]);
        join_threads(s);
    }
    gale__server_worker_ended(s);
    return err;
}

int gale__server_start(gale_server_t *s) {
    int err = open_workers(s, s->config.workers, NULL);
    if (err < 0) return err;
    s->own_threads = true;
    return start_threads(s, 0);
}

int gale__server_join(gale_server_t *s) {
    if (!s->own_threads) return GALE_ESTATE;
    const gale_worker_t *here = gale__worker_here();
    if (here != NULL && here->server == s) return GALE_ETHREAD; /* it would wait for itself */
    join_threads(s);
    atomic_store(&s->state, GALE__SERVER_STOPPED);
    return 0;
}

int gale__server_attach(gale_server_t *s, uv_loop_t *loop) {
    int err = open_workers(s, 1, loop);
    if (err == 0) start_worker(&s->workers[0]);
    return err;
}

void gale__server_stop(gale_server_t *s) {
    atomic_fetch_add(&s->stops, 1);
    if (atomic_load(&s->state) != GALE__SERVER_RUNNING) return;
    unsigned count = atomic_load(&s->worker_count);
    for (unsigned i = 0; i < count; i++) {
        gale_worker_t *w = &s->workers[i];
        /* The answer that its caller gives next is already the last of its connection. */
        if (gale__on_loop(w) && w->state == GALE__WORKER_RUNNING) w->state = GALE__WORKER_STOP_DUE;
        gale__worker_wake(w);
    }
}

/* The list was found valid before. False without memory. */
static bool take_trusted(gale_server_t *s) {
    gale_config_t *config = &s->config;
    gale_str_t text = {NULL, 0};
    if (config->trusted_proxies != NULL) text = gale_cstr(config->trusted_proxies);
    config->trusted_proxies = NULL; /* the caller's, who may change it now */
    int count = gale__networks_parse(text, NULL, 0);
    if (count <= 0) return count == 0;
    s->trusted = gale__calloc((size_t)count, sizeof *s->trusted);
    if (s->trusted == NULL) return false;
    gale__networks_parse(text, s->trusted, (size_t)count);
    s->forwarded = (gale__forwarded_rules_t){.networks = s->trusted,
                                             .count = (size_t)count,
                                             .family = config->forwarded_family,
                                             .host = config->forwarded_host != 0};
    return true;
}

static atomic_int servers; /* whose memory has not been given back */

bool gale__server_any(void) {
    return atomic_load(&servers) > 0;
}

gale_server_t *gale__server_make(const gale_config_t *config) {
    gale_server_t *s = gale__calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    s->config = *config;
    if (!take_trusted(s)) {
        gale__free(s);
        return NULL;
    }
    pthread_mutex_init(&s->starting, NULL);
    atomic_fetch_add(&servers, 1);
    return s;
}

static void free_server(gale_server_t *s) {
    for (size_t i = 0; i < s->address_count; i++) gale__address_close(&s->address[i]);
    release_workers(s);
    gale__admission_clear(&s->admission);
    gale__free(s->workers);
    gale__free(s->trusted);
    pthread_mutex_destroy(&s->starting);
    gale__free(s);
    atomic_fetch_sub(&servers, 1);
}

void gale__server_worker_ended(gale_server_t *s) {
    atomic_store(&s->state, GALE__SERVER_STOPPED);
    /* gale_server_free may come from a callback or another thread: whoever comes second frees. */
    if (atomic_exchange(&s->half_gone, true)) free_server(s);
}

static void *join_and_free(void *arg) {
    gale_server_t *s = arg;
    join_threads(s);
    free_server(s);
    return NULL;
}

/* In a callback of a thread that must be joined first: somebody else has to. Without a thread for it
 * the memory stays. */
static void free_from_inside(gale_server_t *s) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, join_and_free, s) == 0) pthread_detach(thread);
}

void gale__server_destroy(gale_server_t *s) {
    const gale_worker_t *here = gale__worker_here();
    bool attached = s->attached && atomic_load(&s->worker_count) > 0;
    bool running = atomic_load(&s->state) == GALE__SERVER_RUNNING;
    if (running || attached) gale__server_stop(s);
    if (attached) gale__server_stop(s); /* at once */
    if (attached || atomic_load(&s->in_run)) {
        if (!atomic_exchange(&s->half_gone, true)) return;
    }
    if (s->own_threads && here != NULL && here->server == s) {
        free_from_inside(s);
        return;
    }
    if (s->own_threads) join_threads(s);
    free_server(s);
}
