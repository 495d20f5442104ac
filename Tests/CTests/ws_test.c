/* WebSocket on the wire: frames, fragments, violations, the closing handshake. */
#include <stdlib.h>

#include <unistd.h>

#include "rig.h"
#include "rig_socket.h"
#include "rig_ws.h"
#include "ws_deflate.h"

/* One conversation: what the client sends, then what came back and what the handler saw. */
typedef struct {
    const char *sent;
    size_t sent_len;
    const char *got;
    size_t got_len;
    const char *log;
    bool closes;
} talk_t;
#define TALK(sent, got, log, closes)                                                               \
    { sent, sizeof(sent) - 1, got, sizeof(got) - 1, log, closes }

static void check_talk(const talk_t *t, size_t row, const gale_config_t *config) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {.echo = true};
    rig_init(&rig);
    if (config != NULL) rig.config = *config;
    rig_ws_open(&rig, &client, &ws);
    rig_send_bytes(&client, t->sent, t->sent_len);
    rig_turn(&rig, 4);
    gale_str_t got = rig_take(&client);
    CHECK_EQ_STRS(got, gale_str(t->got, t->got_len));
    CHECK_MSG(client.closes == t->closes, "row %zu: closed %u", row, client.closes);
    CHECK_EQ_STRS(gale_str(ws.log.text == NULL ? "" : ws.log.text, ws.log.len), gale_cstr(t->log));
    if (test_failures() > 0) test_fail(__FILE__, __LINE__, "in row %zu", row);
    rig_ws_close(&rig, &client, &ws);
}

#define NO_MASK "\0\0\0\0"

/* WS-08 */
TEST(ws, messages_WS_08) {
    static const talk_t talks[] = {
        TALK("\x81\x80" NO_MASK, "\x81\0", "M1 0 ;", false),
        TALK("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "\x81\x05Hello", "M1 5 Hello;", false),
        TALK("\x82\x82" NO_MASK "\xff\xfe", "\x82\x02\xff\xfe", "M2 2 \xff\xfe;", false),
        TALK("\x81\x81" NO_MASK "a\x81\x81" NO_MASK "b",
             "\x81\x01"
             "a\x81\x01"
             "b",
             "M1 1 a;M1 1 b;", false),
        TALK("\x01\x81" NO_MASK "a\x00\x81" NO_MASK "b\x80\x81" NO_MASK "c",
             "\x81\x03"
             "abc",
             "M1 3 abc;", false),
        TALK("\x02\x80" NO_MASK "\x80\x80" NO_MASK, "\x82\0", "M2 0 ;", false),
        TALK("\x01\x81" NO_MASK "a\x89\x81" NO_MASK "p\x80\x81" NO_MASK "b",
             "\x8a\x01p\x81\x02"
             "ab",
             "P p;M1 2 ab;", false),
        TALK("\x01\x82" NO_MASK "\xc3\xa9\x00\x81" NO_MASK "\xf0\x80\x83" NO_MASK "\x9f\x8c\x8a",
             "\x81\x06\xc3\xa9\xf0\x9f\x8c\x8a", "M1 6 \xc3\xa9\xf0\x9f\x8c\x8a;", false),
        TALK("\x89\x80" NO_MASK, "\x8a\0", "P ;", false),
        TALK("\x8a\x82" NO_MASK "hi", "", "Q hi;", false),
    };
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) check_talk(&talks[i], i, NULL);
}

/* Violations are told in a close frame: WS-09, WS-10, WS-12. */

typedef struct {
    const char *sent;
    size_t len;
    int code;
} violation_t;
#define BREACH(sent, code)                                                                         \
    { sent, sizeof(sent) - 1, code }

