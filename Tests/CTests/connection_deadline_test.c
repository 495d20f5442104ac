/* Clients that are too slow, by the bytes they move: heads, bodies, responses, WebSockets. How many
 * requests and how long a life a connection has. See connection_test.c for silence. */
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"
#include "rig_ws.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

enum { RATE = 1000, GRACE = 200, LONG = 60000, SOON = 5000 };

/* So that nothing but the pace can end a connection. */
static void set_pace(rig_t *rig) {
    rig_init(rig);
    rig->config.header_timeout_ms = rig->config.body_timeout_ms = LONG;
    rig->config.write_timeout_ms = LONG;
    rig->config.min_receive_rate = rig->config.min_send_rate = RATE;
    rig->config.rate_grace_ms = GRACE;
}

static void answer_ok(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

static gale_stats_t look(const gale_server_t *s) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    CHECK_EQ_INT(gale_stats(s, &stats), 0);
    return stats;
}

/* --------------------------------------------------------------------------------------- too slow */

/* Each piece comes long before a timeout, all of them too slowly. */
TEST(connection_deadline, trickled_requests_are_408_H1_02) {
    static const struct {
        const char *first, *piece;
        bool streaming, announced;
    } cases[] = {
        {"GET / HTTP/1.1\r\nA: ", "x", false, false},
        {POST, "x", false, false},
        {POST, "x", true, true},
        {CHUNKED, "1\r\nx\r\n", false, false},
        {CHUNKED, "1\r\nx\r\n", true, true},
        {CHUNKED, "1;", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_t rig;
        rig_client_t client;
        set_pace(&rig);
        rig.streaming = cases[i].streaming;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, cases[i].first);
        for (int k = 0; k < 400 && client.closes == 0; k++) {
            rig_send(&client, cases[i].piece);
            rig_wait(&rig, 25);
        }
        CHECK_MSG(client.closes == 1, "case %zu: still open", i);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
        CHECK_EQ_UINT(rig.dones, cases[i].announced);
        if (cases[i].announced) CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
        CHECK_EQ_UINT(look(rig.server).timeouts_header + look(rig.server).timeouts_body, 1);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

/* Small pieces are no crime when they are enough. */
TEST(connection_deadline, a_steady_body_is_served) {
    enum { PIECE = 500, PIECES = 40 };
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.request = answer_ok;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n");
    for (int i = 0; i < PIECES; i++) {
        rig_wait(&rig, 20);
        rig_send_bytes(&client, rig_pattern(PIECE), PIECE);
    }
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* A client cannot send for a time what it then withholds for as long: its credit ends with the
 * grace. */
TEST(connection_deadline, a_good_start_does_not_last) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.streaming = true;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, POST);
    rig_send_bytes(&client, rig_pattern(90000), 90000); /* worth 90 seconds */
    for (int k = 0; k < 400 && client.closes == 0; k++) {
        rig_send(&client, "x");
        rig_wait(&rig, 25);
    }
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* While the handler has paused it is not the client who is slow. */
TEST(connection_deadline, a_pause_does_not_count) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.streaming = true;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, POST);
    REQUIRE(rig.req != NULL);
    gale_req_pause(rig.req);
    for (int i = 0; i < 20; i++) {
        rig_send(&client, "x");
        rig_wait(&rig, 25);
    }
    CHECK_EQ_UINT(client.closes, 0);
    CHECK(rig.req != NULL);
    gale_req_resume(rig.req);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(client.closes, 0);
    CHECK_EQ_UINT(rig.in.len, 20);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(connection_deadline, no_minimum) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.config.min_receive_rate = UINT32_MAX;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, POST);
    for (int i = 0; i < 20; i++) {
        rig_send(&client, "x");
        rig_wait(&rig, 25);
    }
    CHECK_EQ_UINT(client.closes, 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* A message that has begun to come is in memory until it is whole: in one frame, in several, or only
 * the head of one. Between messages there is no hurry. */
TEST(connection_deadline, half_a_message_is_cut) {
    static const struct {
        const char *bytes, *drip;
        size_t len;
    } cases[] = {
        {"\x82\xfe\x10\x00mask", NULL, 8}, /* silent in a frame */
        {"\x82\xfe\x10\x00mask", "x", 8},  /* byte by byte */
        {"\x02\x81mask.", NULL, 7},        /* silent between fragments */
        {"\x02\x81mask.\x80", NULL, 8},    /* half the head of the second */
        {"\x82", NULL, 1},                 /* silent in a head */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        set_pace(&rig);
        rig.config.body_timeout_ms = cases[i].drip == NULL ? 100 : LONG;
        rig_ws_open(&rig, &client, &ws);
        rig_wait(&rig, 300);
        CHECK_EQ_UINT(ws.closes, 0);
        rig_send_bytes(&client, cases[i].bytes, cases[i].len);
        for (int k = 0; k < 400 && ws.closes == 0; k++) {
            if (cases[i].drip != NULL) rig_send(&client, cases[i].drip);
            rig_wait(&rig, 15);
        }
        CHECK_MSG(ws.closes == 1 && ws.code == 1008, "case %zu: code %d", i, ws.code);
        CHECK(rig_has(rig_take(&client), "\x88\x1d\x03\xf0the message came too slowly"));
        CHECK_EQ_UINT(look(rig.server).timeouts_body, 1);
        rig_ws_close(&rig, &client, &ws);
    }
}

/* -------------------------------------------------------------------------------- slow readers */

enum { BIG = 12 << 20 };

static void answer_big(rig_t *rig, gale_req_t *req) {
    gale_buf_t body = {rig_pattern(BIG), BIG, NULL, NULL};
    (void)rig;
    CHECK_EQ_INT(gale_respond_buf(req, 200, NULL, 0, body), 0);
}

/* A socket with a window of about this size, whose response is on its way. */
static int slow_reader(rig_t *rig, int size) {
    int fd = sock_connect(gale_server_port(rig->server, 0));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    CHECK(fd >= 0 && sock_send(fd, GET));
    rig_wait(rig, 50);
    CHECK_EQ_UINT(rig->requests, 1);
    CHECK_EQ_UINT(rig->dones, 0);
    return fd;
}

/* It takes a byte now and then, so that something always moves. */
TEST(connection_deadline, a_reader_of_single_bytes_is_cut) {
    rig_t rig;
    char byte;
    set_pace(&rig);
    rig.config.min_send_rate = 100000;
    rig.config.write_timeout_ms = 500;
    rig.request = answer_big;
    rig.url = "http://127.0.0.1:0";
    rig_open(&rig);
    int fd = slow_reader(&rig, 2048);
    for (int i = 0; i < 400 && rig.dones == 0; i++) {
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0) break;
        rig_wait(&rig, 20);
    }
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    CHECK_EQ_UINT(look(rig.server).timeouts_write, 1);
    CHECK_EQ_UINT(look(rig.server).connections_open, 0);
    close(fd);
    rig_close(&rig);
}

