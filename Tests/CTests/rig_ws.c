#include "rig_ws.h"

#include <stdio.h>

void rig_frame(rig_text_t *out, int first, const void *payload, size_t len) {
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t head[14] = {(uint8_t)first};
    size_t n = 2;
    if (len < 126) {
        head[1] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        head[1] = 0x80 | 126;
        head[n++] = (uint8_t)(len >> 8);
        head[n++] = (uint8_t)len;
    } else {
        head[1] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8) head[n++] = (uint8_t)((uint64_t)len >> shift);
    }
    memcpy(head + n, mask, 4);
    rig_text_add(out, gale_str((char *)head, n + 4));
    size_t at = out->len;
    rig_text_add(out, gale_str(payload, len));
    for (size_t i = 0; i < len; i++) out->text[at + i] ^= (char)mask[i % 4];
}

void rig_close_frame(rig_text_t *out, int code, const char *reason) {
    char payload[256] = {(char)(code >> 8), (char)code};
    size_t len = strlen(reason);
    memcpy(payload + 2, reason, len);
    rig_frame(out, 0x88, payload, code == 0 ? 0 : len + 2);
}

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    rig_ws_t *r = data;
    r->messages++;
    rig_text_addf(&r->log, "M%d %zu %.*s;", kind, bytes.len, bytes.len < 40 ? (int)bytes.len : 40,
                  bytes.ptr);
    if (r->echo) gale_ws_send(ws, kind, bytes);
    if (r->message != NULL) r->message(ws, kind, bytes);
}

static void on_ping(gale_ws_t *ws, gale_str_t payload, void *data) {
    rig_ws_t *r = data;
    (void)ws;
    r->pings++;
    rig_text_addf(&r->log, "P %.*s;", (int)payload.len, payload.ptr);
}

static void on_pong(gale_ws_t *ws, gale_str_t payload, void *data) {
    rig_ws_t *r = data;
    (void)ws;
    r->pongs++;
    rig_text_addf(&r->log, "Q %.*s;", (int)payload.len, payload.ptr);
}

static void on_drain(gale_ws_t *ws, void *data) {
    rig_ws_t *r = data;
    (void)ws;
    r->drains++;
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    rig_ws_t *r = data;
    r->closes++;
    r->code = code;
    r->ws = NULL;
    rig_text_addf(&r->log, "C %d %.*s;", code, (int)reason.len, reason.len > 0 ? reason.ptr : "");
    if (r->closed != NULL) r->closed(ws, code);
}

gale_ws_handler_t rig_ws_handler(void) {
    gale_ws_handler_t h = gale_ws_handler();
    h.on_message = on_message;
    h.on_ping = on_ping;
    h.on_pong = on_pong;
    h.on_drain = on_drain;
    h.on_close = on_close;
    return h;
}

void rig_ws_accept(rig_t *rig, gale_req_t *req) {
    rig_ws_t *r = rig->arg;
    gale_ws_handler_t h = rig_ws_handler();
    int err = r->options == NULL ? gale_ws_accept(req, &h, r, NULL, 0, &r->ws)
                                 : gale_ws_accept_with(req, &h, r, r->options, &r->ws);
    if (rig->keep_log) rig_text_addf(&rig->log, "A %s;", gale_err_name(err));
}

void rig_ws_open(rig_t *rig, rig_client_t *client, rig_ws_t *ws) {
    rig->request = rig_ws_accept;
    rig->arg = ws;
    rig_open(rig);
    rig_connect(rig, client);
    CHECK_EQ_INT(rig_send(client, ws->upgrade == NULL ? RIG_UPGRADE : ws->upgrade), 0);
    CHECK(ws->ws != NULL);
    gale_str_t answer = rig_take(client);
    CHECK_EQ_INT(rig_status_of(answer), 101);
    snprintf(ws->answer, sizeof ws->answer, "%.*s", (int)answer.len, answer.ptr);
    CHECK_EQ_INT(rig->last_status, GALE_EUPGRADED);
}

void rig_ws_close(rig_t *rig, rig_client_t *client, rig_ws_t *ws) {
    rig_drop(rig, client);
    CHECK_EQ_UINT(ws->closes, 1);
    rig_close(rig);
    rig_text_free(&ws->log);
}
