/* Several WebSockets of one server, for tests of topics: what each of them is sent, read as frames. */
#ifndef GALE_TESTS_RIG_TOPIC_H
#define GALE_TESTS_RIG_TOPIC_H

#include "inflate.h"
#include "rig.h"
#include "rig_ws.h"

enum { ROOM_MAX = 8 };

typedef struct {
    rig_ws_t ws;
    rig_client_t client;
    const char *upgrade;      /* null: RIG_UPGRADE */
    gale__inflate_t *inflate; /* of one that takes compressed messages */
    rig_text_t got;           /* "hello;~compressed;C1013;", long ones as "5000*;" */
    unsigned lags;
    size_t dropped;
} room_member_t;

typedef struct {
    rig_t rig;
    unsigned count;
    room_member_t member[ROOM_MAX];
} room_t;

/* Connects `count` sockets; room->rig is initialised, and configured, before. */
void room_open(room_t *room, unsigned count);
void room_close(room_t *room);
gale_ws_t *room_ws(room_t *room, unsigned i);
int room_join(room_t *room, unsigned i, const char *topic);
int room_publish(room_t *room, const char *topic, const char *text);
/* What a member has got since last asked, turned into text. */
const char *room_got(room_t *room, unsigned i);
void room_stall(room_t *room, unsigned i, bool stalled);
void room_leave(room_t *room, unsigned i);
gale_stats_t room_stats(room_t *room);
/* Adds the server's whole frames at the start of `bytes` to `out` as text; gives their bytes. */
size_t room_read(rig_text_t *out, gale_str_t bytes, gale__inflate_t *inflate);

#endif