/* One that takes a little more than the least gets all of it, however long that takes: what lies in
 * the system's buffers and is taken from there counts. */
TEST(connection_deadline, a_slow_reader_that_keeps_pace_is_served) {
    static char bytes[65536];
    rig_t rig;
    set_pace(&rig);
    rig.config.min_send_rate = 200000;
    rig.config.write_timeout_ms = 500;
    rig.config.rate_grace_ms = 400;
    rig.request = answer_big;
    rig.url = "http://127.0.0.1:0";
    rig_open(&rig);
    int fd = slow_reader(&rig, 65536);
    size_t got = 0;
    for (int i = 0; i < 4000 && got < BIG; i++) {
        ssize_t n = recv(fd, bytes, i < 120 ? 16384 : sizeof bytes, MSG_DONTWAIT);
        if (n == 0) break;
        if (n > 0) got += (size_t)n;
        rig_wait(&rig, i < 120 ? 15 : 1);
    }
    CHECK(got > BIG);
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    close(fd);
    rig_close(&rig);
}

/* A body that goes on coming does not put off what the client owes as a reader. */
TEST(connection_deadline, sending_does_not_excuse_from_reading) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.config.write_timeout_ms = 150;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, POST);
    REQUIRE(rig.req != NULL);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(rig_pattern(100000), 100000)), 1);
    for (int i = 0; i < 400 && client.closes == 0; i++) {
        rig_send_bytes(&client, rig_pattern(100), 100);
        rig_wait(&rig, 20);
    }
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* Server-sent events: long silences between short pieces, nothing queued, nothing to blame. */
TEST(connection_deadline, a_quiet_stream_lives_on) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.config.write_timeout_ms = rig.config.rate_grace_ms = 100;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    for (int i = 0; i < 4; i++) {
        rig_wait(&rig, 250);
        REQUIRE(rig.req != NULL);
        CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("data: x\n\n")), 0);
    }
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(rig_count(rig_take(&client), "data: x"), 4);
    CHECK_EQ_UINT(client.closes, 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* A WebSocket may be silent for ever; one that takes no byte of what is queued for it may not. */
TEST(connection_deadline, a_websocket_that_takes_no_byte_is_cut) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.write_timeout_ms = 100;
    rig_ws_open(&rig, &client, &ws);
    rig_wait(&rig, 400);
    CHECK_EQ_UINT(ws.closes, 0);
    gale_peer_stall(client.peer, true);
    rig_wait(&rig, 400);
    CHECK_EQ_UINT(ws.closes, 0);
    CHECK(gale_ws_send(ws.ws, GALE_WS_BINARY, gale_str(rig_pattern(100000), 100000)) == 1);
    CHECK(rig_until(&rig, &ws.closes, 1, SOON));
    CHECK_EQ_INT(ws.code, 1006);
    CHECK_EQ_UINT(look(rig.server).timeouts_write, 1);
    rig_ws_close(&rig, &client, &ws);
}

