#include "ws.h"

#include <string.h>

#include "mem.h"
#include "reader.h"
#include "str.h"
#include "ws_connect.h"

enum {
    MESSAGE_FIRST = 4096,
    CONTROL_MAX = 125,
    /* Of what a client still sends that was told to go. The time for it is short; a reset before it
     * has read why would lose the reason. */
    LINGER_BYTES = 64 << 20
};

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
    gale__reader_free(ws);
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
    if (ws->reader != NULL) gale__reader_hand_over(ws->reader);
    if (ws->close_sent) return 0;
    ws->conn->paused = false; /* the peer's close frame must be seen */
    return send_close(ws, code, reason);
}

static void forget_pong(gale_ws_t *ws) {
    if (!ws->pong_due) return;
    ws->pong_due = false;
    gale__free(ws->reason);
    ws->reason = NULL;
    ws->reason_len = 0;
}

static void keep_reason(gale_ws_t *ws, gale_str_t reason) {
    forget_pong(ws);
    if (reason.len == 0 || ws->reason != NULL || (ws->reason = gale__malloc(reason.len)) == NULL) {
        return;
    }
    memcpy(ws->reason, reason.ptr, reason.len);
    ws->reason_len = (uint8_t)reason.len;
}

static void linger(gale_ws_t *ws) {
    gale__conn_linger(ws->conn);
    ws->conn->linger_bytes = LINGER_BYTES;
    if (!ws->client) return;
    /* It is the server who ends the connection, so that its port and not ours is held up by what
     * may still be under way (RFC 6455 7.1.1). */
    ws->conn->shut = true;
    gale__conn_set_deadline(ws->conn, GALE__DEADLINE_LINGER, GALE__LINGER_MS);
}

void gale__ws_too_slow(gale_ws_t *ws) {
    static const char why[] = "too slow";
    ws->close_code = 1013;
    keep_reason(ws, gale_cstr(why));
    ws->conn->paused = false;
    send_close(ws, 1013, gale_cstr(why));
    gale__conn_touch(ws->conn);
}

void gale__ws_fail(gale_ws_t *ws, int code, const char *why) {
    ws->close_code = (uint16_t)code;
    keep_reason(ws, gale_cstr(why));
    if (!ws->close_sent) send_close(ws, code, gale_cstr(why));
    linger(ws);
}

static void on_close_frame(gale_ws_t *ws, gale_str_t payload) {
    int code = 1005;
    gale_str_t reason = gale_str(payload.ptr, 0);
    if (payload.len == 1) {
        gale__ws_fail(ws, 1002, "a close frame has no or at least 2 bytes");
        return;
    }
    if (payload.len >= 2) {
        code = (uint8_t)payload.ptr[0] << 8 | (uint8_t)payload.ptr[1];
        reason = gale_str(payload.ptr + 2, payload.len - 2);
        if (!gale__ws_close_code_valid(code)) {
            gale__ws_fail(ws, 1002, "invalid close code");
            return;
        }
        if (!gale__utf8_valid(reason.ptr, reason.len)) {
            gale__ws_fail(ws, 1007, "the close reason is not UTF-8");
            return;
        }
    }
    if (!ws->close_sent || ws->close_code == 1006) {
        ws->close_code = (uint16_t)code;
        keep_reason(ws, reason);
    }
    if (!ws->close_sent) send_close(ws, code, gale_str(NULL, 0));
    linger(ws);
}

void gale__ws_gone(gale_ws_t *ws, int reason) {
    if (ws->client && gale__ws_client(ws)->connecting != NULL) {
        gale__ws_connect_failed(ws, reason);
        return;
    }
    gale__count(&ws->conn->worker->counters, GALE__N_WEBSOCKETS, (uint64_t)-1);
    if (reason == GALE_ESHUTDOWN && ws->close_code == 1006) ws->close_code = 1001;
    gale__reader_free(ws);
    if (ws->ref_slot != 0) gale__ref_drop(&ws->conn->worker->refs, ws->ref_slot);
    ws->ref_slot = 0;
    forget_pong(ws);
    if (ws->handler->on_close != NULL) {
        ws->handler->on_close(ws, ws->close_code, gale_str(ws->reason, ws->reason_len), ws->data);
    }
    gale__free(ws->reason);
    gale__free(ws->message);
    gale__ws_windows_free(&ws->conn->worker->ws_coders, ws->windows);
    gale__ws_tables_drop(&ws->conn->worker->ws_tables, ws->handler);
    gale__free(ws);
}

