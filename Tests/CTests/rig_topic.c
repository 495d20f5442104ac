#include "rig_topic.h"

#include "ws_deflate.h"

enum { SHORT = 64 };

static void on_lag(gale_ws_t *ws, gale_str_t topic, size_t dropped, void *data) {
    room_member_t *m = data;
    CHECK(ws == m->ws.ws && topic.len > 0);
    m->lags++;
    m->dropped += dropped;
}

static void accept_member(rig_t *rig, gale_req_t *req) {
    room_member_t *m = rig->arg;
    gale_ws_handler_t h = rig_ws_handler();
    h.on_lag = on_lag;
    CHECK_EQ_INT(gale_ws_accept(req, &h, &m->ws, NULL, 0, &m->ws.ws), 0);
}

void room_open(room_t *room, unsigned count) {
    room->rig.request = accept_member;
    rig_open(&room->rig);
    room->count = count;
    for (unsigned i = 0; i < count; i++) {
        room_member_t *m = &room->member[i];
        room->rig.arg = m;
        rig_connect(&room->rig, &m->client);
        CHECK_EQ_INT(rig_send(&m->client, m->upgrade == NULL ? RIG_UPGRADE : m->upgrade), 0);
        CHECK_EQ_INT(rig_status_of(rig_take(&m->client)), 101);
    }
}

void room_close(room_t *room) {
    for (unsigned i = 0; i < room->count; i++) {
        room_leave(room, i);
        CHECK_EQ_UINT(room->member[i].ws.closes, 1);
        rig_text_free(&room->member[i].ws.log);
        rig_text_free(&room->member[i].got);
        gale__inflate_free(room->member[i].inflate);
    }
    gale_stats_t stats = room_stats(room);
    CHECK_EQ_UINT(stats.topics, 0);
    CHECK_EQ_UINT(stats.subscriptions, 0);
    rig_close(&room->rig);
}

gale_ws_t *room_ws(room_t *room, unsigned i) {
    return room->member[i].ws.ws;
}

int room_join(room_t *room, unsigned i, const char *topic) {
    return gale_ws_subscribe(room_ws(room, i), gale_cstr(topic));
}

int room_publish(room_t *room, const char *topic, const char *text) {
    return gale_publish(room->rig.server, gale_cstr(topic), GALE_WS_TEXT, gale_cstr(text));
}

void room_stall(room_t *room, unsigned i, bool stalled) {
    gale_peer_stall(room->member[i].client.peer, stalled);
}

void room_leave(room_t *room, unsigned i) {
    if (room->member[i].client.peer != NULL || room->member[i].client.out.text != NULL) {
        rig_drop(&room->rig, &room->member[i].client);
    }
}

gale_stats_t room_stats(room_t *room) {
    gale_stats_t stats = {.struct_size = sizeof stats};
    CHECK_EQ_INT(gale_stats(room->rig.server, &stats), 0);
    return stats;
}

static size_t head_of(const uint8_t *at, size_t *len) {
    *len = at[1];
    if (at[1] < 126) return 2;
    size_t bytes = at[1] == 126 ? 2 : 8;
    *len = 0;
    for (size_t k = 0; k < bytes; k++) *len = *len << 8 | at[2 + k];
    return 2 + bytes;
}

static void add(rig_text_t *out, gale_str_t text) {
    if (text.len >= SHORT) rig_text_addf(out, "%zu*;", text.len);
    if (text.len < SHORT) rig_text_addf(out, "%.*s;", (int)text.len, text.ptr);
}

static void add_compressed(rig_text_t *out, gale_str_t payload, gale__inflate_t *inflate) {
    static char text[100000];
    gale__ws_inflating_t s = {.in = payload};
    size_t made;
    if (inflate == NULL || gale__ws_inflate_some(inflate, &s, text, sizeof text, &made) != 0) {
        rig_text_addf(out, "?deflated;");
        return;
    }
    rig_text_addf(out, "~");
    add(out, gale_str(text, made));
}

size_t room_read(rig_text_t *out, gale_str_t bytes, gale__inflate_t *inflate) {
    size_t pos = 0;
    while (bytes.len - pos >= 10 || (bytes.len - pos >= 2 && (uint8_t)bytes.ptr[pos + 1] < 126)) {
        const uint8_t *at = (const uint8_t *)bytes.ptr + pos;
        size_t len, head = head_of(at, &len);
        const char *text = (const char *)at + head;
        if (head + len > bytes.len - pos) break;
        pos += head + len;
        if (at[0] == 0x88) {
            rig_text_addf(out, "C%d;", len < 2 ? 1005 : at[head] << 8 | at[head + 1]);
        } else if (at[0] == 0x81 || at[0] == 0x82) {
            add(out, gale_str(text, len));
        } else if (at[0] == 0xc1 || at[0] == 0xc2) {
            add_compressed(out, gale_str(text, len), inflate);
        } else {
            rig_text_addf(out, "?%02x;", at[0]);
        }
    }
    return pos;
}

const char *room_got(room_t *room, unsigned i) {
    room_member_t *m = &room->member[i];
    rig_turn(&room->rig, 4);
    rig_text_clear(&m->got);
    gale_str_t bytes = rig_take(&m->client);
    CHECK_EQ_UINT(room_read(&m->got, bytes, m->inflate), bytes.len);
    return m->got.text == NULL ? "" : m->got.text;
}
