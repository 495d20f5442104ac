/* A connection's life: deadlines of each phase, half-close, lingering, stopping. */
#include "rig.h"
#include "rig_ws.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

enum {
    SHORT = 60,
    SOON = 1000
}; /* ms: of a deadline; by when it must have passed (a tick is 64) */

static void open_client(rig_t *rig, rig_client_t *client) {
    rig_open(rig);
    rig_connect(rig, client);
}

static void close_all(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_close(rig);
}

static void answer_ok(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

/* ------------------------------------------------------------------------------------ deadlines */

TEST(connection, header_timeout) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.header_timeout_ms = SHORT;
    open_client(&rig, &client);
    rig_send(&client, "GET / HTTP/1.1\r\nHo");
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    gale_str_t got = rig_take(&client);
    CHECK_EQ_INT(rig_status_of(got), 408);
    CHECK(rig_has(got, "Connection: close"));
    CHECK_EQ_UINT(rig.requests, 0);
    close_all(&rig, &client);
}

TEST(connection, header_timeout_without_a_byte_is_silent) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.header_timeout_ms = SHORT;
    open_client(&rig, &client);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    close_all(&rig, &client);
}

/* The clock of a head is not set back by its bytes. */
TEST(connection, header_timeout_meets_a_slow_writer) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.header_timeout_ms = 150;
    open_client(&rig, &client);
    for (int i = 0; i < 100 && client.closes == 0; i++) {
        rig_send(&client, i == 0 ? "GET / HTTP/1.1\r\nA: " : "x");
        rig_wait(&rig, 10);
    }
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
    close_all(&rig, &client);
}

TEST(connection, body_timeout) {
    for (int streaming = 0; streaming < 2; streaming++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.streaming = streaming;
        rig.config.body_timeout_ms = SHORT;
        open_client(&rig, &client);
        rig_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
        CHECK(rig_until(&rig, &client.closes, 1, SOON));
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
        CHECK_EQ_UINT(rig.dones, (unsigned)streaming);
        if (streaming) CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
        close_all(&rig, &client);
    }
}

/* The body's is: without a byte. A pause stops the clock. */
TEST(connection, body_timeout_counts_from_the_last_byte) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.config.body_timeout_ms = 200;
    open_client(&rig, &client);
    rig_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n");
    for (int i = 0; i < 6; i++) {
        rig_wait(&rig, 60);
        rig_send(&client, "x");
    }
    CHECK_EQ_UINT(client.closes, 0);
    REQUIRE(rig.req != NULL);
    gale_req_pause(rig.req);
    rig_wait(&rig, 400);
    CHECK_EQ_UINT(client.closes, 0);
    gale_req_resume(rig.req);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    close_all(&rig, &client);
}

TEST(connection, idle_timeout_is_silent) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.idle_timeout_ms = SHORT;
    rig.request = answer_ok;
    open_client(&rig, &client);
    rig_send(&client, GET);
    rig_turn(&rig, 2);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    close_all(&rig, &client);
}

/* No deadline runs while the handler thinks. */
TEST(connection, a_slow_handler_is_not_timed) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.header_timeout_ms = rig.config.body_timeout_ms = SHORT;
    rig.config.idle_timeout_ms = rig.config.write_timeout_ms = SHORT;
    open_client(&rig, &client);
    rig_send(&client, GET);
    rig_wait(&rig, 300);
    CHECK_EQ_UINT(client.closes, 0);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "late"), 0);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    close_all(&rig, &client);
}

TEST(connection, write_timeout) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.write_timeout_ms = SHORT;
    open_client(&rig, &client);
    rig_send(&client, GET);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_respond(rig.req, 200, NULL, 0, gale_str(rig_pattern(100000), 100000)), 0);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ETIMEDOUT);
    close_all(&rig, &client);
}

TEST(connection, ws_close_timeout_WS_12) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.ws_close_timeout_ms = SHORT;
    rig_ws_open(&rig, &client, &ws);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_cstr("bye")), 0);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(ws.closes, 1);
    CHECK_EQ_INT(ws.code, 1006);
    rig_ws_close(&rig, &client, &ws);
}

/* ----------------------------------------------------------------------------------- half-close */

TEST(connection, half_close_after_the_answer_closes) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = answer_ok;
    open_client(&rig, &client);
    rig_send(&client, GET);
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 4);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
}

