/* gale_server_*: states, stopping from everywhere, freeing in each state, attaching. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "rig_alloc.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void hello(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "hello");
}

static gale_server_t *make(unsigned workers, void (*on_request)(gale_req_t *, void *), void *data) {
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    gale_server_t *s = NULL;
    config.workers = workers;
    h.on_request = on_request;
    CHECK_EQ_INT(gale_server_new(&s, &config), 0);
    CHECK_EQ_INT(gale_server_handle(s, &h, data), 0);
    return s;
}

/* --------------------------------------------------------------------------------- wrong states */

TEST(server, without_a_handler_it_does_not_run) {
    for (int way = 0; way < 3; way++) {
        gale_server_t *s;
        gale_handler_t h = gale_handler();
        uv_loop_t loop;
        REQUIRE(gale_server_new(&s, NULL) == 0 && uv_loop_init(&loop) == 0);
        gale_server_stop(s); /* if it ran all the same, the test would fail and not hang */
        CHECK_EQ_INT(way == 0   ? gale_server_run(s)
                     : way == 1 ? gale_server_start(s)
                                : gale_server_attach(s, &loop),
                     GALE_ESTATE);
        CHECK_MSG(rig_has(gale_cstr(gale_server_errmsg(s)), "cannot run without a handler: "),
                  "way %d: %s", way, gale_server_errmsg(s));
        CHECK_EQ_INT(gale_server_join(s), GALE_ESTATE);
        h.on_request = hello; /* and nothing is lost */
        CHECK_EQ_INT(gale_server_handle(s, &h, NULL), 0);
        CHECK_EQ_INT(gale_server_run(s), 0);
        gale_server_free(s);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK_EQ_INT(uv_loop_close(&loop), 0);
    }
}

static void other(gale_req_t *req, void *data) {
    (void)data;
    gale_respond_text(req, 200, "other");
}

TEST(server, the_handler_is_set_once) {
    gale_server_t *s;
    gale_handler_t h = gale_handler();
    char out[1024] = "";
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_server_handle(s, &h, NULL), UV_EINVAL); /* does not count */
    h.on_request = hello;
    CHECK_EQ_INT(gale_server_handle(s, &h, NULL), 0);
    h.on_request = other;
    CHECK_EQ_INT(gale_server_handle(s, &h, NULL), GALE_ESTATE);
    CHECK(rig_has(gale_cstr(gale_server_errmsg(s)), "cannot set the handler: "));
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), 0);
    REQUIRE(gale_server_start(s) == 0);
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(fd >= 0 && sock_send(fd, GET) && sock_read(fd, out, sizeof out, "hello") > 0);
    CHECK(rig_has(gale_cstr(out), "hello"));
    close(fd);
    live_end(s);
}

TEST(server, runs_once) {
    gale_server_t *s = make(2, hello, NULL);
    gale_handler_t h = gale_handler();
    uv_loop_t loop;
    h.on_request = hello;
    REQUIRE(uv_loop_init(&loop) == 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    CHECK_EQ_INT(gale_server_start(s), GALE_ESTATE);
    CHECK_EQ_INT(gale_server_run(s), GALE_ESTATE);
    CHECK_EQ_INT(gale_server_attach(s, &loop), GALE_ESTATE);
    CHECK(rig_has(gale_cstr(gale_server_errmsg(s)), "cannot run: ")); /* it has a handler */
    CHECK_EQ_INT(gale_server_handle(s, &h, NULL), GALE_ESTATE);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), GALE_ESTATE);
    CHECK_EQ_UINT(gale_server_workers(s), 2);
    live_end(s);
    CHECK_EQ_INT(uv_loop_close(&loop), 0);
}

TEST(server, the_allocator_stays_while_there_is_a_server) {
    gale_server_t *s = make(1, hello, NULL);
    CHECK_EQ_INT(gale_set_allocator(NULL), GALE_ESTATE);
    gale_server_free(s);
    CHECK_EQ_INT(gale_set_allocator(NULL), 0);
    rig_t rig;
    rig_init(&rig);
    rig_open(&rig);
    gale_server_free(rig.server); /* its memory goes with the loop */
    CHECK_EQ_INT(gale_set_allocator(NULL), GALE_ESTATE);
    while (uv_run(&rig.loop, UV_RUN_DEFAULT) != 0) {
    }
    CHECK_EQ_INT(gale_set_allocator(NULL), 0);
    CHECK_EQ_INT(uv_loop_close(&rig.loop), 0);
}

/* -------------------------------------------------------------------------------------- freeing */

