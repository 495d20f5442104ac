/* Tunnels for tests: a handler that keeps a log and does what the test told it. */
#ifndef GALE_TESTS_RIG_TUNNEL_H
#define GALE_TESTS_RIG_TUNNEL_H

#include "rig.h"

#define UPGRADE                                                                                    \
    "GET /t HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other/1, raw/2\r\n\r\n"
#define CONNECT "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"

/* What the handler of the rig does, and what happened; rig.arg. */
typedef struct {
    const char *protocol;
    gale_tunnel_t *tunnel; /* null once it is closed */
    bool echo, keeps_open; /* on_end ends nothing */
    bool pauses;           /* in on_data */
    bool ends_in_stop;
    int accepted, status;
    unsigned ends, drains, stops, closes;
    rig_text_t in;
    const gale_header_t *headers;
    size_t count;
} play_t;

gale_tunnel_handler_t play_handler(void);
/* Accepts by rig->arg, which is a play_t; answers 403 when that is refused. */
void play_accept(rig_t *rig, gale_req_t *req);
/* Opens the rig, whose config is set already, with play_accept; the client has sent `text`. */
void play_open(rig_t *rig, rig_client_t *client, play_t *play, const char *text);
/* The same with a tunnel that is open. */
void play_open_tunnel(rig_t *rig, rig_client_t *client, play_t *play);
void play_close(rig_t *rig, rig_client_t *client, play_t *play);

#define CHECK_IN(want) CHECK_EQ_STR(gale_str(play.in.text, play.in.len), want)

#endif
