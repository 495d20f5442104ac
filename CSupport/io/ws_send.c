/* What goes out on a WebSocket: messages, compressed or not, and control frames. */
#include <string.h>

#include "mem.h"
#include "reader.h"
#include "ws.h"

enum {
    CONTROL_MAX = 125,
    /* Messages that are compressed where they are to be sent from; longer ones in memory of their
     * own. */
    IN_PLACE = 4096,
    HEAD = 8, /* of what gets smaller than that, with a key */
    HEAD_MAX = 10,
    KEY = 4
};

/* --------------------------------------------------------------------------------------- masking */

/* Without one the connection is of no more use. */
static int next_key(gale_ws_t *ws, uint8_t key[KEY]) {
    int err = gale__ws_keys_next(&ws->conn->worker->ws_keys, key);
    if (err < 0) gale__conn_cut(ws->conn, err);
    return err;
}

int gale__ws_write_masked(gale_ws_t *ws, gale_str_t head, gale_str_t payload) {
    uint8_t key[KEY];
    bool small = payload.len <= IN_PLACE;
    if (payload.len > SIZE_MAX - HEAD_MAX - KEY) return UV_ENOMEM;
    int err = next_key(ws, key);
    if (err < 0) return err;
    char *out = small ? gale__conn_reserve(ws->conn, head.len + KEY + payload.len)
                      : gale__malloc(head.len + KEY + payload.len);
    if (out == NULL) return small ? GALE_EGONE : UV_ENOMEM;
    memcpy(out, head.ptr, head.len);
    size_t size = gale__ws_frame_add_mask(out, head.len, key);
    gale__ws_mask_copy(out + size, payload, key);
    size += payload.len;
    if (!small) return gale__conn_write_buf(ws->conn, (gale_buf_t){out, size, gale__free, out});
    gale__outbox_commit(ws->conn->out, size);
    return 0;
}

int gale__ws_write_masked_frame(gale_ws_t *ws, gale_str_t frame) {
    gale__ws_frame_t f;
    const char *error;
    int head = gale__ws_frame_parse(&f, GALE__WS_ALLOW_RSV1 | GALE__WS_FROM_SERVER, frame.ptr,
                                    frame.len, &error);
    if (head <= 0) return GALE_EPROTO; /* it is one of ours */
    return gale__ws_write_masked(ws, gale_str(frame.ptr, (size_t)head),
                                 gale_str(frame.ptr + head, frame.len - (size_t)head));
}

/* ---------------------------------------------------------------------------------------- frames */

/* Into its callers: each message a server sends comes by here. */
static inline __attribute__((always_inline)) int write_frame(gale_ws_t *ws, int opcode,
                                                             gale_str_t payload) {
    char head[HEAD_MAX];
    size_t len = gale__ws_frame_write(head, opcode, true, false, payload.len);
    if (ws->client) return gale__ws_write_masked(ws, gale_str(head, len), payload);
    int err = gale__conn_write(ws->conn, gale_str(head, len));
    return err < 0 ? err : gale__conn_write(ws->conn, payload);
}

static int after_send(gale_ws_t *ws, int err) {
    if (err < 0) return err;
    int pressure = gale__conn_pressure(ws->conn);
    if (pressure == 1) ws->want_drain = true;
    return pressure;
}

static int may_send(const gale_ws_t *ws) {
    if (ws->conn->cut_due) return GALE_EGONE;
    return ws->close_sent ? GALE_ESTATE : 0;
}

bool gale__ws_is_kind(int kind) {
    kind &= ~GALE_WS_PLAIN;
    return kind == GALE_WS_TEXT || kind == GALE_WS_BINARY;
}

static void begin_message(gale_ws_t *ws) {
    gale__count(&ws->conn->worker->counters, GALE__N_MESSAGES_OUT, 1);
    ws->message_ms = (uint32_t)uv_now(ws->conn->worker->loop);
}

/* ---------------------------------------------------------------------------------- compressing */

/* The compressor for a message; *takeover: the socket's own. */
static gale__deflate_t *compressor(gale_ws_t *ws, int kind, size_t len, bool *takeover) {
    *takeover = false;
    if (ws->send_bits == 0 || (kind & GALE_WS_PLAIN) != 0 || len == 0 ||
        len < gale__ws_config(ws)->ws_deflate_min_bytes) {
        return NULL;
    }
    gale__ws_coders_t *c = &ws->conn->worker->ws_coders;
    gale__deflate_t *d = ws->windows == NULL ? NULL : gale__ws_windows_deflate(c, ws->windows);
    *takeover = d != NULL;
    /* A message that needs no window may always be sent, so that memory is no reason to fail. */
    return d != NULL ? d : gale__ws_coders_deflate(c, ws->send_bits);
}

