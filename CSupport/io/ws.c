#include "ws.h"

#include <string.h>

#include "mem.h"
#include "server.h"
#include "str.h"

enum { MESSAGE_FIRST = 4096, CONTROL_MAX = 125 };

static const gale_config_t *config_of(const gale_ws_t *ws) {
    return &ws->conn->worker->server->config;
}

/* ------------------------------------------------------------------------------------ handshake */

static int refuse_handshake(gale_req_t *r, int status, const char *why) {
    gale_header_t h[3] = {{GALE__LIT("Content-Type"), GALE__LIT("text/plain; charset=utf-8")}};
    size_t n = 1;
    if (status == 426) {
        h[n++] = (gale_header_t){GALE__LIT("Sec-WebSocket-Version"), GALE__LIT("13")};
        h[n++] = (gale_header_t){GALE__LIT("Upgrade"), GALE__LIT("websocket")};
    }
    if (status == 405) h[n++] = (gale_header_t){GALE__LIT("Allow"), GALE__LIT("GET")};
    int err = gale__exchange_respond(r, status, h, n, gale_cstr(why));
    return err < 0 && err != GALE_EHEADER ? err : GALE_EHANDSHAKE;
}

/* RFC 6455 4.2.1. Answers what is no handshake; `accept` gets the key's answer. */
static int check_handshake(gale_req_t *r, char accept[28]) {
    gale_str_t version = gale_req_header(r, GALE__LIT("Sec-WebSocket-Version"));
    gale_str_t upgrade = gale_req_header(r, GALE__LIT("Upgrade"));
    if (!gale__eq(r->head.method, GALE__LIT("GET"))) {
        return refuse_handshake(r, 405, "WebSocket begins with GET\n");
    }
    if (!gale__list_has(upgrade, GALE__LIT("websocket"))) {
        return refuse_handshake(r, 400, "Can \"Upgrade\" only to \"WebSocket\".\n");
    }
    if (!r->head.upgrade || r->head.minor == 0) {
        return refuse_handshake(r, 400, "\"Connection\" must be \"Upgrade\".\n");
    }
    if (!gale__eq(version, GALE__LIT("13"))) {
        return refuse_handshake(r, version.ptr == NULL ? 400 : 426,
                                "Sec-WebSocket-Version must be 13\n");
    }
    if (gale_req_has_body(r)) return refuse_handshake(r, 400, "a handshake has no body\n");
    size_t keys = 0;
    for (uint32_t i = 0; i < r->head.header_count; i++) {
        keys += gale__eq_nocase(r->headers[i].name, GALE__LIT("Sec-WebSocket-Key"));
    }
    gale_str_t key = gale_req_header(r, GALE__LIT("Sec-WebSocket-Key"));
    if (keys != 1 || !gale__ws_accept_key(key, accept)) {
        return refuse_handshake(r, 400, "Sec-WebSocket-Key must be 16 bytes of base64\n");
    }
    return 0;
}

static int write_101(gale_req_t *r, const char accept[28], const gale_header_t *headers, size_t n) {
    enum { MOST = 64 };
    gale_header_t all[MOST];
    if (n >= MOST) return GALE_ELIMIT;
    all[0] = (gale_header_t){GALE__LIT("Sec-WebSocket-Accept"), gale_str(accept, 28)};
    for (size_t i = 0; i < n; i++) all[i + 1] = headers[i];
    return gale__exchange_switch(r, GALE__LIT("websocket"), all, n + 1);
}

int gale__ws_accept(gale_req_t *r, const gale_ws_handler_t *h, void *data,
                    const gale_header_t *headers, size_t n, gale_ws_t **out) {
    gale__conn_t *c = r->conn;
    if (out != NULL) *out = NULL;
    if (c->cut_due || r->done) return GALE_EGONE;
    if (r->resp_state != GALE__RESP_NONE) return GALE_ESTATE;
    if (r->worker->state != GALE__WORKER_RUNNING) {
        gale__exchange_respond(r, 503, NULL, 0, gale_str(NULL, 0));
        return GALE_ESHUTDOWN;
    }
    char accept[28];
    int err = check_handshake(r, accept);
    if (err < 0) return err;
    gale_ws_t *ws = gale__calloc(1, sizeof *ws);
    if (ws == NULL) return UV_ENOMEM;
    err = write_101(r, accept, headers, n);
    if (err < 0) {
        gale__free(ws);
        return err;
    }
    ws->conn = c;
    ws->data = data;
    ws->handler = *h;
    ws->close_code = 1006;
    c->ws = ws;
    gale__count(&c->worker->counters, GALE__N_WEBSOCKETS, 1);
    c->phase = GALE__PHASE_WS;
    c->paused = false;
    gale__exchange_done(r, GALE_EUPGRADED);
    if (c->eof) gale__conn_cut(c, GALE_EGONE); /* it will never say a word */
    gale__conn_touch(c);                       /* settling gives the request back */
    if (out != NULL) *out = ws;
    return 0;
}