TEST(connection, half_close_with_permission_gets_a_late_answer) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.allow_half_close = 1;
    open_client(&rig, &client);
    rig_send(&client, GET);
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(rig.dones, 0);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "late"), 0);
    rig_turn(&rig, 4);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
}

TEST(connection, half_close_does_not_cut_a_response_short) {
    for (size_t size = 50000; size <= 500000; size += 450000) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        open_client(&rig, &client);
        rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        gale_peer_stall(client.peer, true);
        CHECK_EQ_INT(gale_respond(rig.req, 200, NULL, 0, gale_str(rig_pattern(size), size)), 0);
        rig_turn(&rig, 3);
        gale_peer_shutdown(client.peer);
        rig_turn(&rig, 3);
        gale_peer_stall(client.peer, false);
        rig_turn(&rig, 4);
        CHECK_EQ_STRS(rig_body_of(rig_take(&client)), gale_str(rig_pattern(size), size));
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        CHECK_EQ_UINT(client.closes, 1);
        close_all(&rig, &client);
    }
}

TEST(connection, half_close_in_a_body_is_gone) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    open_client(&rig, &client);
    rig_send(&client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    CHECK_EQ_UINT(rig.lasts, 0);
    close_all(&rig, &client);
}

/* -------------------------------------------------------------------------------- graceful stop */

/* H1-26 */
TEST(connection, stop_closes_idle_ones_and_lets_open_ones_finish_H1_26) {
    rig_t rig;
    rig_client_t idle, fresh, open;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &idle);
    rig_connect(&rig, &fresh);
    rig_connect(&rig, &open);
    rig_send(&idle, GET);
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "ok"), 0);
    rig_turn(&rig, 3);
    rig_send(&open, GET);
    gale_req_t *req = rig.req;
    REQUIRE(req != NULL);
    CHECK_EQ_INT(gale_server_stop(rig.server), 0);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(idle.closes, 1);
    CHECK_EQ_UINT(fresh.closes, 1);
    CHECK_EQ_UINT(open.closes, 0);
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(gale_respond_text(req, 200, "finished"), 0);
    rig_turn(&rig, 5);
    gale_str_t got = rig_take(&open);
    CHECK(rig_has(got, "finished") && rig_has(got, "Connection: close\r\n"));
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    CHECK_EQ_UINT(open.closes, 1);
    CHECK(!uv_loop_alive(&rig.loop));
    rig_drop(&rig, &idle);
    rig_drop(&rig, &fresh);
    rig_drop(&rig, &open);
    rig_close(&rig);
}

TEST(connection, stop_cuts_after_the_grace) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.shutdown_grace_ms = SHORT;
    open_client(&rig, &client);
    rig_send(&client, GET);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.dones, 0);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ESHUTDOWN);
    close_all(&rig, &client);
}

TEST(connection, a_second_stop_cuts_at_once) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, GET);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 0);
    gale_server_stop(rig.server);
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ESHUTDOWN);
    close_all(&rig, &client);
}

/* WS-21 */
TEST(connection, stop_sends_1001_to_websockets_WS_21) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_text_t frame = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    REQUIRE(got.len >= 4);
    CHECK_EQ_MEM(got.ptr, "\x88", 1);
    CHECK_EQ_MEM(got.ptr + 2, "\x03\xe9", 2);
    CHECK_EQ_UINT(ws.closes, 0);
    rig_close_frame(&frame, 1001, "");
    rig_send_bytes(&client, frame.text, frame.len);
    rig_turn(&rig, 5);
    CHECK_EQ_INT(ws.code, 1001);
    CHECK_EQ_UINT(client.closes, 1);
    rig_text_free(&frame);
    rig_ws_close(&rig, &client, &ws);
}

TEST(connection, a_websocket_that_ignores_the_stop_is_cut_with_1001) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.shutdown_grace_ms = SHORT;
    rig_ws_open(&rig, &client, &ws);
    gale_server_stop(rig.server);
    CHECK(rig_until(&rig, &client.closes, 1, SOON));
    CHECK_EQ_INT(ws.code, 1001);
    rig_ws_close(&rig, &client, &ws);
}

TEST(connection, pipelined_requests_behind_an_open_one_are_not_begun_by_a_stopping_server) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, GET GET);
    gale_server_stop(rig.server);
    rig_turn(&rig, 3);
    REQUIRE(rig.req != NULL);
    gale_respond_text(rig.req, 200, "last");
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(rig.requests, 1);
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
}