/* 1: sent. 0: not compressed. */
static int send_in_place(gale_ws_t *ws, gale__deflate_t *d, bool takeover, int kind,
                         gale_str_t bytes) {
    char *room = gale__conn_reserve(ws->conn, HEAD + GALE__WS_DEFLATE_ROOM(bytes.len));
    if (room == NULL) return GALE_EGONE;
    size_t size = gale__ws_deflate_message(d, takeover, bytes, room + HEAD);
    if (size == 0) return 0;
    size_t head = gale__ws_frame_write(room, kind, true, true, size);
    if (ws->client) {
        uint8_t key[KEY];
        int err = next_key(ws, key);
        if (err < 0) return err;
        head = gale__ws_frame_add_mask(room, head, key);
        gale__ws_mask(room + HEAD, size, key, 0);
    }
    if (head < HEAD) memmove(room + head, room + HEAD, size);
    gale__outbox_commit(ws->conn->out, head + size);
    return 1;
}

static int send_compressed(gale_ws_t *ws, int kind, gale_str_t bytes) {
    bool takeover;
    gale__deflate_t *d = compressor(ws, kind, bytes.len, &takeover);
    if (d == NULL) return 0;
    kind &= ~GALE_WS_PLAIN;
    if (bytes.len <= IN_PLACE) return send_in_place(ws, d, takeover, kind, bytes);
    gale_buf_t frame;
    if (!gale__ws_deflate_frame(d, takeover, kind, bytes, &frame)) return 0;
    int err = 0;
    if (ws->client) {
        err = gale__ws_write_masked_frame(ws, gale_str(frame.ptr, frame.len));
        gale_buf_free(frame);
        /* It was not sent, so the peer's window does not have it. */
        if (err < 0 && takeover) ws->windows->deflate_stale = true;
    } else {
        err = gale__conn_write_buf(ws->conn, frame);
    }
    return err < 0 ? err : 1;
}

/* -------------------------------------------------------------------------------------- messages */

/* Before a message for it alone: 0; 1 when it must wait behind those of topics that the client has
 * not taken yet; or an error. */
static int may_send_message(gale_ws_t *ws, int kind) {
    int err = gale__ws_is_kind(kind) ? may_send(ws) : UV_EINVAL;
    if (err < 0 || ws->reader == NULL) return err;
    if (gale__reader_is_behind(ws->reader)) return 1;
    return may_send(ws); /* it may have been too slow */
}

static int queue(gale_ws_t *ws, int kind, gale_str_t bytes) {
    ws->message_ms = (uint32_t)uv_now(ws->conn->worker->loop);
    return after_send(ws, gale__reader_queue(ws->reader, kind & ~GALE_WS_PLAIN, bytes));
}

int gale__ws_send(gale_ws_t *ws, int kind, gale_str_t bytes) {
    int err = may_send_message(ws, kind);
    if (err > 0) return queue(ws, kind, bytes);
    if (err < 0) return err;
    begin_message(ws);
    err = send_compressed(ws, kind, bytes);
    if (err != 0) return after_send(ws, err);
    return after_send(ws, write_frame(ws, kind & ~GALE_WS_PLAIN, bytes));
}

int gale__ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t buf) {
    int err;
    if (ws->client) { /* what goes out is a masked copy */
        err = gale__ws_send(ws, kind, gale_str(buf.ptr, buf.len));
        gale_buf_free(buf);
        return err;
    }
    err = may_send_message(ws, kind);
    if (err > 0) {
        err = queue(ws, kind, gale_str(buf.ptr, buf.len));
        gale_buf_free(buf);
        return err;
    }
    if (err == 0) {
        begin_message(ws);
        err = send_compressed(ws, kind, gale_str(buf.ptr, buf.len));
        if (err == 0) {
            char head[HEAD_MAX];
            size_t len = gale__ws_frame_write(head, kind & ~GALE_WS_PLAIN, true, false, buf.len);
            err = gale__conn_write(ws->conn, gale_str(head, len));
            if (err >= 0) return after_send(ws, gale__conn_write_buf(ws->conn, buf));
        }
    }
    gale_buf_free(buf);
    return after_send(ws, err);
}

int gale__ws_control(gale_ws_t *ws, int opcode, gale_str_t payload) {
    int err = may_send(ws);
    if (err < 0) return err;
    if (payload.len > CONTROL_MAX) return UV_EINVAL;
    return after_send(ws, write_frame(ws, opcode, payload));
}
