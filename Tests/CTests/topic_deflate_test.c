/* Topics with permessage-deflate: a message is compressed once, for all who take it so. WS-14 */
#include "rig_topic.h"
#if GALE_WITH_ZLIB

#define GOT(i, want) CHECK_EQ_STR(gale_cstr(room_got(&room, i)), want)
#define DEFLATE(parameters)                                                                        \
    RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate" parameters "\r\n")

static gale__budget_t budget = {0, SIZE_MAX};

static void open_mixed(room_t *room, uint32_t deflate, const char *const upgrade[],
                       unsigned count) {
    rig_init(&room->rig);
    room->rig.config.ws_deflate = deflate;
    room->rig.config.ws_deflate_min_bytes = 20;
    for (unsigned i = 0; i < count; i++) {
        room->member[i].upgrade = upgrade[i];
        room->member[i].inflate = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
    }
    room_open(room, count);
    for (unsigned i = 0; i < count; i++) room_join(room, i, "a");
}

#define AAA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BBB "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* WS-14 */
TEST(topic_deflate, each_gets_what_it_takes_WS_14) {
    static const char *const upgrade[] = {NULL, DEFLATE(""), DEFLATE("; server_max_window_bits=9"),
                                          DEFLATE("; server_no_context_takeover")};
    for (uint32_t deflate = 1; deflate <= 2; deflate++) {
        room_t room = {0};
        open_mixed(&room, deflate, upgrade, 4);
        room_publish(&room, "a", "short");
        room_publish(&room, "a", AAA);
        gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_TEXT | GALE_WS_PLAIN, gale_cstr(BBB));
        room_publish(&room, "a", BBB);
        GOT(0, "short;" AAA ";" BBB ";" BBB ";");
        GOT(1, "short;~" AAA ";" BBB ";~" BBB ";");
        GOT(2, "short;" AAA ";" BBB ";" BBB ";"); /* its window is smaller than the server's */
        GOT(3, "short;~" AAA ";" BBB ";~" BBB ";");
        room_close(&room);
    }
}

/* A socket that keeps its window takes both kinds, in turn: neither refers to the other's. */
TEST(topic_deflate, beside_messages_with_takeover) {
    static const char *const upgrade[] = {DEFLATE("")};
    room_t room = {0};
    open_mixed(&room, 2, upgrade, 1);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ_INT(gale_ws_send(room_ws(&room, 0), GALE_WS_TEXT, gale_cstr(AAA BBB)), 0);
        room_publish(&room, "a", BBB AAA);
        CHECK_EQ_INT(gale_ws_send(room_ws(&room, 0), GALE_WS_TEXT, gale_cstr(AAA BBB)), 0);
        CHECK_EQ_INT(gale_ws_send(room_ws(&room, 0), GALE_WS_TEXT, gale_cstr(BBB)), 0);
        GOT(0, "~80*;~80*;~80*;~" BBB ";");
    }
    room_close(&room);
}

/* Large ones, more than fit in one piece, and those that wait. */
TEST(topic_deflate, large_and_waiting) {
    static const char *const upgrade[] = {DEFLATE(""), NULL, DEFLATE("")};
    room_t room = {0};
    open_mixed(&room, 1, upgrade, 3);
    room_stall(&room, 2, true);
    for (int i = 0; i < 40; i++) {
        gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_BINARY,
                     gale_str(rig_pattern(20000), 20000));
        room_publish(&room, "a", AAA);
        if (i % 4 == 0) rig_turn(&room.rig, 2);
    }
    CHECK_EQ_UINT(rig_count(gale_cstr(room_got(&room, 0)), "20000*;~" AAA), 40);
    CHECK_EQ_UINT(rig_count(gale_cstr(room_got(&room, 1)), "20000*;" AAA), 40);
    room_stall(&room, 2, false);
    CHECK_EQ_UINT(rig_count(gale_cstr(room_got(&room, 2)), "20000*;~" AAA), 40);
    room_close(&room);
}
#endif
