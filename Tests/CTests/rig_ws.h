/* WebSocket clients for tests: the handshake, frames out and frames in. */
#ifndef GALE_TESTS_RIG_WS_H
#define GALE_TESTS_RIG_WS_H

#include "rig.h"

/* A handshake with more fields, each with its line end. */
#define RIG_UPGRADE_WITH(fields)                                                                   \
    "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                 \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" fields "\r\n"
#define RIG_UPGRADE RIG_UPGRADE_WITH("")

/* Adds a masked frame. opcode may carry 0x80 (FIN) and RSV bits. */
void rig_frame(rig_text_t *out, int first, const void *payload, size_t len);
/* Adds a masked close frame; code 0: no payload. */
void rig_close_frame(rig_text_t *out, int code, const char *reason);

/* Callbacks that echo and keep a log: "M1 hello;C 1000 bye;". data is a rig_ws_t. */
typedef struct {
    gale_ws_t *ws; /* null when it is closed */
    unsigned messages, pings, pongs, drains, closes;
    int code;
    rig_text_t log;
    bool echo;
    const char *upgrade;              /* null: RIG_UPGRADE */
    const gale_ws_options_t *options; /* null: gale_ws_accept */
    char answer[512];                 /* to the handshake */
    void (*message)(gale_ws_t *ws, int kind, gale_str_t bytes);
    void (*closed)(gale_ws_t *ws, int code);
} rig_ws_t;

gale_ws_handler_t rig_ws_handler(void);

/* A rig whose requests all become WebSockets of rig->arg, a rig_ws_t; and one client that is connected. */
void rig_ws_open(rig_t *rig, rig_client_t *client, rig_ws_t *ws);
void rig_ws_close(rig_t *rig, rig_client_t *client, rig_ws_t *ws);
void rig_ws_accept(rig_t *rig, gale_req_t *req);

#endif
