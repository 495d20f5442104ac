/* Topics: who gets what, in which order, and when a subscription begins and ends. */
#include <uv.h>

#include "rig_topic.h"
#include "worker.h"

#define GOT(i, want) CHECK_EQ_STR(gale_cstr(room_got(&room, i)), want)

TEST(topic, reaches_its_subscribers_and_nobody_else) {
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 3);
    CHECK_EQ_INT(room_join(&room, 0, "a"), 0);
    CHECK_EQ_INT(room_join(&room, 1, "a"), 0);
    CHECK_EQ_INT(room_join(&room, 1, "b"), 0);
    CHECK_EQ_INT(room_publish(&room, "a", "one"), 0);
    CHECK_EQ_INT(room_publish(&room, "b", "two"), 0);
    CHECK_EQ_INT(room_publish(&room, "nobody", "x"), 0);
    CHECK_EQ_INT(room_publish(&room, "a", "three"), 0);
    GOT(0, "one;three;");
    GOT(1, "one;two;three;");
    GOT(2, "");
    gale_stats_t stats = room_stats(&room);
    CHECK_EQ_UINT(stats.topics, 2);
    CHECK_EQ_UINT(stats.subscriptions, 3);
    CHECK_EQ_UINT(stats.deliveries, 5);
    CHECK_EQ_UINT(stats.messages_out, 5);
    CHECK_EQ_UINT(gale_worker_subscribers(room.rig.worker, gale_cstr("a")), 2);
    CHECK_EQ_UINT(gale_worker_subscribers(room.rig.worker, gale_cstr("c")), 0);
    room_close(&room);
}

/* Of one topic, sockets get the very same bytes; of several, each its own in order. */
TEST(topic, keeps_the_order_of_several_topics) {
    enum { ROUNDS = 700 }; /* more than one call of the system takes, with large ones between */
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 3);
    room_join(&room, 0, "a");
    room_join(&room, 0, "b");
    room_join(&room, 1, "a");
    room_join(&room, 2, "b");
    rig_text_t want[3] = {{0}};
    char text[16];
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK_EQ_INT(room_publish(&room, i % 3 == 0 ? "a" : "b", text), 0);
        rig_text_addf(&want[0], "%d;", i);
        rig_text_addf(&want[i % 3 == 0 ? 1 : 2], "%d;", i);
        if (i % 50 == 0) {
            size_t len = i % 100 == 0 ? 5000 : 70000;
            CHECK_EQ_INT(gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_BINARY,
                                      gale_str(rig_pattern(len), len)),
                         0);
            rig_text_addf(&want[0], "%zu*;", len);
            rig_text_addf(&want[1], "%zu*;", len);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_STRS(gale_cstr(room_got(&room, i)), gale_str(want[i].text, want[i].len));
        rig_text_free(&want[i]);
    }
    room_close(&room);
}

/* More than a turn's log holds, in messages and in bytes. */
TEST(topic, publishes_more_than_a_log_holds) {
    static const struct {
        unsigned count;
        size_t len;
    } rows[] = {{3000, 10}, {200, 4000}, {40, 100000}, {3, 2000000}};
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        room_t room = {0};
        rig_init(&room.rig);
        room_open(&room, 2);
        room_join(&room, 0, "a");
        room_join(&room, 1, "a");
        for (unsigned i = 0; i < rows[row].count; i++) {
            CHECK_EQ_INT(gale_publish(room.rig.server, gale_cstr("a"), GALE_WS_BINARY,
                                      gale_str(rig_pattern(rows[row].len), rows[row].len)),
                         0);
        }
        for (unsigned i = 0; i < 2; i++) {
            gale_str_t got = gale_cstr(room_got(&room, i));
            CHECK_EQ_UINT(rig_count(got, ";"), rows[row].count);
        }
        CHECK_EQ_UINT(room_stats(&room).deliveries, 2 * rows[row].count);
        room_close(&room);
    }
}

TEST(topic, sending_and_publishing_keep_their_order) {
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 2);
    room_join(&room, 0, "a");
    room_join(&room, 1, "a");
    room_publish(&room, "a", "1");
    CHECK_EQ_INT(gale_ws_send(room_ws(&room, 0), GALE_WS_TEXT, gale_cstr("own 2")), 0);
    room_publish(&room, "a", "3");
    unsigned freed = 0;
    CHECK_EQ_INT(gale_ws_send_buf(room_ws(&room, 0), GALE_WS_TEXT, rig_buf("own 4", 5, &freed)), 0);
    room_publish(&room, "a", "5");
    GOT(0, "1;own 2;3;own 4;5;");
    GOT(1, "1;3;5;");
    CHECK_EQ_UINT(freed, 1);
    room_close(&room);
}

