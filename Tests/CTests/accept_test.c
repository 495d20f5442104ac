/*
 * The acceptance tests of the C core that are not about one file: a thousand servers, ten thousand
 * pipelined requests, every split of every kind of request, the client that leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"

static void echo_target(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond(req, 200, NULL, 0, gale_req_target(req)), 0);
}

/* --------------------------------------------------------------------------- a thousand servers */

static void thousand(bool with_request) {
    gale_config_t config = gale_config();
    config.workers = 1;
    for (int i = 0; i < (with_request ? 20 : 500); i++) {
        gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
        REQUIRE(s != NULL);
        if (with_request) {
            int fd = sock_connect(gale_server_port(s, 0));
            REQUIRE(fd >= 0 && sock_send(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
            CHECK(sock_read_responses(fd, 1));
            close(fd);
        }
        live_end(s);
        if (test_failures() > 0) return;
    }
}

static void attach_and_free(int i) {
    rig_t rig;
    rig_client_t client;
    char out[512];
    rig_init(&rig);
    rig.request = echo_target;
    if (i % 2 == 0) rig.url = "http://127.0.0.1:0";
    rig_open(&rig);
    if (i % 3 == 0) rig_ask(&rig, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", out, sizeof out);
    if (i % 5 == 0) { /* freed with a client in the middle of a head */
        rig_connect(&rig, &client);
        rig_send(&client, "GET / HT");
    }
    rig_close(&rig);
    if (i % 5 == 0) {
        CHECK_EQ_UINT(client.closes, 1);
        rig_text_free(&client.out);
    }
}

TEST(accept, thousand_servers_leak_nothing) {
    thousand(true); /* what the C library keeps for ever is there from now on */
    unsigned before = rig_open_fds();
    thousand(false);
    for (int i = 0; i < 500; i++) attach_and_free(i);
    CHECK_EQ_UINT(rig_open_fds(), before);
}

/* -------------------------------------------------------------- ten thousand pipelined requests */

enum { PIPELINED = 10000 };

static uint32_t random_below(uint32_t *state, uint32_t limit) {
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % limit;
}

typedef struct {
    uint32_t state;
    gale_ref_t waiting;
    bool late;
} pipeline_t;

static void answer_waiting(void *data) {
    rig_t *rig = data;
    pipeline_t *p = rig->arg;
    gale_req_t *req = gale_ref_req(rig->server, p->waiting);
    if (req != NULL) CHECK_EQ_INT(gale_respond(req, 200, NULL, 0, gale_req_target(req)), 0);
}

/* One in eight waits for a later turn of the loop. */
static void pipelined(rig_t *rig, gale_req_t *req) {
    pipeline_t *p = rig->arg;
    if (!p->late || random_below(&p->state, 8) != 0) {
        echo_target(rig, req);
        return;
    }
    p->waiting = gale_req_ref(req);
    CHECK_EQ_INT(gale_worker_post(gale_req_worker(req), answer_waiting, rig), 0);
}

static void add_request(rig_text_t *all, unsigned i) {
    if (i % 7 == 3) {
        rig_text_addf(all, "POST /%u HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde", i);
    } else if (i % 7 == 5) {
        rig_text_addf(all,
                      "PUT /%u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                      i);
    } else {
        rig_text_addf(all, "GET /%u HTTP/1.1\r\nHost: h\r\n\r\n", i);
    }
}

/* The bodies, which name the requests, must count up. */
static void check_order(const char *text) {
    unsigned next = 0;
    while ((text = strstr(text, "\r\n\r\n/")) != NULL) {
        unsigned long number = strtoul(text + 5, NULL, 10);
        CHECK_EQ_UINT(number, next);
        if (number != next) return;
        next++;
        text += 5;
    }
    CHECK_EQ_UINT(next, PIPELINED);
}

static void run_pipeline(bool late, uint32_t seed) {
    rig_t rig;
    rig_client_t client;
    pipeline_t p = {.state = seed, .late = late};
    rig_init(&rig);
    rig.request = pipelined;
    rig.arg = &p;
    rig.keep_log = false;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_text_t all = {0};
    for (unsigned i = 0; i < PIPELINED; i++) add_request(&all, i);
    for (size_t at = 0; at < all.len;) {
        size_t n = 1 + random_below(&p.state, random_below(&p.state, 4) == 0 ? 20000 : 200);
        if (n > all.len - at) n = all.len - at;
        int err = rig_send_bytes(&client, all.text + at, n);
        CHECK_EQ_INT(err, 0);
        if (err < 0) break;
        at += n;
        if (late && random_below(&p.state, 4) == 0) rig_turn(&rig, 1);
    }
    CHECK(rig_until(&rig, &rig.dones, PIPELINED, 20000));
    rig_turn(&rig, 3);
    check_order(client.out.text);
    rig_drop(&rig, &client);
    rig_text_free(&all);
    rig_close(&rig);
}

TEST(accept, ten_thousand_pipelined_in_random_splits_H1_05) {
    for (uint32_t seed = 1; seed <= 3; seed++) run_pipeline(false, seed);
}

TEST(accept, ten_thousand_pipelined_with_late_answers_H1_05) {
    for (uint32_t seed = 1; seed <= 3; seed++) run_pipeline(true, seed);
}

/* In batches that the two kernels' buffers hold, or both sides would wait for each other. */
TEST(accept, ten_thousand_pipelined_over_a_socket) {
    enum { BATCH = 250 };
    gale_config_t config = gale_config();
    config.workers = 1;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    rig_text_t batch = {0};
    bool ok = fd >= 0;
    for (unsigned i = 0; ok && i < PIPELINED; i += BATCH) {
        rig_text_clear(&batch);
        for (unsigned j = 0; j < BATCH; j++) add_request(&batch, i + j);
        ok = sock_send_bytes(fd, batch.text, batch.len) && sock_read_responses(fd, BATCH);
    }
    CHECK(ok);
    close(fd);
    rig_text_free(&batch);
    live_end(s);
}

/* ----------------------------------------------------------------------------- who leaves early */

TEST(accept, client_leaves_while_a_handler_waits) {
    for (int way = 0; way < 2; way++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(rig.requests, 1);
        CHECK_EQ_UINT(rig.dones, 0);
        if (way == 0) gale_peer_close(client.peer);
        if (way == 1) gale_peer_shutdown(client.peer);
        rig_turn(&rig, 5);
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_INT(rig.last_status, GALE_EGONE);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}
