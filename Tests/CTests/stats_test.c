/* The counters: each event is counted once, gauges come back to where they were, several workers are
 * summed while they work. */
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"
#include "rig_ws.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static gale_stats_t look(const gale_server_t *s) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    CHECK_EQ_INT(gale_stats(s, &stats), 0);
    return stats;
}

/* The status stands in the target: "/404". */
static void answer_status(rig_t *rig, gale_req_t *req) {
    gale_str_t path = gale_req_path(req);
    int status = path.len == 4
                     ? (path.ptr[1] - '0') * 100 + (path.ptr[2] - '0') * 10 + (path.ptr[3] - '0')
                     : 0;
    (void)rig;
    if (status > 0) CHECK_EQ_INT(gale_respond_text(req, status, "x"), 0);
}

static size_t say(rig_t *rig, rig_client_t *client, const char *text) {
    rig_send(client, text);
    rig_turn(rig, 3);
    return strlen(text);
}

TEST(stats, nothing_before_run) {
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    gale_stats_t stats = look(s), zero = {.struct_size = sizeof zero};
    CHECK_EQ_MEM(&stats, &zero, sizeof stats);
    gale_server_free(s);
}

TEST(stats, sizes_of_the_struct) {
    struct {
        gale_stats_t known;
        uint64_t unknown;
    } longer;
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    memset(&longer, 0, sizeof longer);
    longer.known.requests = 7;
    longer.known.struct_size = sizeof longer;
    CHECK_EQ_INT(gale_stats(s, &longer.known), 0);
    CHECK_EQ_UINT(longer.known.struct_size, sizeof longer);
    CHECK_EQ_UINT(longer.known.requests | longer.unknown, 0);
    longer.known.struct_size = offsetof(gale_stats_t, blocks_held);
    CHECK_EQ_INT(gale_stats(s, &longer.known), GALE_EVERSION);
    gale_server_free(s);
}

TEST(stats, requests_responses_bytes) {
    static const char *const paths[] = {"/200", "/204", "/302", "/404", "/409", "/500"};
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = answer_status;
    rig_open(&rig);
    rig_connect(&rig, &client);
    size_t in = 0, out = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[64];
        snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
        in += say(&rig, &client, text);
    }
    out = rig_take(&client).len;
    gale_stats_t stats = look(rig.server);
    CHECK_EQ_UINT(stats.connections_accepted, 1);
    CHECK_EQ_UINT(stats.connections_open, 1);
    CHECK_EQ_UINT(stats.requests, 6);
    CHECK_EQ_UINT(stats.responses_1xx, 0);
    CHECK_EQ_UINT(stats.responses_2xx, 2);
    CHECK_EQ_UINT(stats.responses_3xx, 1);
    CHECK_EQ_UINT(stats.responses_4xx, 2);
    CHECK_EQ_UINT(stats.responses_5xx, 1);
    CHECK_EQ_UINT(stats.bytes_in, in);
    CHECK_EQ_UINT(stats.bytes_out, out);
    CHECK_EQ_UINT(stats.blocks_held, 1);
    rig_drop(&rig, &client);
    CHECK_EQ_UINT(look(rig.server).connections_open, 0);
    CHECK_EQ_UINT(look(rig.server).connections_accepted, 1);
    rig_close(&rig);
}

/* What the client did not take counts when it does. */
TEST(stats, bytes_of_a_slow_reader) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    say(&rig, &client, GET);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_respond(rig.req, 200, NULL, 0, gale_str(rig_pattern(300000), 300000)), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(look(rig.server).bytes_out, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(look(rig.server).bytes_out, client.out.len);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(stats, bad_requests_by_kind_H1_09_H1_10) {
    static const struct {
        const char *text;
        size_t field;
        int status;
    } cases[] = {
        {"BAD\r\n\r\n", offsetof(gale_stats_t, bad_syntax), 400},
        {"GET / HTTP/1.1\r\n\r\n", offsetof(gale_stats_t, bad_syntax), 400},
        {"GET / HTTP/3.0\r\n\r\n", offsetof(gale_stats_t, bad_other), 505},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\n",
         offsetof(gale_stats_t, bad_body), 413},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
         offsetof(gale_stats_t, bad_syntax), 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nC: d\r\n\r\n", offsetof(gale_stats_t, bad_head),
         431},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[512];
        rig_t rig;
        rig_init(&rig);
        rig.config.max_body_bytes = 10;
        rig.config.max_headers = 2;
        rig_open(&rig);
        rig_ask(&rig, cases[i].text, out, sizeof out);
        gale_stats_t stats = look(rig.server);
        uint64_t count;
        memcpy(&count, (char *)&stats + cases[i].field, sizeof count);
        CHECK_EQ_INT(rig_status_of(gale_cstr(out)), cases[i].status);
        CHECK_MSG(count == 1, "%s: counted %u times", cases[i].text, (unsigned)count);
        CHECK_EQ_UINT(stats.bad_syntax + stats.bad_target + stats.bad_head + stats.bad_body +
                          stats.bad_other,
                      1);
        CHECK_EQ_UINT(stats.responses_4xx + stats.responses_5xx, 1);
        rig_close(&rig);
    }
}

