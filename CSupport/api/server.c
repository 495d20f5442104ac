/* gale_server_*, gale_worker_*, gale_timer_*, the allocator: thin over io. */
#include "../io/server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "mem.h"

int gale_set_allocator(const gale_allocator_t *allocator) {
    if (gale__server_any()) return GALE_ESTATE;
    gale__mem_set(allocator);
    return 0;
}

gale_buf_t gale_buf_copy(const void *ptr, size_t len) {
    gale_buf_t buf = {0};
    if (ptr == NULL || len == 0) return buf;
    void *copy = gale__malloc(len);
    if (copy == NULL) return buf;
    memcpy(copy, ptr, len);
    return (gale_buf_t){copy, len, gale__free, copy};
}

void gale_buf_free(gale_buf_t buf) {
    if (buf.free_fn != NULL) buf.free_fn(buf.free_arg);
}

int gale_server_new(gale_server_t **out, const gale_config_t *config) {
    if (out == NULL) return UV_EINVAL;
    *out = NULL;
    gale_config_t taken;
    int err = gale__config_take(&taken, config);
    if (err < 0) return err;
    *out = gale__server_make(&taken);
    return *out == NULL ? UV_ENOMEM : 0;
}

int gale_server_handle(gale_server_t *s, const gale_handler_t *handler, void *data) {
    if (atomic_load(&s->state) != GALE__SERVER_NEW) {
        return gale__server_fail(s, GALE_ESTATE, "cannot set the handler", NULL);
    }
    gale_handler_t taken = {0};
    size_t smallest = offsetof(gale_handler_t, on_worker_stop) + sizeof taken.on_worker_stop;
    int err = gale__struct_take(&taken, sizeof taken, handler, smallest);
    if (err == 0 && taken.on_request == NULL) err = UV_EINVAL;
    if (err == 0 && s->has_handler) err = GALE_ESTATE;
    if (err < 0) return gale__server_fail(s, err, "cannot set the handler", NULL);
    s->handler = taken;
    s->handler_data = data;
    s->has_handler = true;
    return 0;
}

/* The next so many in the list came by one call. */
static int add_addresses(gale_server_t *s, int count) {
    for (int i = 0; i < count; i++) s->address[s->address_count++].call = s->listens;
    s->listens++;
    return 0;
}

int gale_server_listen(gale_server_t *s, const char *url) {
    if (atomic_load(&s->state) != GALE__SERVER_NEW) {
        return gale__server_fail(s, GALE_ESTATE, "cannot listen", url);
    }
    char where[GALE__WHERE];
    gale__address_t *list = &s->address[s->address_count];
    size_t room = GALE__MAX_LISTENERS - s->address_count;
    int count = gale__address_bind(list, room, url, (int)s->config.backlog, where);
    if (count < 0) return gale__server_fail(s, count, "cannot listen", where);
    return add_addresses(s, count);
}

int gale_server_listen_fd(gale_server_t *s, int fd, const char *options) {
    gale__listen_options_t taken;
    char where[GALE__WHERE];
    gale_str_t text = options == NULL ? gale_str(NULL, 0) : gale_cstr(options);
    gale__address_t *a = &s->address[s->address_count];
    int err = 0;
    snprintf(where, sizeof where, "descriptor %d", fd);
    if (atomic_load(&s->state) != GALE__SERVER_NEW) {
        err = GALE_ESTATE;
    } else if (s->address_count == GALE__MAX_LISTENERS) {
        err = GALE_ELIMIT;
    } else if (!gale__listen_options_parse(&taken, GALE__LISTEN_HANDED, text)) {
        err = GALE_EURL;
    }
    if (err < 0) {
        close(fd);
    } else {
        err = gale__address_adopt(a, fd, &taken, (int)s->config.backlog);
    }
    return err < 0 ? gale__server_fail(s, err, "cannot listen", where) : add_addresses(s, 1);
}

const char *gale_server_errmsg(const gale_server_t *s) {
    return s->errmsg;
}

int gale_server_port(const gale_server_t *s, size_t index) {
    for (size_t i = 0; i < s->address_count; i++) {
        if (s->address[i].call == index) return s->address[i].port;
    }
    return 0;
}

int gale_server_run(gale_server_t *s) {
    return gale__server_run(s);
}
int gale_server_start(gale_server_t *s) {
    return gale__server_start(s);
}
int gale_server_join(gale_server_t *s) {
    return gale__server_join(s);
}
int gale_server_attach(gale_server_t *s, void *uv_loop) {
    return gale__server_attach(s, uv_loop);
}

int gale_server_stop(gale_server_t *s) {
    gale__server_stop(s);
    return 0;
}

void gale_server_free(gale_server_t *s) {
    if (s != NULL) gale__server_destroy(s);
}

/* -------------------------------------------------------------------------------------- workers */

gale_worker_t *gale_worker_current(void) {
    return gale__worker_here();
}

size_t gale_server_workers(const gale_server_t *s) {
    return s->attached ? 1 : s->config.workers;
}

gale_worker_t *gale_server_worker(gale_server_t *s, size_t index) {
    if (atomic_load(&s->state) != GALE__SERVER_RUNNING) return NULL;
    return index < atomic_load(&s->worker_count) ? &s->workers[index] : NULL;
}

size_t gale_worker_index(const gale_worker_t *w) {
    return w->index;
}
void *gale_worker_loop(const gale_worker_t *w) {
    return w->loop;
}
void gale_worker_set_data(gale_worker_t *w, void *data) {
    w->data = data;
}
void *gale_worker_data(const gale_worker_t *w) {
    return w->data;
}
uint64_t gale_worker_now(const gale_worker_t *w) {
    return uv_now(w->loop);
}

int gale_worker_post(gale_worker_t *w, void (*fn)(void *), void *arg) {
    return gale__worker_post(w, fn, arg);
}

int gale_worker_call(gale_worker_t *w, void (*fn)(void *), void *arg) {
    if (!gale__on_loop(w)) return GALE_ETHREAD;
    gale_worker_t *before = gale__worker_enter(w);
    fn(arg);
    gale__worker_leave(before);
    return 0;
}

gale_timer_t *gale_timer_start(gale_worker_t *w, uint64_t ms, uint64_t repeat_ms,
                               void (*fn)(void *), void *data) {
    return gale__on_loop(w) ? gale__timer_start(w, ms, repeat_ms, fn, data) : NULL;
}

void gale_timer_stop(gale_timer_t *timer) {
    if (timer != NULL) gale__timer_stop(timer);
}
