/* What goes out on a WebSocket: messages, compressed or not, and control frames. */
#include <string.h>

#include "reader.h"
#include "ws.h"

enum {
    CONTROL_MAX = 125,
    /* Messages that are compressed where they are to be sent from; longer ones in memory of their
     * own. */
    IN_PLACE = 4096,
    HEAD = 4 /* of what gets smaller than that */
};

static int write_head(gale_ws_t *ws, int opcode, uint64_t length) {
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
    if (ws->server_bits == 0 || (kind & GALE_WS_PLAIN) != 0 || len == 0 ||
        len < gale__ws_config(ws)->ws_deflate_min_bytes) {
        return NULL;
    }
    gale__ws_coders_t *c = &ws->conn->worker->ws_coders;
    gale__deflate_t *d = ws->windows == NULL ? NULL : gale__ws_windows_deflate(c, ws->windows);
    *takeover = d != NULL;
    /* A message that needs no window may always be sent, so that memory is no reason to fail. */
    return d != NULL ? d : gale__ws_coders_deflate(c, ws->server_bits);
}

/* 1: sent. 0: not compressed. */
static int send_in_place(gale_ws_t *ws, gale__deflate_t *d, bool takeover, int kind,
                         gale_str_t bytes) {
    char *room = gale__conn_reserve(ws->conn, HEAD + GALE__WS_DEFLATE_ROOM(bytes.len));
    if (room == NULL) return GALE_EGONE;
    size_t size = gale__ws_deflate_message(d, takeover, bytes, room + HEAD);
    if (size == 0) return 0;
    size_t head = gale__ws_frame_write(room, kind, true, true, size);
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
    int err = gale__conn_write_buf(ws->conn, frame);
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
    err = write_head(ws, kind & ~GALE_WS_PLAIN, bytes.len);
    if (err >= 0) err = gale__conn_write(ws->conn, bytes);
    return after_send(ws, err);
}

int gale__ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t buf) {
    int err = may_send_message(ws, kind);
    if (err > 0) {
        err = queue(ws, kind, gale_str(buf.ptr, buf.len));
        gale_buf_free(buf);
        return err;
    }
    if (err == 0) {
        begin_message(ws);
        err = send_compressed(ws, kind, gale_str(buf.ptr, buf.len));
        if (err == 0) {
            err = write_head(ws, kind & ~GALE_WS_PLAIN, buf.len);
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
    err = write_head(ws, opcode, payload.len);
    if (err >= 0) err = gale__conn_write(ws->conn, payload);
    return after_send(ws, err);
}
