/* What is agreed on in the handshake: origins and subprotocols; WS-05, WS-06. For the handshake
 * itself see websocket_test.c, for permessage-deflate ws_send_test.c. */
#include <stdio.h>

#include "rig.h"
#include "rig_ws.h"
#include "str.h"

typedef struct {
    gale_ws_options_t options;
    int err;
    gale_ws_t *ws;
} accept_t;

static void accept_with(rig_t *rig, gale_req_t *req) {
    accept_t *a = rig->arg;
    gale_ws_handler_t h = gale_ws_handler();
    a->err = gale_ws_accept_with(req, &h, NULL, &a->options, &a->ws);
    if (a->err < 0 && a->err != GALE_EHANDSHAKE) {
        CHECK_EQ_INT(gale_respond_text(req, 299, "still there"), 0);
    }
}

static int ask(accept_t *a, const char *upgrade, char *out, size_t size) {
    rig_t rig;
    rig_init(&rig);
    rig.request = accept_with;
    rig.arg = a;
    rig_open(&rig);
    rig_ask(&rig, upgrade, out, size);
    rig_close(&rig);
    return rig_status_of(gale_cstr(out));
}

/* WS-05 */
TEST(ws_accept, origins_WS_05) {
    const gale_str_t allowed[] = {GALE__LIT("https://friend.example"),
                                  GALE__LIT("http://*.kin.example:81")};
    static const struct {
        const char *upgrade;
        int status, with; /* with the list above */
    } rows[] = {
        {RIG_UPGRADE, 101, 101},
        {RIG_UPGRADE_WITH("Origin: http://h\r\n"), 101, 101},
        {RIG_UPGRADE_WITH("Origin: HTTP://H\r\n"), 101, 101},
        {RIG_UPGRADE_WITH("Origin: http://h:80\r\n"), 101, 101},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Origin: http://h\r\n"), 101, 101},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Origin: http://evil\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: http://h:8080\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: http://evil\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: http://evil\r\nSec-WebSocket-Origin: http://h\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: http://h\r\nOrigin: http://evil\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: null\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin:\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: https://friend.example\r\n"), 403, 101},
        {RIG_UPGRADE_WITH("Origin: https://friend.example:443\r\n"), 403, 101},
        {RIG_UPGRADE_WITH("Origin: http://friend.example\r\n"), 403, 403},
        {RIG_UPGRADE_WITH("Origin: http://a.kin.example:81\r\n"), 403, 101},
        {RIG_UPGRADE_WITH("Origin: http://kin.example:81\r\n"), 403, 403},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[512];
        accept_t a = {.options = gale_ws_options()};
        int status = ask(&a, rows[i].upgrade, out, sizeof out);
        CHECK_MSG(status == rows[i].status, "row %zu: %d", i, status);
        CHECK_EQ_INT(a.err, status == 101 ? 0 : GALE_EHANDSHAKE);
        if (status == 403)
            CHECK_EQ_STR(rig_body_of(gale_cstr(out)), "Cross origin websockets not allowed\n");
        a.options.origins = allowed;
        a.options.origin_count = 2;
        status = ask(&a, rows[i].upgrade, out, sizeof out);
        CHECK_MSG(status == rows[i].with, "row %zu, with a list: %d", i, status);
    }
}

/* WS-06 */
TEST(ws_accept, subprotocols_WS_06) {
    static const struct {
        const char *fields, *chosen;
        int err;
    } rows[] = {
        {RIG_UPGRADE, "", 0},
        {RIG_UPGRADE, "a", GALE_EHEADER},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a, b\r\n"), "", 0},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a, b\r\n"), "a", 0},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol:a,\tb \r\n"), "b", 0},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n"), "b", 0},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a, b\r\n"), "B", GALE_EHEADER},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a, b\r\n"), "a, b", GALE_EHEADER},
        {RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a b\r\n"), "a b", GALE_EHEADER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[512], want[64];
        accept_t a = {.options = gale_ws_options()};
        a.options.subprotocol = gale_cstr(rows[i].chosen);
        int status = ask(&a, rows[i].fields, out, sizeof out);
        CHECK_MSG(a.err == rows[i].err, "row %zu: %s", i, gale_err_name(a.err));
        CHECK_EQ_INT(status, a.err == 0 ? 101 : 299);
        snprintf(want, sizeof want, "Sec-WebSocket-Protocol: %s\r\n", rows[i].chosen);
        CHECK(rig_has(gale_cstr(out), want) == (a.err == 0 && rows[i].chosen[0] != '\0'));
    }
}

TEST(ws_accept, a_subprotocol_twice_is_refused) {
    const gale_header_t again = {GALE__LIT("Sec-WebSocket-Protocol"), GALE__LIT("a")};
    char out[512];
    accept_t a = {.options = gale_ws_options()};
    a.options.subprotocol = gale_cstr("a");
    a.options.headers = &again;
    a.options.header_count = 1;
    CHECK_EQ_INT(ask(&a, RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a\r\n"), out, sizeof out), 299);
    CHECK_EQ_INT(a.err, GALE_EHEADER);
    a.options.subprotocol = gale_cstr("");
    CHECK_EQ_INT(ask(&a, RIG_UPGRADE_WITH("Sec-WebSocket-Protocol: a\r\n"), out, sizeof out), 101);
    CHECK(rig_has(gale_cstr(out), "Sec-WebSocket-Protocol: a\r\n"));
}

static void choose(rig_t *rig, gale_req_t *req) {
    const gale_str_t ours[] = {GALE__LIT("z"), GALE__LIT("c"), GALE__LIT("b")};
    gale_str_t offered[2];
    size_t n = gale_ws_offered(req, offered, 2);
    gale_str_t chosen = gale_ws_choose(req, ours, 3);
    CHECK_EQ_UINT(gale_ws_offered(req, NULL, 0), n);
    rig_text_addf(&rig->log, "%zu", n);
    for (size_t i = 0; i < n && i < 2; i++) {
        rig_text_addf(&rig->log, " %.*s", (int)offered[i].len, offered[i].ptr);
    }
    rig_text_addf(&rig->log, " -> %.*s;", (int)chosen.len, chosen.ptr == NULL ? "" : chosen.ptr);
    CHECK(chosen.ptr == NULL || chosen.ptr == ours[1].ptr || chosen.ptr == ours[2].ptr);
    gale_respond_text(req, 200, "");
}

TEST(ws_accept, offers_are_read_and_chosen_from_WS_06) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.request = choose;
    rig_open(&rig);
    rig.keep_log = false;
    rig_text_clear(&rig.log);
    rig_connect(&rig, &client);
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: a,, b ,c\r\n\r\n");
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: a\r\n"
                      "sec-websocket-protocol: c, b\r\n\r\n");
    rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: a, Z\r\n\r\n");
    rig_turn(&rig, 3);
    CHECK_EQ_STR(gale_str(rig.log.text, rig.log.len), "0 -> ;3 a b -> b;3 a c -> c;2 a Z -> ;");
    rig_drop(&rig, &client);
    rig_close(&rig);
}
