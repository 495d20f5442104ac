/* A stop that loses no request: what is under way to connections without one is answered. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void answer(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 200, "hello"), 0);
}

static void open_rig(rig_t *rig, const char *url, uint32_t idle_ms, uint32_t grace_ms) {
    rig_init(rig);
    rig->request = answer;
    rig->url = url;
    rig->config.shutdown_idle_ms = idle_ms;
    if (grace_ms > 0) rig->config.shutdown_grace_ms = grace_ms;
    rig_open(rig);
}

/* Turns the loop until the other end has this many connections. */
static void until_open(rig_t *rig, uint64_t want) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    for (int i = 0; i < 500; i++) {
        rig_wait(rig, 1);
        CHECK_EQ_INT(gale_stats(rig->server, &stats), 0);
        if (stats.connections_open == want) return;
    }
    CHECK_EQ_UINT(stats.connections_open, want);
}

static void check_answer(int fd, bool keeps) {
    char out[1024];
    CHECK(sock_read(fd, out, sizeof out, "hello") > 0);
    CHECK_EQ_INT(rig_status_of(gale_cstr(out)), 200);
    CHECK(rig_has(gale_cstr(out), "\r\nConnection: close\r\n") == !keeps);
}

static void check_closed(int fd) {
    char byte[2];
    CHECK_EQ_INT(sock_read(fd, byte, sizeof byte, NULL), 0);
    close(fd);
}

/* H1-26: a request that has come but was not read when the server learns of the stop is answered. */
TEST(stop, what_has_come_is_answered_H1_26) {
    static const char *const urls[] = {"http://127.0.0.1:0", "unix:@gale-stop-test"};
    for (int way = 0; way < 2; way++) {
        rig_t rig;
        int fds[3];
        open_rig(&rig, urls[way], 0, 0);
        for (int i = 0; i < 3; i++) {
            fds[i] = way == 0 ? sock_connect(gale_server_port(rig.server, 0))
                              : sock_connect_unix(urls[way] + 5);
            REQUIRE(fds[i] >= 0);
        }
        until_open(&rig, 3);
        CHECK(sock_send(fds[1], GET)); /* one that has had a request */
        CHECK(rig_until(&rig, &rig.dones, 1, 2000));
        check_answer(fds[1], true);
        /* In this order both are there when the loop looks, and it learns of the stop first. */
        gale_server_stop(rig.server);
        CHECK(sock_send(fds[0], GET) && sock_send(fds[1], GET));
        CHECK(rig_until(&rig, &rig.dones, 3, 2000));
        check_answer(fds[0], false);
        check_answer(fds[1], false);
        rig_wait(&rig, 20);
        for (int i = 0; i < 3; i++) check_closed(fds[i]);
        rig_close(&rig);
    }
}

/* Behind a PROXY header as well. */
TEST(stop, what_has_come_behind_a_proxy_is_answered_H1_28) {
    rig_t rig;
    open_rig(&rig, "http://127.0.0.1:0?proxy=required", 0, 0);
    int fd = sock_connect(gale_server_port(rig.server, 0));
    int idle = sock_connect(gale_server_port(rig.server, 0));
    REQUIRE(fd >= 0 && idle >= 0);
    until_open(&rig, 2);
    gale_server_stop(rig.server);
    CHECK(sock_send(fd, "PROXY UNKNOWN\r\n" GET));
    CHECK(rig_until(&rig, &rig.dones, 1, 2000));
    check_answer(fd, false);
    rig_wait(&rig, 20);
    check_closed(fd);
    check_closed(idle);
    rig_close(&rig);
}

/* While the server waits, requests to connections that are there are answered, the last ones. */
TEST(stop, what_is_under_way_has_time_H1_26) {
    rig_t rig;
    open_rig(&rig, "http://127.0.0.1:0", 60000, 120000);
    int port = gale_server_port(rig.server, 0);
    int fresh = sock_connect(port), kept = sock_connect(port);
    REQUIRE(fresh >= 0 && kept >= 0);
    CHECK(sock_send(kept, GET) && rig_until(&rig, &rig.dones, 1, 2000));
    check_answer(kept, true);
    until_open(&rig, 2);
    gale_server_stop(rig.server);
    rig_wait(&rig, 20);
    CHECK_EQ_INT(sock_connect(port), -1); /* nobody new */
    CHECK(sock_send(fresh, GET) && rig_until(&rig, &rig.dones, 2, 2000));
    check_answer(fresh, false);
    CHECK(sock_send(kept, GET) && rig_until(&rig, &rig.dones, 3, 2000));
    check_answer(kept, false);
    rig_wait(&rig, 20);
    check_closed(fresh);
    check_closed(kept);
    rig_close(&rig);
}