/*
 * --------------------------------------------------------------------------------------- sending
 */

static int write_frame_head(gale_ws_t *ws, int opcode, uint64_t length) {
    char head[10];
    return gale__conn_write(
        ws->conn, gale_str(head, gale__ws_frame_write(head, opcode, true, false, length)));
}

static int after_send(gale_ws_t *ws, int err) {
    if (err < 0) return err;
    int pressure = gale__conn_pressure(ws->conn);
    if (pressure == 1) ws->want_drain = true;
    return pressure;
}

static int write_message_head(gale_ws_t *ws, int kind, uint64_t length) {
    gale__count(&ws->conn->worker->counters, GALE__N_MESSAGES_OUT, 1);
    return write_frame_head(ws, kind, length);
}

static int may_send(const gale_ws_t *ws, int kind) {
    if (ws->conn->cut_due) return GALE_EGONE;
    if (ws->close_sent) return GALE_ESTATE;
    return kind == GALE_WS_TEXT || kind == GALE_WS_BINARY ? 0 : UV_EINVAL;
}

int gale__ws_send(gale_ws_t *ws, int kind, gale_str_t bytes) {
    int err = may_send(ws, kind);
    if (err < 0) return err;
    err = write_message_head(ws, kind, bytes.len);
    if (err >= 0) err = gale__conn_write(ws->conn, bytes);
    return after_send(ws, err);
}

int gale__ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t buf) {
    int err = may_send(ws, kind);
    if (err >= 0) err = write_message_head(ws, kind, buf.len);
    if (err < 0) {
        gale_buf_free(buf);
        return err;
    }
    return after_send(ws, gale__conn_write_buf(ws->conn, buf));
}

int gale__ws_control(gale_ws_t *ws, int opcode, gale_str_t payload) {
    if (ws->conn->cut_due) return GALE_EGONE;
    if (ws->close_sent) return GALE_ESTATE;
    if (payload.len > CONTROL_MAX) return UV_EINVAL;
    int err = write_frame_head(ws, opcode, payload.len);
    if (err >= 0) err = gale__conn_write(ws->conn, payload);
    return after_send(ws, err);
}

/*
 * --------------------------------------------------------------------------------------- closing
 */

static int send_close(gale_ws_t *ws, int code, gale_str_t reason) {
    char payload[CONTROL_MAX];
    size_t len = 0;
    if (code != 1005) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)code;
        if (reason.len > 0) memcpy(payload + 2, reason.ptr, reason.len);
        len = 2 + reason.len;
    }
    int err = gale__ws_control(ws, GALE__WS_CLOSE, gale_str(payload, len));
    ws->close_sent = true;
    return err < 0 ? err : 0;
}

int gale__ws_close(gale_ws_t *ws, int code, gale_str_t reason) {
    if (ws->conn->cut_due) return GALE_EGONE;
    if (ws->close_sent) return GALE_ESTATE;
    if (!gale__ws_close_code_valid(code) || reason.len > CONTROL_MAX - 2 ||
        !gale__utf8_valid(reason.ptr, reason.len)) {
        return UV_EINVAL;
    }
    if (code == 1001 && ws->close_code == 1006) ws->close_code = 1001;
    ws->conn->paused = false; /* the peer's close frame must be seen */
    return send_close(ws, code, reason);
}

static void keep_reason(gale_ws_t *ws, gale_str_t reason) {
    if (reason.len == 0 || ws->reason != NULL || (ws->reason = gale__malloc(reason.len)) == NULL) {
        return;
    }
    memcpy(ws->reason, reason.ptr, reason.len);
    ws->reason_len = (uint8_t)reason.len;
}