TEST(ws, violations_WS_09_WS_10_WS_12) {
    static const violation_t rows[] = {
        BREACH("\xc1\x80" NO_MASK, 1002), /* RSV1 */
        BREACH("\xa1\x80" NO_MASK, 1002), /* RSV2 */
        BREACH("\x91\x80" NO_MASK, 1002), /* RSV3 */
        BREACH("\x83\x80" NO_MASK, 1002), /* opcodes that are not */
        BREACH("\x87\x80" NO_MASK, 1002),
        BREACH("\x8b\x80" NO_MASK, 1002),
        BREACH("\x8f\x80" NO_MASK, 1002),
        BREACH("\x81\x02hi", 1002),               /* not masked */
        BREACH("\x89\xfe\x00\x7e" NO_MASK, 1002), /* a long ping */
        BREACH("\x09\x80" NO_MASK, 1002),         /* a fragmented ping */
        BREACH("\x08\x80" NO_MASK, 1002),
        BREACH("\x80\x80" NO_MASK, 1002), /* continuation of nothing */
        BREACH("\x00\x80" NO_MASK, 1002),
        BREACH("\x01\x80" NO_MASK "\x81\x80" NO_MASK, 1002), /* a message within another */
        BREACH("\x01\x80" NO_MASK "\x02\x80" NO_MASK, 1002),
        BREACH("\x81\xfe\x00\x05" NO_MASK "hello", 1002), /* a length that is not the shortest */
        BREACH("\x81\xff\0\0\0\0\0\0\xff\xff" NO_MASK, 1002),
        BREACH("\x81\xff\x80\0\0\0\0\0\0\0" NO_MASK, 1002), /* the top bit */
        BREACH("\x81\x82" NO_MASK "\xc3\x28", 1007),        /* not UTF-8 */
        BREACH("\x81\x81" NO_MASK "\xc3", 1007),
        BREACH("\x81\x83" NO_MASK "\xed\xa0\x80", 1007),
        BREACH("\x01\x81" NO_MASK "\xc3\x80\x80" NO_MASK, 1007),
        BREACH("\x01\x81" NO_MASK "\xff", 1007),     /* at the earliest fragment */
        BREACH("\x88\x81" NO_MASK "x", 1002),        /* closing with half a code */
        BREACH("\x88\x82" NO_MASK "\x03\xe7", 1002), /* 999 */
        BREACH("\x88\x82" NO_MASK "\x03\xed", 1002), /* 1005 */
        BREACH("\x88\x82" NO_MASK "\x03\xee", 1002), /* 1006 */
        BREACH("\x88\x82" NO_MASK "\x13\x88", 1002), /* 5000 */
        BREACH("\x88\x84" NO_MASK "\x03\xe8\xc3\x28", 1007),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        rig_init(&rig);
        rig_ws_open(&rig, &client, &ws);
        rig_send_bytes(&client, rows[i].sent, rows[i].len);
        rig_send(&client, "\x81\x80"); /* no more is looked at */
        rig_turn(&rig, 4);
        gale_str_t got = rig_take(&client);
        int code = got.len < 4 ? 0 : (uint8_t)got.ptr[2] << 8 | (uint8_t)got.ptr[3];
        CHECK_MSG(got.len >= 4 && (uint8_t)got.ptr[0] == 0x88 && code == rows[i].code,
                  "row %zu: closed with %d, want %d", i, code, rows[i].code);
        CHECK_EQ_INT(ws.code, rows[i].code);
        CHECK_EQ_UINT(ws.messages, 0);
        CHECK_EQ_UINT(client.closes, 1);
        rig_ws_close(&rig, &client, &ws);
    }
}

/* WS-11, Advisory A12: on the announced length, and over fragments. */
TEST(ws, too_big_is_1009_WS_11) {
    gale_config_t config = gale_config();
    config.ws_max_message_bytes = 10;
    static const talk_t talks[] = {
        TALK("\x82\x8a" NO_MASK "0123456789",
             "\x82\x0a"
             "0123456789",
             "M2 10 0123456789;", false),
        TALK("\x82\x8b" NO_MASK, "\x88\x11\x03\xf1message too big", "C 1009 message too big;",
             true),
        TALK("\x82\xff\0\0\1\0\0\0\0\0" NO_MASK, "\x88\x11\x03\xf1message too big",
             "C 1009 message too big;", true),
        TALK("\x02\x86" NO_MASK "012345\x80\x85" NO_MASK, "\x88\x11\x03\xf1message too big",
             "C 1009 message too big;", true),
    };
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) check_talk(&talks[i], i, &config);
}

#if GALE_WITH_ZLIB
/* A binary message of so many zeros, compressed, in one frame or in two. */
static rig_text_t compressed(size_t len, bool fragments) {
    gale__budget_t budget = {0, SIZE_MAX};
    gale__deflate_t *d = gale__ws_deflate_new(15, 6, &budget);
    char *zeros = calloc(1, len), *payload = malloc(GALE__WS_DEFLATE_ROOM(len));
    rig_text_t frames = {0};
    if (d == NULL || zeros == NULL || payload == NULL) abort();
    size_t size = gale__ws_deflate_message(d, false, gale_str(zeros, len), payload);
    CHECK(size > 1 && size < len / 100);
    size_t first = fragments ? size / 2 : size;
    rig_frame(&frames, fragments ? 0x42 : 0xc2, payload, first);
    if (fragments) rig_frame(&frames, 0x80, payload + first, size - first);
    gale__deflate_free(d);
    free(zeros);
    free(payload);
    return frames;
}

