/* Clients that take the messages of a topic too slowly, under each policy; the others get all. */
#include <uv.h>

#include "rig_topic.h"

#define GOT(i, want) CHECK_EQ_STR(gale_cstr(room_got(&room, i)), want)

/* Two sockets of topic "a", the second with this policy and room for `messages` of two bytes. */
static void open_slow(room_t *room, uint32_t policy, uint64_t messages) {
    enum { COST = 40 + 2 + 2 };
    rig_init(&room->rig);
    room_open(room, 2);
    room_join(room, 0, "a");
    CHECK_EQ_INT(gale_ws_subscribe_with(room_ws(room, 1), gale_cstr("a"), policy, messages * COST),
                 0);
    room_stall(room, 1, true);
}

/* Those with number first to last - 1, in turns of their own. */
static void publish_numbers(room_t *room, int first, int last) {
    char text[4];
    for (int i = first; i < last; i++) {
        snprintf(text, sizeof text, "%02d", i);
        CHECK_EQ_INT(room_publish(room, "a", text), 0);
        rig_turn(&room->rig, 2);
    }
}

TEST(topic_slow, waits_within_its_limit) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_CLOSE, 8);
    publish_numbers(&room, 0, 9); /* the first is on its way already */
    GOT(0, "00;01;02;03;04;05;06;07;08;");
    GOT(1, "");
    CHECK_EQ_UINT(gale_ws_queued(room_ws(&room, 1)), 4 + 8 * 44);
    room_stall(&room, 1, false);
    GOT(1, "00;01;02;03;04;05;06;07;08;");
    CHECK_EQ_UINT(gale_ws_queued(room_ws(&room, 1)), 0);
    CHECK_EQ_UINT(room_stats(&room).deliveries, 18);
    CHECK_EQ_UINT(room_stats(&room).deliveries_dropped, 0);
    room_close(&room);
}

TEST(topic_slow, is_closed_with_1013) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_CLOSE, 8);
    room_join(&room, 1, "b");
    publish_numbers(&room, 0, 12);
    GOT(0, "00;01;02;03;04;05;06;07;08;09;10;11;");
    CHECK_EQ_UINT(room_stats(&room).subscriptions, 1);
    CHECK_EQ_UINT(room_stats(&room).slow_closed, 1);
    CHECK_EQ_INT(gale_ws_send(room_ws(&room, 1), GALE_WS_TEXT, gale_cstr("x")), GALE_ESTATE);
    room_stall(&room, 1, false);
    GOT(1, "00;C1013;");
    room_leave(&room, 1);
    CHECK_EQ_INT(room.member[1].ws.code, 1013);
    CHECK(rig_has(gale_cstr(room.member[1].ws.log.text), "too slow"));
    CHECK_EQ_UINT(room.member[1].lags, 0);
    room_close(&room);
}

TEST(topic_slow, the_oldest_are_dropped) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_DROP_OLDEST, 3);
    publish_numbers(&room, 0, 10);
    CHECK_EQ_UINT(room.member[1].lags, 6); /* one a turn */
    CHECK_EQ_UINT(room.member[1].dropped, 6);
    CHECK_EQ_UINT(room_stats(&room).deliveries_dropped, 6);
    CHECK_EQ_UINT(gale_ws_queued(room_ws(&room, 1)), 4 + 3 * 44);
    room_stall(&room, 1, false);
    GOT(1, "00;07;08;09;");
    publish_numbers(&room, 10, 12);
    GOT(1, "10;11;");
    GOT(0, "00;01;02;03;04;05;06;07;08;09;10;11;");
    room_close(&room);
}

TEST(topic_slow, the_newest_are_dropped) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_DROP_NEWEST, 3);
    publish_numbers(&room, 0, 10);
    CHECK_EQ_UINT(room.member[1].dropped, 6);
    room_stall(&room, 1, false);
    GOT(1, "00;01;02;03;");
    publish_numbers(&room, 10, 11);
    GOT(1, "10;");
    room_close(&room);
}