TEST(server, is_freed_in_each_state) {
    gale_server_free(NULL);
    gale_server_free(make(1, hello, NULL));
    gale_server_t *s = make(1, hello, NULL);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), 0);
    gale_server_free(s); /* listening */
    s = make(2, hello, NULL);
    CHECK_EQ_INT(gale_server_start(s), 0);
    gale_server_free(s); /* running: stopped and joined first */
    s = make(2, hello, NULL);
    CHECK_EQ_INT(gale_server_start(s), 0);
    CHECK_EQ_INT(gale_server_stop(s), 0);
    gale_server_free(s); /* stopping */
    s = make(2, hello, NULL);
    CHECK_EQ_INT(gale_server_start(s), 0);
    gale_server_stop(s);
    CHECK_EQ_INT(gale_server_join(s), 0);
    CHECK_EQ_INT(gale_server_join(s), 0);
    CHECK_EQ_INT(gale_server_stop(s), 0); /* after the end it is nothing */
    gale_server_free(s);
}

static void free_at_start(gale_worker_t *worker, void *data) {
    if (gale_worker_index(worker) == 0) gale_server_free(*(gale_server_t **)data);
}

/* The allocator can be replaced only then. */
static bool wait_until_all_are_gone(void) {
    for (int i = 0; i < 10000; i++) {
        if (gale_set_allocator(NULL) == 0) return true;
        usleep(1000);
    }
    return false;
}

/* The first callback there is: others of its threads may not have begun. */
TEST(server, is_freed_when_a_worker_starts) {
    for (int i = 0; i < 50; i++) {
        gale_config_t config = gale_config();
        gale_handler_t h = gale_handler();
        gale_server_t *s = NULL;
        config.workers = 8;
        h.on_request = hello;
        h.on_worker_start = free_at_start;
        CHECK_EQ_INT(gale_server_new(&s, &config), 0);
        CHECK_EQ_INT(gale_server_handle(s, &h, &s), 0);
        CHECK_EQ_INT(i % 2 == 0 ? gale_server_start(s) : gale_server_run(s), 0);
        REQUIRE(wait_until_all_are_gone());
    }
}

/* Attached: freed before the loop runs, while a request is open, after the stop. */
TEST(server, attached_is_cut_when_it_is_freed) {
    for (int way = 0; way < 3; way++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.url = "http://127.0.0.1:0";
        rig_open(&rig);
        if (way > 0) {
            rig_connect(&rig, &client);
            rig_send(&client, GET);
            rig_turn(&rig, 2);
        }
        if (way == 2) gale_server_stop(rig.server), rig_turn(&rig, 2);
        rig_close(&rig);
        if (way == 0) continue;
        CHECK_EQ_INT(rig.last_status, GALE_ESHUTDOWN);
        CHECK_EQ_UINT(client.closes, 1);
        rig_text_free(&client.out);
    }
}

static void *free_it(void *arg) {
    gale_server_free(arg);
    return NULL;
}

TEST(server, attached_is_freed_by_another_thread_while_the_loop_runs) {
    for (int i = 0; i < 50; i++) {
        uv_loop_t loop;
        pthread_t thread;
        REQUIRE(uv_loop_init(&loop) == 0);
        gale_server_t *s = make(1, hello, NULL);
        CHECK_EQ_INT(gale_server_attach(s, &loop), 0);
        if (i % 2 == 0) gale_server_stop(s);
        REQUIRE(pthread_create(&thread, NULL, free_it, s) == 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        pthread_join(thread, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        CHECK_EQ_INT(uv_loop_close(&loop), 0);
    }
}

/* Others' handles on the loop are left alone, and the loop ends when they do. */
static void count_tick(uv_timer_t *t) {
    unsigned *ticks = t->data;
    if (++*ticks == 3) uv_timer_stop(t);
}

TEST(server, attached_leaves_the_loop_to_its_owner) {
    rig_t rig;
    uv_timer_t timer;
    unsigned ticks = 0;
    rig_init(&rig);
    rig_open(&rig);
    uv_timer_init(&rig.loop, &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, count_tick, 1, 1);
    gale_server_stop(rig.server);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    CHECK_EQ_UINT(ticks, 3);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&rig.loop, UV_RUN_DEFAULT);
    rig_close(&rig);
}

TEST(server, two_on_one_loop) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    gale_server_t *other = make(1, hello, NULL);
    CHECK_EQ_INT(gale_server_attach(other, &rig.loop), 0);
    CHECK_EQ_UINT(gale_server_workers(other), 1);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    gale_server_free(other);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "still here"), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------------------- stopping */

TEST(server, stop_before_run) {
    gale_server_t *s = make(2, hello, NULL);
    CHECK_EQ_INT(gale_server_stop(s), 0);
    CHECK_EQ_INT(gale_server_run(s), 0);
    gale_server_free(s);
    s = make(2, hello, NULL);
    gale_server_stop(s);
    CHECK_EQ_INT(gale_server_start(s), 0);
    CHECK_EQ_INT(gale_server_join(s), 0);
    gale_server_free(s);
}

static void hello_and_stop(gale_req_t *req, void *data) {
    gale_server_t **s = data;
    CHECK_EQ_INT(gale_server_stop(*s), 0);
    CHECK_EQ_INT(gale_server_join(*s), GALE_ETHREAD);
    gale_respond_text(req, 200, "bye");
}