TEST(topic, begins_with_subscribing_and_ends_with_leaving) {
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 2);
    room_join(&room, 0, "a");
    room_publish(&room, "a", "1");
    room_join(&room, 1, "a"); /* "1" was before its time */
    room_publish(&room, "a", "2");
    CHECK_EQ_INT(gale_ws_unsubscribe(room_ws(&room, 0), gale_cstr("a")), 0);
    room_publish(&room, "a", "3");
    CHECK_EQ_INT(gale_ws_unsubscribe(room_ws(&room, 0), gale_cstr("a")), 1);
    GOT(0, "1;2;");
    GOT(1, "2;3;");
    CHECK_EQ_INT(gale_ws_unsubscribe(room_ws(&room, 1), gale_cstr("a")), 0);
    CHECK_EQ_UINT(room_stats(&room).topics, 0);
    /* The topic ends and begins again within a turn. */
    room_join(&room, 0, "b");
    room_publish(&room, "b", "4");
    gale_ws_unsubscribe(room_ws(&room, 0), gale_cstr("b"));
    room_publish(&room, "b", "5");
    room_join(&room, 1, "b");
    room_publish(&room, "b", "6");
    GOT(0, "4;");
    GOT(1, "6;");
    room_close(&room);
}

TEST(topic, publish_of_a_socket_leaves_it_out) {
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 3);
    for (unsigned i = 0; i < 3; i++) room_join(&room, i, "a");
    for (unsigned i = 0; i < 3; i++) {
        char text[8];
        snprintf(text, sizeof text, "by %u", i);
        CHECK_EQ_INT(
            gale_ws_publish(room_ws(&room, i), gale_cstr("a"), GALE_WS_TEXT, gale_cstr(text)), 0);
    }
    room_publish(&room, "a", "all");
    GOT(0, "by 1;by 2;all;");
    GOT(1, "by 0;by 2;all;");
    GOT(2, "by 0;by 1;all;");
    /* One that doesn't subscribe may publish. */
    gale_ws_unsubscribe(room_ws(&room, 0), gale_cstr("a"));
    gale_ws_publish(room_ws(&room, 0), gale_cstr("a"), GALE_WS_TEXT, gale_cstr("x"));
    GOT(0, "");
    GOT(1, "x;");
    room_close(&room);
}

TEST(topic, refuses_what_it_cannot_do) {
    room_t room = {0};
    char name[257] = "";
    memset(name, 'n', 256);
    rig_init(&room.rig);
    room.rig.config.ws_max_topics = 2;
    room_open(&room, 1);
    gale_ws_t *ws = room_ws(&room, 0);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_str("", 0)), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_str(name, 256)), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_subscribe_with(ws, gale_cstr("a"), 4, 0), UV_EINVAL);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_str(name, 255)), 0);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_str("\0\xff", 2)), 0);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_str("\0\xff", 2)), 1);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_cstr("third")), GALE_ELIMIT);
    CHECK_EQ_INT(gale_ws_unsubscribe(ws, gale_str(name, 0)), UV_EINVAL);
    CHECK_EQ_INT(gale_publish(room.rig.server, gale_str(name, 0), GALE_WS_TEXT, gale_cstr("x")),
                 UV_EINVAL);
    CHECK_EQ_INT(gale_publish(room.rig.server, gale_cstr("a"), 8, gale_cstr("x")), UV_EINVAL);
    CHECK_EQ_INT(
        gale_publish(room.rig.server, gale_str("\0\xff", 2), GALE_WS_BINARY, gale_str(NULL, 0)), 0);
    GOT(0, ";");
    CHECK_EQ_INT(gale_ws_close(ws, 1000, gale_cstr("")), 0);
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_cstr("a")), GALE_ESTATE);
    CHECK_EQ_INT(gale_ws_unsubscribe(ws, gale_str("\0\xff", 2)), 1);
    room_close(&room);
}

TEST(topic, config_with_an_unknown_policy) {
    gale_server_t *s;
    gale_config_t config = gale_config();
    CHECK_EQ_UINT(config.ws_slow_policy, GALE_SLOW_CLOSE);
    config.ws_slow_policy = 4;
    CHECK_EQ_INT(gale_server_new(&s, &config), UV_EINVAL);
}

TEST(topic, publishing_before_the_server_runs) {
    gale_server_t *s;
    REQUIRE(gale_server_new(&s, NULL) == 0);
    CHECK_EQ_INT(gale_publish(s, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("x")), 0);
    gale_server_free(s);
}

/* What was published before a close is sent before it. */
TEST(topic, closing_ends_subscriptions) {
    room_t room = {0};
    rig_init(&room.rig);
    room_open(&room, 3);
    for (unsigned i = 0; i < 3; i++) room_join(&room, i, "a");
    room_publish(&room, "a", "1");
    gale_ws_close(room_ws(&room, 0), 4000, gale_cstr("bye"));
    gale_ws_abort(room_ws(&room, 1));
    CHECK_EQ_INT(room_join(&room, 1, "b"), GALE_EGONE);
    room_publish(&room, "a", "2");
    GOT(0, "1;C4000;");
    GOT(1, "");
    GOT(2, "1;2;");
    CHECK_EQ_UINT(room_stats(&room).subscriptions, 1);
    room_close(&room);
}

