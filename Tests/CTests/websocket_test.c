/* gale_ws_*: the handshake, sending, back-pressure, closing, pausing. */
#include <pthread.h>

#include "rig.h"
#include "rig_ws.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"

/* WS-02, WS-03, WS-04 */
TEST(websocket, handshakes_WS_02_WS_03_WS_04) {
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP VERSION KEY "\r\n", 101},
        {"GET / HTTP/1.1\r\nHost: h\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, "
         "UPGRADE\r\n" VERSION KEY "\r\n",
         101},
        {"POST / HTTP/1.1\r\nHost: h\r\n" UP VERSION KEY "\r\n", 405},
        {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY "\r\n",
         400},
        {"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" VERSION KEY "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP KEY "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP "Sec-WebSocket-Version: 8\r\n" KEY "\r\n", 426},
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP VERSION "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP VERSION "Sec-WebSocket-Key: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\n" UP VERSION KEY KEY "\r\n", 400},
        {"GET / HTTP/1.0\r\n" UP VERSION KEY "\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" UP VERSION KEY "\r\nx", 400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        rig_init(&rig);
        rig.request = rig_ws_accept;
        rig.arg = &ws;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, rows[i].request);
        rig_turn(&rig, 3);
        gale_str_t got = rig_take(&client);
        CHECK_MSG(rig_status_of(got) == rows[i].status, "row %zu: %d", i, rig_status_of(got));
        CHECK((ws.ws != NULL) == (rows[i].status == 101));
        CHECK(rig_has(gale_str(rig.log.text, rig.log.len), rows[i].status == 101
                                                               ? "D GALE_EUPGRADED;A GALE_OK;"
                                                               : "A GALE_EHANDSHAKE;"));
        if (rows[i].status == 101)
            CHECK(rig_has(got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        if (rows[i].status == 426) CHECK(rig_has(got, "Sec-WebSocket-Version: 13\r\n"));
        if (rows[i].status == 405) CHECK(rig_has(got, "Allow: GET\r\n"));
        rig_drop(&rig, &client);
        rig_close(&rig);
        rig_text_free(&ws.log);
    }
}

typedef struct {
    gale_header_t header;
    int err;
    size_t struct_size;
} accept_t;

static void accept_with(rig_t *rig, gale_req_t *req) {
    accept_t *a = rig->arg;
    gale_ws_handler_t h = gale_ws_handler();
    h.struct_size = a->struct_size;
    CHECK(gale_req_wants_websocket(req));
    a->err = gale_ws_accept(req, &h, NULL, &a->header, 1, NULL);
    if (a->err < 0) CHECK_EQ_INT(gale_respond_text(req, 299, "still there"), 0);
}

TEST(websocket, extra_fields_and_sizes) {
    static const struct {
        gale_header_t header;
        size_t size;
        int err;
        const char *has;
    } rows[] = {
        {{{"Sec-WebSocket-Protocol", 22}, {"chat", 4}},
         sizeof(gale_ws_handler_t),
         0,
         "Sec-WebSocket-Protocol: chat\r\n"},
        /* WS-06: the client would close. */
        {{{"sec-websocket-protocol", 22}, {"talk", 4}},
         sizeof(gale_ws_handler_t),
         GALE_EHEADER,
         "HTTP/1.1 299"},
        {{{"Sec-WebSocket-Extensions", 24}, {"x", 1}},
         sizeof(gale_ws_handler_t),
         GALE_EHEADER,
         "HTTP/1.1 299"},
        {{{"Sec-WebSocket-Accept", 20}, {"x", 1}},
         sizeof(gale_ws_handler_t),
         GALE_EHEADER,
         "HTTP/1.1 299"},
        {{{"A\n", 2}, {"x", 1}}, sizeof(gale_ws_handler_t), GALE_EHEADER, "HTTP/1.1 299"},
        {{{"A", 1}, {"x\r\n", 3}}, sizeof(gale_ws_handler_t), GALE_EHEADER, "HTTP/1.1 299"},
        {{{"A", 1}, {"x", 1}}, sizeof(size_t), GALE_EVERSION, "HTTP/1.1 299"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        char out[1024];
        accept_t a = {.header = rows[i].header, .struct_size = rows[i].size};
        rig_init(&rig);
        rig.request = accept_with;
        rig.arg = &a;
        rig_open(&rig);
        rig_ask(&rig, RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: chat\r\n"), out, sizeof out);
        CHECK_EQ_INT(a.err, rows[i].err);
        CHECK_MSG(rig_has(gale_cstr(out), rows[i].has), "row %zu: %s", i, out);
        rig_close(&rig);
    }
}

TEST(websocket, accept_after_an_answer_is_estate) {
    rig_t rig;
    rig_client_t client;
    gale_ws_t *ws = (gale_ws_t *)&rig;
    gale_ws_handler_t h = gale_ws_handler();
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, RIG_UPGRADE);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, 0), 0);
    CHECK_EQ_INT(gale_ws_accept(rig.req, &h, NULL, NULL, 0, &ws), GALE_ESTATE);
    CHECK(ws == NULL);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