size_t gale__ws_queued(const gale_ws_t *ws) {
    return gale__conn_queued(ws->conn) + (ws->reader == NULL ? 0 : ws->reader->bytes);
}

/* Who asks and does not read gets one answer, to what it asked last (RFC 6455 5.5.3): pongs must not
 * pile up. */
static void answer_ping(gale_ws_t *ws, gale_str_t payload) {
    if (ws->close_sent) return;
    bool full = gale__conn_queued(ws->conn) > gale__ws_config(ws)->write_high_water;
    if (!full) {
        forget_pong(ws); /* of a ping before */
        gale__ws_control(ws, GALE__WS_PONG, payload);
        return;
    }
    keep_reason(ws, payload);
    ws->pong_due = ws->reason_len == payload.len; /* or there was no memory */
    ws->want_drain = true;
}

static void answer_late(gale_ws_t *ws) {
    if (!ws->pong_due) return;
    gale__ws_control(ws, GALE__WS_PONG, gale_str(ws->reason, ws->reason_len));
    forget_pong(ws);
}

void gale__ws_drained(gale_ws_t *ws) {
    ws->want_drain = false;
    answer_late(ws);
    if (ws->handler->on_drain != NULL) ws->handler->on_drain(ws, ws->data);
}

/*
 * ------------------------------------------------------------------------------------- receiving
 */

void gale__ws_deliver(gale_ws_t *ws, int kind, gale_str_t bytes) {
    gale__count(&ws->conn->worker->counters, GALE__N_MESSAGES_IN, 1);
    ws->message_ms = (uint32_t)uv_now(ws->conn->worker->loop);
    if (ws->close_sent || ws->handler->on_message == NULL) return;
    ws->conn->depth++;
    ws->handler->on_message(ws, kind, bytes, ws->data);
    ws->conn->depth--;
}

static void on_control(gale_ws_t *ws, int opcode, gale_str_t payload) {
    if (opcode == GALE__WS_CLOSE) {
        on_close_frame(ws, payload);
        return;
    }
    if (opcode == GALE__WS_PING) answer_ping(ws, payload);
    void (*fn)(gale_ws_t *, gale_str_t, void *) =
        opcode == GALE__WS_PING ? ws->handler->on_ping : ws->handler->on_pong;
    if (fn == NULL || ws->close_sent) return;
    ws->conn->depth++;
    fn(ws, payload, ws->data);
    ws->conn->depth--;
}

static bool append(gale_ws_t *ws, const char *bytes, size_t len) {
    gale__ws_message_t *m = ws->message;
    if (len == 0) return true;
    size_t have = m == NULL ? 0 : m->len, cap = m == NULL ? 0 : m->cap, need = have + len;
    if (need > cap) {
        cap = cap == 0 ? MESSAGE_FIRST : cap * 2;
        while (cap < need) cap *= 2;
        m = gale__realloc(m, sizeof *m + cap);
        if (m == NULL) return false;
        m->cap = cap;
        ws->message = m;
    }
    memcpy(m->bytes + have, bytes, len);
    m->len = need;
    return true;
}

/* A whole message as it came. */
static void finish(gale_ws_t *ws, int kind, bool compressed, gale_str_t bytes) {
    if (!compressed) {
        gale__ws_deliver(ws, kind, bytes);
    } else if (!ws->close_sent) {
        gale__ws_inflate(ws, kind, bytes);
    }
}

static void end_message(gale_ws_t *ws) {
    if (!gale__utf8_complete(&ws->utf8)) {
        gale__ws_fail(ws, 1007, "the message is not UTF-8");
        return;
    }
    int kind = ws->message_kind;
    gale__ws_message_t *m = ws->message;
    ws->message = NULL;
    ws->message_kind = 0;
    finish(ws, kind, ws->compressed, m == NULL ? GALE__LIT("") : gale_str(m->bytes, m->len));
    gale__free(m);
}

