/* WebSocket on a connection (RFC 6455): handshake, messages, the closing handshake. */
#ifndef GALE_IO_WS_H
#define GALE_IO_WS_H

#include <stdbool.h>
#include <stdint.h>

#include "connection.h"
#include "utf8.h"
#include "ws_frame.h"

struct gale_ws_s {
    gale__conn_t *conn;
    void *data;
    gale_ws_handler_t handler;
    char *message; /* of a fragmented or partly arrived message */
    size_t message_len, message_cap;
    uint64_t frame_left; /* payload bytes of the present data frame still to come */
    uint64_t frame_seen; /* for the mask's offset */
    uint8_t mask[4];
    uint8_t message_kind; /* 0: none is open */
    bool frame_fin : 1;
    bool frame_open : 1;
    bool close_sent : 1;
    bool close_received : 1;
    bool want_drain : 1;
    bool failed : 1; /* no more input is looked at */
    uint16_t close_code;
    uint8_t reason_len;
    uint32_t ref_slot;
    gale__utf8_t utf8;
    char *reason; /* of the peer's close frame */
};

int gale__ws_accept(gale_req_t *r, const gale_ws_handler_t *h, void *data,
                    const gale_header_t *headers, size_t n, gale_ws_t **out);
size_t gale__ws_feed(gale__conn_t *c, char *bytes, size_t len);
int gale__ws_send(gale_ws_t *ws, int kind, gale_str_t bytes);
int gale__ws_send_buf(gale_ws_t *ws, int kind, gale_buf_t buf);
int gale__ws_control(gale_ws_t *ws, int opcode, gale_str_t payload);
int gale__ws_close(gale_ws_t *ws, int code, gale_str_t reason);
void gale__ws_drained(gale_ws_t *ws);
/* The connection is gone: on_close, then free. */
void gale__ws_gone(gale_ws_t *ws, int reason);

#endif