/* The peer broke the protocol: it is told why, nothing more it says is looked at. */
static void fail(gale_ws_t *ws, int code, const char *why) {
    ws->failed = true;
    ws->close_code = (uint16_t)code;
    keep_reason(ws, gale_cstr(why));
    if (!ws->close_sent) send_close(ws, code, gale_cstr(why));
    gale__conn_linger(ws->conn);
}

static void on_close_frame(gale_ws_t *ws, gale_str_t payload) {
    int code = 1005;
    gale_str_t reason = gale_str(payload.ptr, 0);
    if (payload.len == 1) {
        fail(ws, 1002, "a close frame has no or at least 2 bytes");
        return;
    }
    if (payload.len >= 2) {
        code = (uint8_t)payload.ptr[0] << 8 | (uint8_t)payload.ptr[1];
        reason = gale_str(payload.ptr + 2, payload.len - 2);
        if (!gale__ws_close_code_valid(code)) {
            fail(ws, 1002, "invalid close code");
            return;
        }
        if (!gale__utf8_valid(reason.ptr, reason.len)) {
            fail(ws, 1007, "the close reason is not UTF-8");
            return;
        }
    }
    ws->close_received = true;
    if (!ws->close_sent || ws->close_code == 1006) {
        ws->close_code = (uint16_t)code;
        keep_reason(ws, reason);
    }
    if (!ws->close_sent) send_close(ws, code, gale_str(NULL, 0));
    gale__conn_linger(ws->conn);
}

void gale__ws_gone(gale_ws_t *ws, int reason) {
    gale__count(&ws->conn->worker->counters, GALE__N_WEBSOCKETS, (uint64_t)-1);
    if (reason == GALE_ESHUTDOWN && ws->close_code == 1006) ws->close_code = 1001;
    if (ws->ref_slot != 0) gale__ref_drop(&ws->conn->worker->refs, ws->ref_slot);
    ws->ref_slot = 0;
    if (ws->handler.on_close != NULL) {
        ws->handler.on_close(ws, ws->close_code, gale_str(ws->reason, ws->reason_len), ws->data);
    }
    gale__free(ws->reason);
    gale__free(ws->message);
    gale__free(ws);
}

void gale__ws_drained(gale_ws_t *ws) {
    ws->want_drain = false;
    if (ws->handler.on_drain != NULL) ws->handler.on_drain(ws, ws->data);
}

/*
 * ------------------------------------------------------------------------------------- receiving
 */

static void deliver(gale_ws_t *ws, int kind, gale_str_t bytes) {
    gale__count(&ws->conn->worker->counters, GALE__N_MESSAGES_IN, 1);
    if (ws->close_sent || ws->handler.on_message == NULL) return;
    ws->conn->depth++;
    ws->handler.on_message(ws, kind, bytes, ws->data);
    ws->conn->depth--;
}

static void on_control(gale_ws_t *ws, int opcode, gale_str_t payload) {
    if (opcode == GALE__WS_CLOSE) {
        on_close_frame(ws, payload);
        return;
    }
    if (opcode == GALE__WS_PING && !ws->close_sent) gale__ws_control(ws, GALE__WS_PONG, payload);
    void (*fn)(gale_ws_t *, gale_str_t, void *) =
        opcode == GALE__WS_PING ? ws->handler.on_ping : ws->handler.on_pong;
    if (fn == NULL || ws->close_sent) return;
    ws->conn->depth++;
    fn(ws, payload, ws->data);
    ws->conn->depth--;
}

static bool append(gale_ws_t *ws, const char *bytes, size_t len) {
    size_t need = ws->message_len + len;
    if (need > ws->message_cap) {
        size_t cap = ws->message_cap == 0 ? MESSAGE_FIRST : ws->message_cap * 2;
        while (cap < need) cap *= 2;
        char *grown = gale__realloc(ws->message, cap);
        if (grown == NULL) return false;
        ws->message = grown;
        ws->message_cap = cap;
    }
    if (len > 0) memcpy(ws->message + ws->message_len, bytes, len);
    ws->message_len = need;
    return true;
}