TEST(server, stop_and_join_in_on_request) {
    gale_server_t *s = NULL;
    s = make(2, hello_and_stop, &s);
    CHECK_EQ_INT(gale_server_listen(s, "http://127.0.0.1:0"), 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    char out[1024];
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(fd >= 0 && sock_send(fd, GET) && sock_read(fd, out, sizeof out, NULL) > 0);
    CHECK(rig_has(gale_cstr(out), "bye"));
    CHECK_EQ_INT(gale_server_join(s), 0);
    close(fd);
    gale_server_free(s);
}

static gale_server_t *signalled;

static void on_signal(int number) {
    (void)number;
    gale_server_stop(signalled);
}

static void raise_when_running(gale_worker_t *worker, void *data) {
    (void)worker, (void)data;
    raise(SIGUSR1);
}

TEST(server, stop_from_a_signal_handler) {
    struct sigaction action = {.sa_handler = on_signal}, before;
    gale_config_t config = gale_config();
    gale_handler_t h = gale_handler();
    config.workers = 2;
    h.on_request = hello;
    h.on_worker_start = raise_when_running;
    REQUIRE(gale_server_new(&signalled, &config) == 0);
    CHECK_EQ_INT(gale_server_handle(signalled, &h, NULL), 0);
    sigaction(SIGUSR1, &action, &before);
    CHECK_EQ_INT(gale_server_run(signalled), 0);
    sigaction(SIGUSR1, &before, NULL);
    gale_server_free(signalled);
}

TEST(server, sigpipe_is_ignored_unless_someone_cares) {
    struct sigaction before, now, mine = {.sa_handler = on_signal};
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, &before);
    gale_server_t *s = make(1, hello, NULL);
    gale_server_stop(s);
    CHECK_EQ_INT(gale_server_run(s), 0);
    sigaction(SIGPIPE, NULL, &now);
    CHECK(now.sa_handler == SIG_IGN);
    gale_server_free(s);
    sigaction(SIGPIPE, &mine, NULL);
    s = make(1, hello, NULL);
    gale_server_stop(s);
    CHECK_EQ_INT(gale_server_run(s), 0);
    sigaction(SIGPIPE, NULL, &now);
    CHECK(now.sa_handler == on_signal);
    gale_server_free(s);
    sigaction(SIGPIPE, &before, NULL);
}

TEST(server, stops_under_load) {
    for (int round = 0; round < 5; round++) {
        gale_config_t config = gale_config();
        config.workers = 2;
        config.shutdown_grace_ms = 50; /* what has half arrived may still arrive */
        gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
        REQUIRE(s != NULL);
        int fds[16];
        for (int i = 0; i < 16; i++) {
            fds[i] = sock_connect(gale_server_port(s, 0));
            CHECK(fds[i] >= 0 && sock_send(fds[i], GET GET "GET / HT"));
        }
        live_end(s);
        for (int i = 0; i < 16; i++) close(fds[i]);
    }
}

/* --------------------------------------------------------------------------------------- errors */

TEST(server, no_memory_while_starting) {
    for (int way = 0; way < 2; way++) {
        for (unsigned long n = 1; n < 20; n++) {
            gale_config_t config = gale_config();
            gale_handler_t h = gale_handler();
            gale_server_t *s = NULL;
            uv_loop_t loop;
            config.workers = 2;
            h.on_request = hello;
            REQUIRE(uv_loop_init(&loop) == 0);
            rig_alloc_begin(n, false);
            int err = gale_server_new(&s, &config);
            if (err == 0) err = gale_server_handle(s, &h, NULL);
            if (err == 0) err = gale_server_listen(s, "http://127.0.0.1:0");
            if (err == 0) err = way == 0 ? gale_server_start(s) : gale_server_attach(s, &loop);
            CHECK_EQ_INT(err, rig_alloc_refused() ? UV_ENOMEM : 0);
            CHECK(err == 0 || s == NULL || strlen(gale_server_errmsg(s)) > 0);
            gale_server_free(s);
            uv_run(&loop, UV_RUN_DEFAULT);
            CHECK_EQ_INT(uv_loop_close(&loop), 0);
            bool refused = rig_alloc_refused();
            rig_alloc_end();
            if (!refused) break;
        }
    }
}

/* Several listeners, each served; and a bound. */
TEST(server, many_listeners_and_no_more) {
    gale_server_t *s = make(2, hello, NULL);
    int err = 0, count = 0;
    while (count < 100 && (err = gale_server_listen(s, "http://127.0.0.1:0")) == 0) count++;
    CHECK_EQ_INT(err, GALE_ELIMIT);
    CHECK(count >= 16);
    for (int i = 0; i < count; i++) CHECK(gale_server_port(s, (size_t)i) > 0);
    CHECK_EQ_INT(gale_server_start(s), 0);
    for (int i = 0; i < count; i++) {
        int fd = sock_connect(gale_server_port(s, (size_t)i));
        CHECK(fd >= 0 && sock_send(fd, GET) && sock_read_responses(fd, 1));
        close(fd);
    }
    live_end(s);
}