/* A client's bytes, as they come. */
static void unmask(const gale_ws_t *ws, char *bytes, size_t n, const uint8_t key[4], uint8_t at) {
    if (!ws->client) gale__ws_mask(bytes, n, key, at);
}

/* Bytes of a data frame that does not lie whole in one read, or belongs to a fragmented message. */
static size_t feed_payload(gale_ws_t *ws, char *bytes, size_t len) {
    size_t n = len < ws->frame_left ? len : (size_t)ws->frame_left;
    unmask(ws, bytes, n, ws->mask, ws->mask_at);
    ws->frame_left -= n;
    ws->mask_at = (uint8_t)((ws->mask_at + n) & 3);
    if (ws->message_kind == GALE_WS_TEXT && !ws->compressed &&
        !gale__utf8_next(&ws->utf8, bytes, n)) {
        gale__ws_fail(ws, 1007, "the message is not UTF-8");
        return n;
    }
    if (!append(ws, bytes, n)) {
        gale__ws_fail(ws, 1011, "out of memory");
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
        gale__ws_fail(ws, 1002,
                      f->opcode == GALE__WS_CONT ? "continuation of no message"
                                                 : "a message begins within another");
        return false;
    }
    uint64_t max = gale__ws_config(ws)->ws_max_message_bytes;
    /* What cannot be compressed gets a little longer by it (RFC 1951 3.2.4). */
    if (f->rsv1 || (f->opcode == GALE__WS_CONT && ws->compressed)) max += max / 64 + 64;
    if (f->length > max || f->length > max - (ws->message == NULL ? 0 : ws->message->len)) {
        gale__ws_fail(ws, 1009, "message too big");
        return false;
    }
    return true;
}

/* A message that lies whole in one read, and is handed on from there. */
static void take_whole(gale_ws_t *ws, const gale__ws_frame_t *f, char *payload) {
    size_t n = (size_t)f->length;
    unmask(ws, payload, n, f->mask, 0);
    if (f->opcode == GALE__WS_TEXT && !f->rsv1 && !gale__utf8_valid(payload, n)) {
        gale__ws_fail(ws, 1007, "the message is not UTF-8");
    } else {
        finish(ws, f->opcode, f->rsv1, gale_str(payload, n));
    }
}

static size_t feed_data(gale_ws_t *ws, const gale__ws_frame_t *f, char *payload, size_t len) {
    if (!open_data(ws, f)) return len;
    if (f->fin && f->opcode != GALE__WS_CONT && f->length <= len) {
        take_whole(ws, f, payload);
        return (size_t)f->length;
    }
    if (f->opcode != GALE__WS_CONT) {
        ws->message_kind = f->opcode;
        ws->compressed = f->rsv1;
        ws->utf8 = (gale__utf8_t){0};
    }
    ws->frame_open = true;
    ws->frame_fin = f->fin;
    ws->frame_left = f->length;
    ws->mask_at = 0;
    memcpy(ws->mask, f->mask, 4);
    return feed_payload(ws, payload, len);
}

static size_t feed_frame(gale_ws_t *ws, char *bytes, size_t len) {
    gale__ws_frame_t f;
    const char *error = NULL;
    int head = gale__ws_frame_parse(&f, ws->frame_rules, bytes, len, &error);
    if (head == 0) return 0;
    if (head < 0) {
        gale__ws_fail(ws, -head, error);
        return len;
    }
    char *payload = bytes + head;
    size_t rest = len - (size_t)head;
    if (f.opcode < GALE__WS_CLOSE) return (size_t)head + feed_data(ws, &f, payload, rest);
    if (f.length > rest) return 0; /* at most 125 bytes: they wait together */
    unmask(ws, payload, (size_t)f.length, f.mask, 0);
    on_control(ws, f.opcode, gale_str(payload, (size_t)f.length));
    return (size_t)head + (size_t)f.length;
}

size_t gale__ws_feed(gale__conn_t *c, char *bytes, size_t len) {
    gale_ws_t *ws = c->ws;
    size_t pos = 0;
    ws->unheard = false;
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