/* WS-11, Advisory A12: of a compressed message the limit is of what comes out of it. */
TEST(ws, too_big_when_inflated_is_1009_WS_11) {
    enum { MOST = 100000 };
    static const size_t lens[] = {MOST, MOST + 1, 16 << 20};
    for (size_t i = 0; i < 12; i++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {.upgrade =
                           RIG_UPGRADE_WITH("Sec-WebSocket-Extensions: permessage-deflate\r\n")};
        rig_text_t frames = compressed(lens[i % 3], i % 2 != 0);
        rig_init(&rig);
        rig.config.ws_deflate = i < 6 ? 1 : 2;
        rig.config.ws_max_message_bytes = MOST;
        rig_ws_open(&rig, &client, &ws);
        rig_send_bytes(&client, frames.text, frames.len);
        rig_turn(&rig, 4);
        CHECK_EQ_UINT(ws.messages, lens[i % 3] == MOST);
        CHECK_EQ_UINT(ws.closes, lens[i % 3] != MOST);
        if (ws.closes > 0) CHECK_EQ_INT(ws.code, 1009);
        rig_text_free(&frames);
        rig_ws_close(&rig, &client, &ws);
    }
}
#endif

/* WS-12, WS-13 */
TEST(ws, the_peer_closes_WS_12_WS_13) {
    static const talk_t talks[] = {
        TALK("\x88\x80" NO_MASK, "\x88\0", "C 1005 ;", true),
        TALK("\x88\x82" NO_MASK "\x03\xe8", "\x88\x02\x03\xe8", "C 1000 ;", true),
        TALK("\x88\x85" NO_MASK "\x0f\xa0"
             "bye",
             "\x88\x02\x0f\xa0", "C 4000 bye;", true),
        TALK("\x81\x81" NO_MASK "a\x88\x80" NO_MASK "\x81\x81" NO_MASK "b",
             "\x81\x01"
             "a\x88\0",
             "M1 1 a;C 1005 ;", true),
        TALK("\x01\x81" NO_MASK "a\x88\x80" NO_MASK, "\x88\0", "C 1005 ;", true),
    };
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) check_talk(&talks[i], i, NULL);
}

TEST(ws, the_connection_breaks_1006) {
    for (int way = 0; way < 2; way++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        rig_init(&rig);
        rig_ws_open(&rig, &client, &ws);
        if (way == 0) gale_peer_close(client.peer);
        if (way == 1) gale_peer_shutdown(client.peer);
        rig_turn(&rig, 4);
        CHECK_EQ_UINT(ws.closes, 1);
        CHECK_EQ_INT(ws.code, 1006);
        rig_ws_close(&rig, &client, &ws);
    }
}

TEST(ws, messages_of_many_sizes) {
    static const size_t sizes[] = {0, 1, 125, 126, 127, 4096, 65535, 65536, 100000, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {.echo = true};
        rig_text_t frame = {0};
        rig_init(&rig);
        rig_ws_open(&rig, &client, &ws);
        rig_frame(&frame, 0x81, rig_pattern(sizes[i]), sizes[i]);
        rig_send_bytes(&client, frame.text, frame.len);
        rig_turn(&rig, 4);
        gale_str_t got = rig_take(&client);
        size_t head = sizes[i] < 126 ? 2 : sizes[i] < 65536 ? 4 : 10;
        CHECK_EQ_UINT(got.len, head + sizes[i]);
        CHECK_EQ_MEM(got.ptr + head, rig_pattern(sizes[i]), sizes[i]);
        CHECK_EQ_UINT(ws.messages, 1);
        rig_text_free(&frame);
        rig_ws_close(&rig, &client, &ws);
    }
}

/* An upgrade that is refused or fails early must not leave a connection that speaks HTTP again. */
TEST(ws, a_breach_right_behind_a_late_upgrade_closes) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_init(&rig);
    rig.arg = &ws;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, RIG_UPGRADE "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(rig.req != NULL);
    rig_ws_accept(&rig, rig.req);
    rig_send(&client, "GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(&rig, 5);
    CHECK_EQ_UINT(rig.requests, 1);
    CHECK_EQ_INT(ws.code, 1002);
    CHECK_EQ_UINT(client.closes, 1);
    rig_ws_close(&rig, &client, &ws);
}