/* One that takes it after all lives on. */
TEST(connection_deadline, a_websocket_that_takes_all_lives_on) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.write_timeout_ms = 300;
    rig_ws_open(&rig, &client, &ws);
    gale_peer_stall(client.peer, true);
    CHECK(gale_ws_send(ws.ws, GALE_WS_BINARY, gale_str(rig_pattern(100000), 100000)) == 1);
    rig_wait(&rig, 50);
    REQUIRE(client.peer != NULL);
    gale_peer_stall(client.peer, false);
    rig_wait(&rig, 600);
    CHECK_EQ_UINT(ws.closes, 0);
    rig_ws_close(&rig, &client, &ws);
}

/* -------------------------------------------------------------------- requests, life of a connection */

TEST(connection_deadline, so_many_requests_and_no_more) {
    for (int pipelined = 0; pipelined < 2; pipelined++) {
        rig_t rig;
        rig_client_t client;
        rig_text_t all = {0};
        rig_init(&rig);
        rig.request = answer_ok;
        rig.config.max_requests_per_connection = 3;
        rig_open(&rig);
        rig_connect(&rig, &client);
        for (int i = 0; i < 5 && !pipelined; i++) {
            rig_send(&client, GET);
            rig_turn(&rig, 2);
        }
        for (int i = 0; i < 5; i++) rig_text_add(&all, gale_cstr(GET));
        if (pipelined) rig_send(&client, all.text);
        rig_turn(&rig, 4);
        gale_str_t got = rig_take(&client);
        CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 200"), 3);
        CHECK_EQ_UINT(rig_count(got, "Connection: close"), 1);
        CHECK_EQ_UINT(rig.requests, 3);
        CHECK_EQ_UINT(client.closes, 1);
        rig_text_free(&all);
        rig_drop(&rig, &client);
        rig_close(&rig);
    }
}

TEST(connection_deadline, an_old_connection_closes_when_it_is_idle) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = answer_ok;
    rig.config.max_connection_age_ms = 200;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(client.closes, 0);
    CHECK(!rig_has(rig_take(&client), "Connection: close"));
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* What is under way when it gets old is finished, and a request that comes then is its last. */
TEST(connection_deadline, an_old_connection_answers_once_more) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.max_connection_age_ms = 200;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    rig_wait(&rig, 300);
    REQUIRE(rig.req != NULL);
    rig.request = answer_ok;
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "late"), 0);
    rig_send(&client, GET);
    rig_turn(&rig, 4);
    gale_str_t got = rig_take(&client);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 200"), 2);
    CHECK_EQ_UINT(rig_count(got, "Connection: close"), 1);
    CHECK_EQ_UINT(client.closes, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(connection_deadline, an_old_websocket_lives_on) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.max_connection_age_ms = 100;
    rig_ws_open(&rig, &client, &ws);
    rig_wait(&rig, 400);
    CHECK_EQ_UINT(ws.closes, 0);
    rig_ws_close(&rig, &client, &ws);
}

/* ---------------------------------------------------------------------------------- at a stop */

/* A head that was arriving has a moment left, not the header timeout. */
TEST(connection_deadline, half_a_head_does_not_hold_a_stop) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.config.shutdown_grace_ms = LONG;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "GET / HTTP/1.1\r\nHo");
    CHECK_EQ_INT(gale_server_stop(rig.server), 0);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

/* If it is complete by then, it is answered. */
TEST(connection_deadline, a_head_that_is_complete_in_time_is_answered_at_a_stop) {
    rig_t rig;
    rig_client_t client;
    set_pace(&rig);
    rig.request = answer_ok;
    rig.config.shutdown_grace_ms = LONG;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, "GET / HTTP/1.1\r\nHo");
    CHECK_EQ_INT(gale_server_stop(rig.server), 0);
    rig_turn(&rig, 3);
    rig_send(&client, "st: h\r\n\r\n");
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    CHECK_EQ_INT(rig_status_of(got), 200);
    CHECK(rig_has(got, "Connection: close"));
    CHECK_EQ_UINT(client.closes, 1);
    rig_drop(&rig, &client);
    rig_close(&rig);
}