/* Many in one turn, more than it has room for; told once. */
TEST(topic_slow, drops_within_a_turn) {
    room_t room = {0};
    char text[4];
    open_slow(&room, GALE_SLOW_DROP_OLDEST, 4);
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%02d", i);
        room_publish(&room, "a", text);
    }
    rig_turn(&room.rig, 2);
    CHECK_EQ_UINT(room.member[1].lags, 1);
    CHECK_EQ_UINT(room.member[1].dropped, 95);
    room_stall(&room, 1, false);
    GOT(1, "00;96;97;98;99;");
    CHECK_EQ_UINT(rig_count(gale_cstr(room_got(&room, 0)), ";"), 100);
    room_close(&room);
}

/* One larger than all its room is dropped under every policy that drops. */
TEST(topic_slow, a_message_larger_than_the_limit) {
    for (uint32_t policy = GALE_SLOW_DROP_OLDEST; policy <= GALE_SLOW_DROP_NEWEST; policy++) {
        room_t room = {0};
        open_slow(&room, policy, 2);
        publish_numbers(&room, 0, 2);
        gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_BINARY,
                     gale_str(rig_pattern(9000), 9000));
        rig_turn(&room.rig, 2);
        room_stall(&room, 1, false);
        if (policy == GALE_SLOW_DROP_OLDEST) GOT(1, "00;");
        if (policy == GALE_SLOW_DROP_NEWEST) GOT(1, "00;01;");
        GOT(0, "00;01;9000*;");
        room_close(&room);
    }
}

/* Limits are of a topic: another's messages are not dropped for it, and the order stays. */
TEST(topic_slow, topics_have_limits_of_their_own) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_DROP_OLDEST, 2);
    gale_ws_subscribe_with(room_ws(&room, 1), gale_cstr("b"), GALE_SLOW_DROP_OLDEST, 1000);
    room_publish(&room, "b", "first");
    rig_turn(&room.rig, 2);
    for (int i = 0; i < 5; i++) {
        publish_numbers(&room, i, i + 1);
        room_publish(&room, "b", i % 2 == 0 ? "even" : "odd");
        rig_turn(&room.rig, 2);
    }
    CHECK_EQ_INT(gale_ws_send(room_ws(&room, 1), GALE_WS_TEXT, gale_cstr("own")), 0);
    publish_numbers(&room, 5, 6);
    room_stall(&room, 1, false);
    GOT(1, "first;even;odd;even;odd;04;even;own;05;");
    room_close(&room);
}

/* A close of our own is the last, behind all that waited; the client's ends everything at once. */
TEST(topic_slow, closing_while_messages_wait) {
    for (int ours = 0; ours < 2; ours++) {
        room_t room = {0};
        rig_text_t frame = {0};
        open_slow(&room, GALE_SLOW_CLOSE, 8);
        publish_numbers(&room, 0, 4);
        rig_close_frame(&frame, 1000, "");
        if (ours) gale_ws_close(room_ws(&room, 1), 1000, gale_cstr(""));
        if (!ours) rig_send_bytes(&room.member[1].client, frame.text, frame.len);
        rig_turn(&room.rig, 2);
        room_stall(&room, 1, false);
        if (ours) GOT(1, "00;01;02;03;C1000;");
        if (!ours) GOT(1, "00;C1000;");
        rig_text_free(&frame);
        room_close(&room);
    }
}

/* It turns out to be too slow within a call on the socket, when that hands it what the turn had for
 * it: a send, a close, a subscription. */
TEST(topic_slow, is_found_too_slow_within_a_call) {
    for (int call = 0; call < 5; call++) {
        room_t room = {0};
        unsigned freed = 0;
        open_slow(&room, GALE_SLOW_CLOSE, 2);
        publish_numbers(&room, 0, 2);
        for (int i = 0; i < 9; i++) room_publish(&room, "a", "more");
        gale_ws_t *ws = room_ws(&room, 1);
        if (call == 0) CHECK_EQ_INT(gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("x")), GALE_ESTATE);
        if (call == 1) {
            CHECK_EQ_INT(gale_ws_send_buf(ws, GALE_WS_TEXT, rig_buf("x", 1, &freed)), GALE_ESTATE);
            CHECK_EQ_UINT(freed, 1);
        }
        if (call == 2) CHECK_EQ_INT(gale_ws_close(ws, 1000, gale_cstr("")), 0);
        if (call == 3) CHECK_EQ_INT(gale_ws_subscribe(ws, gale_cstr("b")), GALE_ESTATE);
        if (call == 4) CHECK_EQ_INT(gale_ws_unsubscribe(ws, gale_cstr("a")), 0);
        CHECK_EQ_UINT(room_stats(&room).slow_closed, 1);
        CHECK_EQ_UINT(gale_worker_subscribers(room.rig.worker, gale_cstr("a")), 1);
        room_stall(&room, 1, false);
        GOT(1, "00;C1013;");
        room_close(&room);
    }
}