/* What tells other threads that there is nothing to bring here. */
static bool may_have(room_t *room, const char *name) {
    const gale__topics_t *t = &room->rig.worker->topics;
    return gale__topic_maybe(t, gale__topic_hash(room->rig.server, gale_cstr(name)));
}

TEST(topic, other_threads_see_which_there_may_be) {
    room_t room = {0};
    char name[16];
    unsigned wrong = 0;
    rig_init(&room.rig);
    room_open(&room, 2);
    CHECK(!may_have(&room, "a"));
    room_join(&room, 0, "a");
    room_join(&room, 1, "a");
    CHECK(may_have(&room, "a"));
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "other %d", i);
        wrong += may_have(&room, name);
    }
    CHECK(wrong < 20); /* one in 4096 */
    gale_ws_unsubscribe(room_ws(&room, 0), gale_cstr("a"));
    CHECK(may_have(&room, "a"));
    gale_ws_unsubscribe(room_ws(&room, 1), gale_cstr("a"));
    CHECK(!may_have(&room, "a"));
    room_close(&room);
}

/* The topics of many sockets and names come and go; the table grows and shrinks with them. */
TEST(topic, many_names) {
    enum { NAMES = 1000 };
    room_t room = {0};
    char name[16];
    rig_init(&room.rig);
    room_open(&room, 2);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < NAMES; i++) {
            snprintf(name, sizeof name, "topic %d", i);
            CHECK_EQ_INT(room_join(&room, (unsigned)i % 2, name), 0);
        }
        CHECK_EQ_UINT(room_stats(&room).topics, NAMES);
        room_publish(&room, "topic 700", "even");
        room_publish(&room, "topic 701", "odd");
        GOT(0, "even;");
        GOT(1, "odd;");
        for (int i = 0; i < NAMES; i++) {
            snprintf(name, sizeof name, "topic %d", (i * 7) % NAMES);
            CHECK_EQ_INT(gale_ws_unsubscribe(room_ws(&room, (unsigned)i * 7 % 2), gale_cstr(name)),
                         0);
        }
        CHECK_EQ_UINT(room_stats(&room).topics, 0);
    }
    room_close(&room);
}

/* ----------------------------------------------------------------------------------- in callbacks */

static room_t *the_room;

static void leave_and_join(gale_ws_t *ws, int kind, gale_str_t bytes) {
    (void)kind;
    gale_ws_publish(ws, gale_cstr("a"), GALE_WS_TEXT, bytes);
    gale_ws_unsubscribe(ws, gale_cstr("a"));
    gale_publish(the_room->rig.server, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("without it"));
    gale_ws_subscribe(ws, gale_cstr("a"));
    gale_ws_send(ws, GALE_WS_TEXT, gale_cstr("back"));
    gale_publish(the_room->rig.server, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("with it"));
}

static void publish_farewell(gale_ws_t *ws, int code) {
    (void)code;
    CHECK_EQ_INT(gale_ws_subscribe(ws, gale_cstr("a")), GALE_EGONE);
    CHECK_EQ_INT(gale_ws_unsubscribe(ws, gale_cstr("a")), 1);
    CHECK_EQ_INT(gale_ws_publish(ws, gale_cstr("a"), GALE_WS_TEXT, gale_cstr("gone")), 0);
}

TEST(topic, changes_within_callbacks) {
    room_t room = {0};
    rig_text_t frame = {0};
    the_room = &room;
    rig_init(&room.rig);
    room_open(&room, 3);
    for (unsigned i = 0; i < 3; i++) {
        room_join(&room, i, "a");
        room.member[i].ws.message = leave_and_join;
        room.member[i].ws.closed = publish_farewell;
    }
    rig_frame(&frame, 0x81, "m", 1);
    rig_send_bytes(&room.member[1].client, frame.text, frame.len);
    GOT(0, "m;without it;with it;");
    GOT(1, "back;with it;");
    room_leave(&room, 0);
    GOT(1, "gone;");
    GOT(2, "m;without it;with it;gone;");
    rig_text_free(&frame);
    room_close(&room);
}

/* The server stops with messages on their way. */
TEST(topic, stopping_while_publishing) {
    for (int cut = 0; cut < 2; cut++) {
        room_t room = {0};
        rig_init(&room.rig);
        room_open(&room, 2);
        room_join(&room, 0, "a");
        room_join(&room, 1, "a");
        room_stall(&room, 1, true);
        room_publish(&room, "a", "1");
        rig_turn(&room.rig, 2);
        room_publish(&room, "a", "2");
        gale_server_stop(room.rig.server);
        if (cut) gale_server_stop(room.rig.server);
        room_publish(&room, "a", "3");
        rig_turn(&room.rig, 1);
        if (!cut) GOT(0, "1;2;3;C1001;");
        room_stall(&room, 1, false);
        room_close(&room);
    }
}