TEST(stats, a_target_that_is_too_long_H1_09) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.max_header_bytes = 256;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "GET /");
    rig_send_bytes(&client, rig_pattern(300), 300);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 414);
    CHECK_EQ_UINT(look(rig.server).bad_target, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(stats, timeouts_by_phase) {
    static const struct {
        const char *text;
        size_t field;
    } cases[] = {
        {"", offsetof(gale_stats_t, timeouts_header)},
        {"GET / HT", offsetof(gale_stats_t, timeouts_header)},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
         offsetof(gale_stats_t, timeouts_body)},
        {"GET /200 HTTP/1.1\r\nHost: h\r\n\r\n", offsetof(gale_stats_t, timeouts_idle)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.request = answer_status;
        rig.config.header_timeout_ms = rig.config.body_timeout_ms = 60;
        rig.config.idle_timeout_ms = 60;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, cases[i].text);
        CHECK(rig_until(&rig, &client.closes, 1, 5000));
        gale_stats_t stats = look(rig.server);
        uint64_t count;
        memcpy(&count, (char *)&stats + cases[i].field, sizeof count);
        CHECK_MSG(count == 1, "case %zu: counted %u times", i, (unsigned)count);
        CHECK_EQ_UINT(stats.timeouts_header + stats.timeouts_body + stats.timeouts_idle +
                          stats.timeouts_write + stats.timeouts_close,
                      1);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

TEST(stats, websockets) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.echo = true};
    rig_text_t frames = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    rig_frame(&frames, 0x81, "hello", 5);
    rig_frame(&frames, 0x01, "in", 2); /* one message in two frames */
    rig_frame(&frames, 0x80, " two", 4);
    rig_frame(&frames, 0x89, "ping", 4); /* no message */
    rig_send_bytes(&client, frames.text, frames.len);
    rig_turn(&rig, 3);
    gale_stats_t stats = look(rig.server);
    CHECK_EQ_UINT(stats.responses_1xx, 1);
    CHECK_EQ_UINT(stats.websockets_open, 1);
    CHECK_EQ_UINT(stats.messages_in, 2);
    CHECK_EQ_UINT(stats.messages_out, 2);
    rig_text_free(&frames);
    gale_peer_close(client.peer);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(look(rig.server).websockets_open, 0);
    rig_ws_close(&rig, &client, &ws);
}

static void hold_up(rig_t *rig, gale_req_t *req) {
    (void)rig;
    if (gale_req_path(req).len > 1) usleep(300000);
    CHECK_EQ_INT(gale_respond_text(req, 200, "x"), 0);
}

/* A handler that blocks is seen. */
TEST(stats, loop_lag) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = hold_up;
    rig_open(&rig);
    rig_connect(&rig, &client);
    say(&rig, &client, GET);
    uint64_t worst = 0;
    for (int i = 0; i < 40 && worst < 100; i++) {
        say(&rig, &client, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
        if (look(rig.server).loop_lag_ms > worst) worst = look(rig.server).loop_lag_ms;
    }
    CHECK(worst >= 100);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* Read by another thread all the while; exact when the workers are at rest, and after they ended. */
TEST(stats, sums_over_workers) {
    enum { CLIENTS = 24, REQUESTS = 50 };
    gale_config_t config = gale_config();
    config.workers = 3;
    gale_server_t *s = live_start(&config, NULL, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fds[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) fds[i] = sock_connect(gale_server_port(s, 0));
    uint64_t last = 0;
    for (int k = 0; k < REQUESTS; k++) {
        for (int i = 0; i < CLIENTS; i++) CHECK(sock_send(fds[i], GET));
        for (int i = 0; i < CLIENTS; i++) CHECK(sock_read_responses(fds[i], 1));
        gale_stats_t now = look(s);
        CHECK(now.requests >= last);
        last = now.requests;
    }
    gale_stats_t stats = look(s);
    CHECK_EQ_UINT(stats.requests, CLIENTS * REQUESTS);
    CHECK_EQ_UINT(stats.responses_2xx, CLIENTS * REQUESTS);
    CHECK_EQ_UINT(stats.bytes_in, CLIENTS * REQUESTS * strlen(GET));
    CHECK_EQ_UINT(stats.connections_open, CLIENTS);
    for (int i = 0; i < CLIENTS; i++) close(fds[i]);
    CHECK_EQ_INT(gale_server_stop(s), 0);
    CHECK_EQ_INT(gale_server_join(s), 0);
    stats = look(s);
    CHECK_EQ_UINT(stats.connections_accepted, CLIENTS);
    CHECK_EQ_UINT(stats.connections_open, 0);
    CHECK_EQ_UINT(stats.requests, CLIENTS * REQUESTS);
    gale_server_free(s);
}
