/*
 * A WebSocket client without memory: opened, used and closed with its 1st, 2nd, 3rd ... allocation
 * refused, alone and with all that follow. Whatever the outcome: no crash, no leak, and on_close
 * once, if gale_ws_connect said 0 (WS-19).
 */
#include "rig_alloc.h"
#include "rig_connect.h"
#include "worker.h"

static void play(rig_t *rig, rig_dialed_t *d) {
    unsigned freed = 0;
    for (int i = 0; i < 200 && d->opens == 0 && d->ws.closes == 0; i++) rig_wait(rig, 1);
    gale_ws_t *ws = d->ws.ws;
    if (ws == NULL || d->opens == 0) return;
    gale_ws_subscribe(ws, gale_cstr("t"));
    gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("small"));
    gale_ws_send(ws, GALE_WS_BINARY, gale_str(rig_pattern(3000), 3000));
    gale_ws_send_buf(ws, GALE_WS_BINARY, rig_buf(rig_pattern(20000), 20000, &freed));
    CHECK_EQ_UINT(freed, 1);
    gale_publish(rig->server, gale_cstr("t"), GALE_WS_TEXT, gale_cstr("published"));
    gale_publish(rig->server, gale_cstr("t"), GALE_WS_BINARY, gale_str(rig_pattern(9000), 9000));
    rig_turn(rig, 10);
    if (d->ws.ws != NULL) gale_ws_close(d->ws.ws, 1000, gale_cstr("done"));
    for (int i = 0; i < 50 && d->ws.closes == 0; i++) rig_wait(rig, 1);
}

static bool attempt(const char *url, unsigned long fail, bool sticky) {
    rig_t rig;
    rig_ws_t server = {.echo = true};
    rig_dialed_t d;
    rig_alloc_begin(fail, sticky);
    rig_alloc_pause(true);
    rig_init(&rig);
    rig_dialed_init(&d);
    rig.url = "http://127.0.0.1:0";
    rig.config.ws_deflate = d.options.deflate = 2;
    rig.keep_log = false;
    rig.request = rig_ws_accept;
    rig.arg = &server;
    d.options.connect_timeout_ms = 300; /* the server may have no memory either */
    d.options.close_timeout_ms = 100;
    rig_open(&rig);
    rig_alloc_pause(false);
    int err = rig_dial(&rig, &d, url, gale_server_port(rig.server, 0));
    CHECK(err == 0 || err == UV_ENOMEM);
    if (err == 0) play(&rig, &d);
    bool refused = rig_alloc_refused();
    rig_alloc_pause(true);
    if (d.ws.ws != NULL) gale_ws_abort(d.ws.ws);
    if (err == 0) RIG_TURN_TO(&rig, d.ws.closes > 0);
    CHECK_EQ_UINT(d.ws.closes, err == 0);
    CHECK_EQ_UINT(d.ws.code == 1000 || refused, 1);
    rig_close(&rig);
    rig_text_free(&server.log);
    rig_text_free(&d.ws.log);
    rig_alloc_end();
    return refused;
}

static void run(const char *url, bool sticky) {
    unsigned long n = 1;
    while (n < 200 && attempt(url, n, sticky) && test_failures() == 0) n++;
    CHECK_MSG(n > 8 && n < 200, "%s: %lu refusals", url, n);
}

TEST(ws_connect_fault, each_allocation_refused_once) {
    run("ws://127.0.0.1:%d/", false);
    run("ws://localhost:%d/", false);
}

TEST(ws_connect_fault, each_allocation_and_all_after_it_refused) {
    run("ws://127.0.0.1:%d/", true);
}