static void end_message(gale_ws_t *ws) {
    if (ws->message_kind == GALE_WS_TEXT && !gale__utf8_complete(&ws->utf8)) {
        fail(ws, 1007, "the message is not UTF-8");
        return;
    }
    int kind = ws->message_kind;
    char *message = ws->message;
    size_t len = ws->message_len;
    ws->message = NULL;
    ws->message_len = ws->message_cap = 0;
    ws->message_kind = 0;
    deliver(ws, kind, gale_str(message == NULL ? "" : message, len));
    gale__free(message);
}

/* Bytes of a data frame that does not lie whole in one read, or belongs to a fragmented message. */
static size_t feed_payload(gale_ws_t *ws, char *bytes, size_t len) {
    size_t n = len < ws->frame_left ? len : (size_t)ws->frame_left;
    gale__ws_mask(bytes, n, ws->mask, ws->frame_seen);
    ws->frame_left -= n;
    ws->frame_seen += n;
    if (ws->message_kind == GALE_WS_TEXT && !gale__utf8_next(&ws->utf8, bytes, n)) {
        fail(ws, 1007, "the message is not UTF-8");
        return n;
    }
    if (!append(ws, bytes, n)) {
        gale__conn_cut(ws->conn, UV_ENOMEM);
        return n;
    }
    if (ws->frame_left > 0) return n;
    ws->frame_open = false;
    if (ws->frame_fin) end_message(ws);
    return n;
}

/* Opens a data frame after the rules of fragmentation (RFC 6455 5.4). False when it failed. */
static bool open_data(gale_ws_t *ws, const gale__ws_frame_t *f) {
    if ((f->opcode == GALE__WS_CONT) != (ws->message_kind != 0)) {
        fail(ws, 1002,
             f->opcode == GALE__WS_CONT ? "continuation of no message"
                                        : "a message begins within another");
        return false;
    }
    uint64_t max = config_of(ws)->ws_max_message_bytes;
    if (f->length > max || f->length > max - ws->message_len) {
        fail(ws, 1009, "message too big");
        return false;
    }
    return true;
}

static size_t feed_data(gale_ws_t *ws, const gale__ws_frame_t *f, char *payload, size_t len) {
    if (!open_data(ws, f)) return len;
    bool whole = f->fin && f->opcode != GALE__WS_CONT && f->length <= len;
    if (whole) {
        size_t n = (size_t)f->length;
        gale__ws_mask(payload, n, f->mask, 0);
        if (f->opcode == GALE__WS_TEXT && !gale__utf8_valid(payload, n)) {
            fail(ws, 1007, "the message is not UTF-8");
        } else {
            deliver(ws, f->opcode, gale_str(payload, n));
        }
        return n;
    }
    if (f->opcode != GALE__WS_CONT) {
        ws->message_kind = f->opcode;
        ws->utf8 = (gale__utf8_t){0};
    }
    ws->frame_open = true;
    ws->frame_fin = f->fin;
    ws->frame_left = f->length;
    ws->frame_seen = 0;
    memcpy(ws->mask, f->mask, 4);
    return feed_payload(ws, payload, len);
}

static size_t feed_frame(gale_ws_t *ws, char *bytes, size_t len) {
    gale__ws_frame_t f;
    const char *error = NULL;
    int head = gale__ws_frame_parse(&f, false, bytes, len, &error);
    if (head == 0) return 0;
    if (head < 0) {
        fail(ws, -head, error);
        return len;
    }
    char *payload = bytes + head;
    size_t rest = len - (size_t)head;
    if (f.opcode < GALE__WS_CLOSE) return (size_t)head + feed_data(ws, &f, payload, rest);
    if (f.length > rest) return 0; /* at most 125 bytes: they wait together */
    gale__ws_mask(payload, (size_t)f.length, f.mask, 0);
    on_control(ws, f.opcode, gale_str(payload, (size_t)f.length));
    return (size_t)head + (size_t)f.length;
}

size_t gale__ws_feed(gale__conn_t *c, char *bytes, size_t len) {
    gale_ws_t *ws = c->ws;
    size_t pos = 0;
    while (pos < len && c->phase == GALE__PHASE_WS && !c->cut_due && !c->paused &&
           c->turn_left > 0) {
        gale__conn_work(c, 1);
        size_t n = ws->frame_open ? feed_payload(ws, bytes + pos, len - pos)
                                  : feed_frame(ws, bytes + pos, len - pos);
        if (n == 0) break;
        pos += n;
    }
    return pos;
}