/* And those that send nothing are closed when it is over, long before the grace is. */
TEST(stop, who_sends_nothing_is_closed_H1_26) {
    rig_t rig;
    rig_client_t client;
    open_rig(&rig, NULL, 50, 600000);
    rig_connect(&rig, &client);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 0);
    CHECK(rig_until(&rig, &client.closes, 1, 5000));
    rig_text_free(&client.out);
    rig_close(&rig);
}

/* It ends with the grace, though it was asked to be longer; and a second stop waits for nobody. */
TEST(stop, bounds_of_the_waiting_H1_26) {
    rig_t rig;
    rig_client_t client;
    open_rig(&rig, NULL, 600000, 50);
    rig_connect(&rig, &client);
    gale_server_stop(rig.server);
    CHECK(rig_until(&rig, &client.closes, 1, 5000));
    rig_text_free(&client.out);
    rig_close(&rig);
    open_rig(&rig, NULL, 600000, 600000);
    rig_connect(&rig, &client);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 0);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 1);
    rig_text_free(&client.out);
    rig_close(&rig);
}

/* Workers to whom another deals out clients end as well, in whatever order they learn of it. */
TEST(stop, workers_that_are_dealt_to_end) {
    for (int i = 0; i < 50; i++) {
        gale_config_t config = gale_config();
        config.workers = 4;
        gale_server_t *s = live_start(&config, NULL, NULL, "unix:@gale-stop-test");
        REQUIRE(s != NULL);
        int fds[6];
        for (int j = 0; j < 6; j++) {
            fds[j] = sock_connect_unix("@gale-stop-test");
            CHECK(fds[j] >= 0 && (j % 2 == 0 || sock_send(fds[j], GET)));
        }
        live_end(s);
        for (int j = 0; j < 6; j++) close(fds[j]);
    }
}

/* ------------------------------------------------------------------------------- from a callback */

static void stop_and_answer(rig_t *rig, gale_req_t *req) {
    if (rig->requests == 1) gale_server_stop(rig->server);
    CHECK_EQ_INT(gale_respond_text(req, 200, "last"), 0);
}

/* RFC 9112 9.6: the answer says that it is the last one, and it is. */
TEST(stop, in_a_callback_H1_04_H1_26) { /* H1-04, H1-26 */
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = stop_and_answer;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET GET);
    CHECK(rig_until(&rig, &client.closes, 1, 5000));
    gale_str_t out = gale_str(client.out.text, client.out.len);
    CHECK_EQ_UINT(rig_count(out, "HTTP/1.1 200"), 1);
    CHECK_EQ_UINT(rig_count(out, "\r\nConnection: close\r\n"), 1);
    CHECK_EQ_UINT(rig.requests, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

static gale_server_t *freed_in_callback;

static void free_and_answer(gale_req_t *req, void *data) {
    (void)data;
    gale_server_free(freed_in_callback);
    CHECK_EQ_INT(gale_respond_text(req, 200, "last"), 0);
}

static void *run_server(void *server) {
    CHECK_EQ_INT(gale_server_run(server), 0);
    return NULL;
}

/* gale_server_free by a handler: the request is answered, then the server goes. */
TEST(stop, free_in_a_callback) {
    for (int way = 0; way < 3; way++) { /* started, in run, in run and freed by another thread */
        gale_config_t config = gale_config();
        gale_handler_t handler = gale_handler();
        pthread_t thread;
        char out[512];
        config.workers = 2;
        handler.on_request = free_and_answer;
        gale_server_t *s = NULL;
        REQUIRE(gale_server_new(&s, &config) == 0);
        freed_in_callback = way == 2 ? NULL : s;
        CHECK_EQ_INT(gale_server_handle(s, &handler, NULL), 0);
        REQUIRE(gale_server_listen(s, "http://127.0.0.1:0") == 0);
        int port = gale_server_port(s, 0);
        if (way == 0) {
            REQUIRE(gale_server_start(s) == 0);
        } else {
            REQUIRE(pthread_create(&thread, NULL, run_server, s) == 0);
        }
        int fd = sock_connect(port);
        REQUIRE(fd >= 0 && sock_send(fd, GET));
        CHECK(sock_read(fd, out, sizeof out, "last") > 0);
        if (way == 2) gale_server_free(s);
        if (way != 0) pthread_join(thread, NULL);
        close(fd);
        /* The allocator can be replaced when the last server's memory is gone. */
        for (int i = 0; i < 500 && gale_set_allocator(NULL) != 0; i++) usleep(10000);
        CHECK_EQ_INT(gale_set_allocator(NULL), 0);
    }
}