static void answer_again(rig_t *rig, gale_req_t *req, int status) {
    (void)rig;
    gale_header_t cookie = {{"Set-Cookie", 10}, {"a=b", 3}};
    CHECK_EQ_INT(status, GALE_EUPGRADED);
    CHECK(gale_respond(req, 200, &cookie, 1, gale_cstr("x")) < 0);
    CHECK(gale_resp_begin(req, 302, &cookie, 1, 0) < 0);
    CHECK(gale_resp_write(req, gale_cstr("x")) < 0);
    CHECK(gale_resp_flush(req) < 0);
    CHECK(gale_resp_end(req, NULL, 0) < 0);
}

/* WS-07 */
TEST(websocket, no_answer_behind_the_upgrade_WS_07) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.done = answer_again;
    rig_ws_open(&rig, &client, &ws);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    rig_ws_close(&rig, &client, &ws);
}

TEST(websocket, accept_of_a_client_that_half_closed) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.allow_half_close = 1;
    rig.arg = &ws;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, RIG_UPGRADE);
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 2);
    REQUIRE(rig.req != NULL);
    rig_ws_accept(&rig, rig.req);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(ws.closes, 1);
    CHECK_EQ_INT(ws.code, 1006);
    rig_ws_close(&rig, &client, &ws);
}

TEST(websocket, accept_while_stopping) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.arg = &ws;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, RIG_UPGRADE);
    gale_server_stop(rig.server);
    rig_turn(&rig, 2);
    REQUIRE(rig.req != NULL);
    rig_ws_accept(&rig, rig.req);
    CHECK(ws.ws == NULL);
    rig_turn(&rig, 4);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 503);
    rig_drop(&rig, &client);
    rig_close(&rig);
    CHECK_EQ_UINT(ws.closes, 0);
}

/* ---------------------------------------------------------------------------------------- sending */

TEST(websocket, sends) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    unsigned freed = 0;
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_TEXT, gale_cstr("text")), 0);
    CHECK_EQ_INT(gale_ws_send_buf(ws.ws, GALE_WS_BINARY, rig_buf("\0\1", 2, &freed)), 0);
    CHECK_EQ_INT(gale_ws_ping(ws.ws, gale_cstr("p")), 0);
    CHECK_EQ_INT(gale_ws_send(ws.ws, 8, gale_cstr("x")), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_send_buf(ws.ws, 0, rig_buf("x", 1, &freed)), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_ping(ws.ws, gale_str(rig_pattern(126), 126)), UV_EINVAL);
    CHECK(gale_ws_queued(ws.ws) > 0);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(gale_ws_queued(ws.ws), 0);
    CHECK_EQ_STR(rig_take(&client), "\x81\x04text\x82\x02\0\1\x89\x01p");
    CHECK_EQ_UINT(freed, 2);
    CHECK(gale_ws_data(ws.ws) == &ws);
    gale_ws_set_data(ws.ws, &ws);
    CHECK(gale_ws_worker(ws.ws) == rig.worker);
    rig_ws_close(&rig, &client, &ws);
}

TEST(websocket, back_pressure_and_limit) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    unsigned freed = 0, sent = 0;
    int err;
    rig_init(&rig);
    rig.config.write_high_water = 10000;
    rig.config.write_low_water = 1000;
    rig.config.write_limit = 100000;
    rig_ws_open(&rig, &client, &ws);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_BINARY, gale_str(rig_pattern(6000), 6000)), 0);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_BINARY, gale_str(rig_pattern(6000), 6000)), 1);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(ws.drains, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(ws.drains, 1);
    gale_peer_stall(client.peer, true);
    do {
        err = gale_ws_send_buf(ws.ws, GALE_WS_BINARY, rig_buf(rig_pattern(9000), 9000, &freed));
        sent++;
    } while (err >= 0 && sent < 100);
    CHECK_EQ_INT(err, GALE_ELIMIT);
    CHECK_EQ_UINT(sent, 12);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_TEXT, gale_cstr("x")), GALE_EGONE);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(ws.closes, 1);
    CHECK_EQ_INT(ws.code, 1006);
    CHECK_EQ_UINT(freed, sent);
    rig_ws_close(&rig, &client, &ws);
}

/* ---------------------------------------------------------------------------------------- closing */