/* A client that asks and does not read fills no memory with answers, and gets the last of them. */
TEST(ws, pongs_do_not_pile_up) {
    for (int way = 0; way < 2; way++) {
        rig_t rig;
        rig_client_t client;
        rig_ws_t ws = {0};
        rig_text_t pings = {0};
        rig_init(&rig);
        rig.config.write_high_water = 2000;
        rig.config.write_low_water = 500;
        rig_ws_open(&rig, &client, &ws);
        gale_peer_stall(client.peer, true);
        for (int i = 0; i < 1000; i++) {
            rig_text_clear(&pings);
            rig_frame(&pings, 0x89, rig_pattern(125), (size_t)i % 125);
            rig_send_bytes(&client, pings.text, pings.len);
        }
        rig_text_clear(&pings);
        rig_frame(&pings, 0x89, "last", way == 0 ? 4 : 0);
        rig_send_bytes(&client, pings.text, pings.len);
        CHECK(gale_ws_queued(ws.ws) <= 2000 + 127);
        CHECK_EQ_UINT(ws.pings, 1001);
        gale_peer_stall(client.peer, false);
        rig_turn(&rig, 3);
        gale_str_t got = rig_take(&client);
        gale_str_t last = way == 0 ? gale_str("\x8a\x04last", 6) : gale_str("\x8a\0", 2);
        REQUIRE(got.len > last.len && got.len <= 2200);
        CHECK_EQ_MEM(got.ptr + got.len - last.len, last.ptr, last.len);
        rig_text_clear(&pings);
        rig_close_frame(&pings, 1000, "bye");
        rig_send_bytes(&client, pings.text, pings.len);
        rig_turn(&rig, 3);
        CHECK_EQ_INT(ws.code, 1000);
        CHECK(rig_has(gale_str(ws.log.text, ws.log.len), "C 1000 bye;"));
        rig_text_free(&pings);
        rig_ws_close(&rig, &client, &ws);
    }
}

/* Gone while a pong is owed: what it was to say is no reason of a close. */
TEST(ws, a_pong_that_is_owed_is_no_reason) {
    rig_t rig;
    rig_client_t client;
    rig_ws_t ws = {0};
    rig_text_t ping = {0};
    rig_init(&rig);
    rig.config.write_high_water = 2000;
    rig.config.write_low_water = 500;
    rig_ws_open(&rig, &client, &ws);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_ws_send(ws.ws, GALE_WS_BINARY, gale_str(rig_pattern(3000), 3000)), 1);
    rig_frame(&ping, 0x89, "asked", 5);
    rig_send_bytes(&client, ping.text, ping.len);
    gale_peer_close(client.peer);
    rig_turn(&rig, 3);
    CHECK(rig_has(gale_str(ws.log.text, ws.log.len), "C 1006 ;"));
    rig_text_free(&ping);
    rig_ws_close(&rig, &client, &ws);
}

/* Who has much to say learns first why nobody listens: no reset overtakes the close frame. */
static void live_accept(gale_req_t *req, void *data) {
    gale_ws_handler_t h = gale_ws_handler();
    gale_ws_t *ws;
    CHECK_EQ_INT(gale_ws_accept(req, &h, data, NULL, 0, &ws), 0);
}

TEST(ws, the_close_frame_reaches_who_is_still_sending_WS_11) {
    enum { REST = 6 << 20 };
    gale_handler_t h = gale_handler();
    char out[1024];
    h.on_request = live_accept;
    gale_server_t *s = live_start(NULL, &h, NULL, "http://127.0.0.1:0");
    REQUIRE(s != NULL);
    int fd = sock_connect(gale_server_port(s, 0));
    CHECK(sock_send(fd, RIG_UPGRADE));
    CHECK(sock_read(fd, out, sizeof out, "\r\n\r\n") > 0);
    CHECK(sock_send_bytes(fd, "\x82\xff\0\0\0\0\1\0\0\0\0\0\0\0", 14)); /* 16 MiB */
    CHECK(sock_send_bytes(fd, rig_pattern(REST), REST));
    CHECK_EQ_INT(sock_read(fd, out, sizeof out, NULL), 19);
    CHECK_EQ_MEM(out, "\x88\x11\x03\xf1message too big", 19);
    close(fd);
    live_end(s);
}
