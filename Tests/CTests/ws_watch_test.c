/* Pings of the server's own, clients that do not answer them, sockets without messages: WS-16. */
#include "rig.h"
#include "rig_ws.h"
#include "ws.h"

enum { SOON = 5000 };

static void open_ws(rig_t *rig, rig_client_t *client, rig_ws_t *ws) {
    rig->config.ws_close_timeout_ms = 100;
    rig_ws_open(rig, client, ws);
}

/* Turns until that many bytes have come to the client. */
static bool hears(rig_t *rig, rig_client_t *client, size_t len) {
    for (int i = 0; i < 200 && client->out.len < len; i++) rig_wait(rig, 20);
    return client->out.len >= len;
}

TEST(ws_watch, off_by_default_WS_16) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    open_ws(&rig, &client, &ws);
    CHECK_EQ_UINT(ws.ws->conn->timer.deadline, 0); /* nor any other */
    rig_ws_close(&rig, &client, &ws);
}

TEST(ws_watch, who_answers_stays_WS_16) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.ws_ping_interval_ms = 100;
    open_ws(&rig, &client, &ws);
    for (unsigned i = 0; i < 4; i++) {
        REQUIRE(hears(&rig, &client, 2));
        CHECK_EQ_STR(rig_take(&client), "\x89\0");
        /* Anything will do: a client in the midst of a long frame cannot send a pong. */
        if (i % 2 == 0) rig_send_bytes(&client, "\x8a\x80\0\0\0\0", 6);
        if (i % 2 == 1) rig_send_bytes(&client, "\x81\x81\0\0\0\0x", 7);
    }
    CHECK_EQ_UINT(ws.closes, 0);
    CHECK_EQ_UINT(ws.pongs, 2);
    CHECK_EQ_UINT(ws.messages, 2);
    rig_ws_close(&rig, &client, &ws);
}

/* Told why, and gone whether it listens or not. */
TEST(ws_watch, who_does_not_answer_is_closed_WS_16) {
    for (uint32_t timeout = 0; timeout <= 60; timeout += 60) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        rig_init(&rig);
        rig.config.ws_ping_interval_ms = 120;
        rig.config.ws_ping_timeout_ms = timeout;
        open_ws(&rig, &client, &ws);
        CHECK(rig_until(&rig, &ws.closes, 1, SOON));
        CHECK_EQ_INT(ws.code, 1006);
        CHECK_EQ_STR(rig_take(&client), "\x89\0\x88\x10\x03\xe8ping timed out");
        rig_ws_close(&rig, &client, &ws);
    }
}

TEST(ws_watch, who_is_paused_is_not_judged) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.ws_ping_interval_ms = 70;
    open_ws(&rig, &client, &ws);
    gale_ws_pause(ws.ws);
    REQUIRE(hears(&rig, &client, 6)); /* three pings */
    CHECK_EQ_UINT(ws.closes, 0);
    gale_ws_resume(ws.ws);
    CHECK(rig_until(&rig, &ws.closes, 1, SOON));
    rig_ws_close(&rig, &client, &ws);
}

/* Messages keep it open, in either direction; pings do not. */
TEST(ws_watch, idle) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.config.ws_ping_interval_ms = 100;
    rig.config.ws_idle_timeout_ms = 400;
    open_ws(&rig, &client, &ws);
    for (int i = 0; i < 12; i++) { /* 600 ms */
        if (i % 4 == 0) gale_ws_send(ws.ws, GALE_WS_TEXT, gale_cstr("x"));
        if (i % 4 == 2) rig_send_bytes(&client, "\x81\x81\0\0\0\0x", 7);
        rig_send_bytes(&client, "\x8a\x80\0\0\0\0", 6);
        rig_wait(&rig, 50);
    }
    CHECK_EQ_UINT(ws.closes, 0);
    rig_take(&client);
    for (int i = 0; i < 200 && ws.closes == 0; i++) {
        rig_send_bytes(&client, "\x8a\x80\0\0\0\0", 6);
        rig_wait(&rig, 20);
    }
    CHECK_EQ_INT(ws.code, 1001);
    CHECK(rig_has(rig_take(&client), "\x88\x13\x03\xe9idle for too long"));
    rig_ws_close(&rig, &client, &ws);
}

TEST(ws_watch, figures_that_make_no_sense) {
    gale_server_t *s;
    gale_config_t c = gale_config();
    c.ws_ping_interval_ms = UINT32_MAX;
    CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
    c = gale_config();
    c.ws_idle_timeout_ms = UINT32_MAX;
    CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
    c = gale_config();
    c.ws_ping_interval_ms = 100;
    c.ws_ping_timeout_ms = 200; /* at most the interval */
    CHECK_EQ_INT(gale_server_new(&s, &c), 0);
    CHECK_EQ_UINT(s->config.ws_ping_timeout_ms, 100);
    gale_server_free(s);
    c.ws_deflate = 3;
    CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
    c.ws_deflate = 2;
    c.ws_deflate_window_bits = 8;
    CHECK_EQ_INT(gale_server_new(&s, &c), UV_EINVAL);
}