TEST(websocket, we_close_WS_12_WS_13) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_text_t frame = {0};
    unsigned freed = 0;
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 4001, gale_cstr("why")), 0);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_cstr("")), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_TEXT, gale_cstr("x")), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_send_buf(ws.ws, GALE_WS_TEXT, rig_buf("x", 1, &freed)), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_ping(ws.ws, gale_cstr("x")), GALE_ESTATE);
    CHECK_EQ_UINT(freed, 1);
    rig_turn(&rig, 3);
    CHECK_EQ_STR(rig_take(&client), "\x88\x05\x0f\xa1why");
    rig_frame(&frame, 0x81, "late", 4); /* what was under way is not delivered */
    rig_close_frame(&frame, 4001, "ok");
    rig_send_bytes(&client, frame.text, frame.len);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_STR(gale_str(ws.log.text, ws.log.len), "C 4001 ok;");
    rig_text_free(&frame);
    rig_ws_close(&rig, &client, &ws);
}

TEST(websocket, close_codes_and_reasons) {
    static const int bad[] = {0, -1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 66536};
    static const int good[] = {1000, 1001, 1003, 1007, 1014, 3000, 4999};
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_MSG(gale_ws_close(ws.ws, bad[i], gale_cstr("")) == UV_EINVAL, "%d", bad[i]);
    }
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_str(rig_pattern(124), 124)), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_cstr("\xff")), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_str(rig_pattern(123), 123)), 0);
    rig_ws_close(&rig, &client, &ws);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ws = (rig_ws_t){0};
        rig_init(&rig);
        rig_ws_open(&rig, &client, &ws);
        CHECK_EQ_INT(gale_ws_close(ws.ws, good[i], gale_cstr("")), 0);
        rig_ws_close(&rig, &client, &ws);
    }
}

TEST(websocket, abort_cuts) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    gale_ws_abort(ws.ws);
    CHECK_EQ_UINT(ws.closes, 0);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    CHECK_EQ_INT(ws.code, 1006);
    CHECK_EQ_UINT(client.closes, 1);
    rig_ws_close(&rig, &client, &ws);
}

static void abort_it(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)kind, (void)bytes;
    gale_ws_abort(ws);
}

TEST(websocket, abort_in_on_message_ends_the_messages) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.message = abort_it};
    rig_text_t frames = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    for (int i = 0; i < 3; i++) rig_frame(&frames, 0x81, "x", 1);
    rig_send_bytes(&client, frames.text, frames.len);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(ws.messages, 1);
    CHECK_EQ_UINT(ws.closes, 1);
    rig_text_free(&frames);
    rig_ws_close(&rig, &client, &ws);
}

/* --------------------------------------------------------------------------------- pause and resume */

static void pause_it(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)kind, (void)bytes;
    gale_ws_pause(ws);
}

TEST(websocket, pause_holds_messages_back) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.message = pause_it};
    rig_text_t frames = {0};
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    for (int i = 0; i < 50; i++) rig_frame(&frames, 0x81, rig_pattern(5000), 5000);
    CHECK_EQ_INT(rig_send_bytes(&client, frames.text, frames.len), 0);
    for (unsigned i = 1; i <= 50; i++) {
        rig_turn(&rig, 2);
        CHECK_EQ_UINT(ws.messages, i);
        gale_ws_resume(ws.ws);
    }
    gale_ws_pause(ws.ws);
    CHECK_EQ_INT(gale_ws_close(ws.ws, 1000, gale_cstr("")),
                 0); /* a close frame is seen all the same */
    rig_text_clear(&frames);
    rig_close_frame(&frames, 1000, "");
    rig_send_bytes(&client, frames.text, frames.len);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(client.closes, 1);
    rig_text_free(&frames);
    rig_ws_close(&rig, &client, &ws);
}

/* ------------------------------------------------------------------------------------ other threads */

static void *from_elsewhere(void *arg) {
    gale_ws_t *ws = arg;
    unsigned freed = 0;
    CHECK_EQ_INT(gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("x")), GALE_ETHREAD);
    CHECK_EQ_INT(gale_ws_send_buf(ws, GALE_WS_TEXT, rig_buf("x", 1, &freed)), GALE_ETHREAD);
    CHECK_EQ_INT(gale_ws_ping(ws, gale_cstr("x")), GALE_ETHREAD);
    CHECK_EQ_INT(gale_ws_close(ws, 1000, gale_cstr("")), GALE_ETHREAD);
    CHECK_EQ_UINT(gale_ws_ref(ws).bits, 0);
    gale_ws_abort(ws);
    gale_ws_pause(ws);
    CHECK_EQ_UINT(freed, 1);
    return NULL;
}

TEST(websocket, another_thread_is_ethread) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    pthread_t thread;
    rig_init(&rig);
    rig_ws_open(&rig, &client, &ws);
    REQUIRE(pthread_create(&thread, NULL, from_elsewhere, ws.ws) == 0);
    pthread_join(thread, NULL);
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    CHECK_EQ_UINT(ws.closes, 0);
    rig_ws_close(&rig, &client, &ws);
}