/* Leaving and coming back must not gather more than the limit. */
TEST(topic_slow, leaving_drops_what_waits) {
    room_t room = {0};
    open_slow(&room, GALE_SLOW_CLOSE, 8);
    publish_numbers(&room, 0, 5);
    CHECK_EQ_INT(gale_ws_unsubscribe(room_ws(&room, 1), gale_cstr("a")), 0);
    CHECK_EQ_UINT(gale_ws_queued(room_ws(&room, 1)), 4);
    CHECK_EQ_INT(room_join(&room, 1, "a"), 0);
    publish_numbers(&room, 5, 7);
    room_stall(&room, 1, false);
    GOT(1, "00;05;06;");
    room_close(&room);
}

/* What a socket is sent alone counts with what waits of topics. */
TEST(topic_slow, pressure_and_write_limit) {
    room_t room = {0};
    rig_init(&room.rig);
    room.rig.config.write_high_water = 1000;
    room.rig.config.write_low_water = 500;
    room.rig.config.write_limit = 20000;
    room.rig.config.ws_slow_limit = 100000;
    room_open(&room, 1);
    room_join(&room, 0, "a");
    room_stall(&room, 0, true);
    for (int i = 0; i < 12; i++) {
        gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_TEXT,
                     gale_str(rig_pattern(100), 100));
        rig_turn(&room.rig, 2);
    }
    CHECK_EQ_INT(gale_ws_send(room_ws(&room, 0), GALE_WS_TEXT, gale_cstr("x")), 1);
    room_stall(&room, 0, false);
    rig_turn(&room.rig, 4);
    CHECK_EQ_UINT(room.member[0].ws.drains, 1);
    CHECK_EQ_UINT(rig_count(gale_cstr(room_got(&room, 0)), "100*;"), 12);
    room_stall(&room, 0, true);
    for (int i = 0; i < 200; i++) {
        gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_TEXT,
                     gale_str(rig_pattern(100), 100));
        rig_turn(&room.rig, 1);
    }
    CHECK_EQ_UINT(room.member[0].ws.closes, 1);
    CHECK_EQ_INT(room.member[0].ws.code, 1006);
    room_close(&room);
}

/* --------------------------------------------------------------------------- in the lag's callback */

static room_t *the_room;

static void resync(gale_ws_t *ws, gale_str_t topic, size_t dropped, void *data) {
    room_member_t *m = data;
    m->lags++;
    m->dropped += dropped;
    CHECK_EQ_STR(topic, "a");
    gale_ws_unsubscribe(ws, topic);
    gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("news"));
    gale_ws_subscribe(ws, gale_cstr("a"));
    gale_publish(the_room->rig.server, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("go on"));
}

static void accept_resync(rig_t *rig, gale_req_t *req) {
    room_member_t *m = rig->arg;
    gale_ws_handler_t h = rig_ws_handler();
    h.on_lag = resync;
    CHECK_EQ_INT(gale_ws_accept(req, &h, &m->ws, NULL, 0, &m->ws.ws), 0);
}

TEST(topic_slow, the_handler_makes_it_good) {
    room_t room = {0};
    the_room = &room;
    rig_init(&room.rig);
    room.rig.config.ws_slow_policy = GALE_SLOW_DROP_NEWEST;
    room.rig.config.ws_slow_limit = 100;
    room_open(&room, 0);
    room.count = 1;
    room.rig.request = accept_resync;
    room.rig.arg = &room.member[0];
    rig_connect(&room.rig, &room.member[0].client);
    rig_send(&room.member[0].client, RIG_UPGRADE);
    rig_take(&room.member[0].client);
    room_join(&room, 0, "a");
    room_stall(&room, 0, true);
    publish_numbers(&room, 0, 4); /* room for two behind the first */
    CHECK_EQ_UINT(room.member[0].lags, 1);
    room_stall(&room, 0, false);
    GOT(0, "00;news;go on;");
    room_close(&room);
}
