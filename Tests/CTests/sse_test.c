/* Server-sent events: what is written for each, and the stream that carries them. */
#include "rig.h"

#include <string.h>

#include "sse.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 41\r\n\r\n"

static gale_str_t no(void) {
    return gale_str(NULL, 0);
}

TEST(sse, what_is_written) {
    const struct {
        gale_sse_event_t event;
        const char *text; /* null: refused */
    } rows[] = {
        {{0, gale_cstr("a"), no(), no(), 0}, "data: a\n\n"},
        {{0, gale_cstr(""), no(), no(), 0}, "data: \n\n"},
        {{0, gale_cstr("a\nb\r\nc\rd"), no(), no(), 0}, "data: a\ndata: b\ndata: c\ndata: d\n\n"},
        {{0, gale_cstr("\n"), no(), no(), 0}, "data: \ndata: \n\n"},
        {{0, gale_cstr("\r\r\n"), no(), no(), 0}, "data: \ndata: \ndata: \n\n"},
        {{0, gale_cstr(" a: b"), gale_cstr("tick"), gale_cstr("7"), 4294967295u},
         "event: tick\nid: 7\nretry: 4294967295\ndata:  a: b\n\n"},
        {{0, no(), no(), gale_cstr(""), 10}, "id: \nretry: 10\n\n"},
        {{0, no(), no(), no(), 0}, "\n"},
        {{0, gale_str("a\0b", 3), no(), no(), 0}, "data: a"},
        {{0, gale_cstr("a"), gale_cstr("x\ny"), no(), 0}, NULL},
        {{0, gale_cstr("a"), gale_cstr("x\r"), no(), 0}, NULL},
        {{0, gale_cstr("a"), no(), gale_cstr("\n"), 0}, NULL},
        {{0, gale_cstr("a"), no(), gale_str("1\0", 2), 0}, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gale_sse_event_t e = rows[i].event;
        e.struct_size = sizeof e;
        char out[128];
        memset(out, '#', sizeof out);
        int64_t len = gale_sse_format(out, sizeof out, &e);
        if (rows[i].text == NULL) {
            CHECK_EQ_INT(len, GALE_EHEADER);
            continue;
        }
        CHECK_MSG(strncmp(out, rows[i].text, strlen(rows[i].text)) == 0 && out[len] == '#',
                  "row %zu: %.*s", i, (int)len, out);
        for (size_t room = 0; room < (size_t)len; room++) { /* never beyond its room */
            char part[128];
            memset(part, '#', sizeof part);
            CHECK_EQ_INT(gale_sse_format(part, room, &e), len);
            CHECK(memcmp(part, out, room) == 0 && part[room] == '#');
        }
    }
    gale_sse_event_t old = {0};
    CHECK_EQ_INT(gale_sse_format(NULL, 0, &old), GALE_EVERSION);
}

static gale_str_t settled(rig_t *rig, rig_client_t *client) {
    rig_turn(rig, 4);
    return rig_take(client);
}

TEST(sse, a_stream) {
    rig_t rig;
    rig_client_t client;
    gale_header_t header = {{"X-Own", 5}, {"1", 1}};
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    CHECK_EQ_INT(rig_send(&client, GET), 0);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_STR(gale_sse_last_id(rig.req), "41");
    gale_sse_event_t event = gale_sse_event(gale_cstr("one"));
    CHECK_EQ_INT(gale_sse_send(rig.req, &event), GALE_ESTATE);
    CHECK_EQ_INT(gale_sse_begin(rig.req, 0, &header, 100), GALE_ELIMIT);
    CHECK_EQ_INT(gale_sse_begin(rig.req, 0, &header, 1), 0);
    CHECK_EQ_INT(gale_sse_begin(rig.req, 0, NULL, 0), GALE_ESTATE);
    CHECK_EQ_INT(gale_sse_send(rig.req, &event), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK(rig_has(got, "Content-Type: text/event-stream; charset=utf-8\r\n"));
    CHECK(rig_has(got, "Cache-Control: no-store\r\n") && rig_has(got, "X-Own: 1\r\n"));
    CHECK_EQ_STR(rig_body_of(got), "b\r\ndata: one\n\n\r\n");
    event.id = gale_cstr("a\nb");
    CHECK_EQ_INT(gale_sse_send(rig.req, &event), GALE_EHEADER);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    CHECK_EQ_STR(settled(&rig, &client), "0\r\n\r\n");
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(sse, heartbeats_while_nothing_else_is_sent) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    CHECK_EQ_INT(rig_send(&client, GET), 0);
    REQUIRE(rig.req != NULL);
    CHECK_EQ_INT(gale_sse_begin(rig.req, 1, NULL, 0), 0);
    settled(&rig, &client);
    size_t beats = 0;
    for (int i = 0; i < 5000 && beats < 3; i++) {
        rig_turn(&rig, 1);
        gale_str_t got = rig_take(&client);
        for (size_t at = 0; at + 8 <= got.len; at += 8) {
            CHECK(memcmp(got.ptr + at, "3\r\n:\n\n\r\n", 8) == 0);
            beats++;
        }
        uv_sleep(1);
    }
    CHECK_EQ_UINT(beats, 3);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0); /* none after the end */
    gale_str_t got = settled(&rig, &client);
    CHECK(got.len >= 5 && memcmp(got.ptr + got.len - 5, "0\r\n\r\n", 5) == 0);
    rig_drop(&rig, &client);
    rig_close(&rig);
}
