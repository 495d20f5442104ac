#include "rig_tunnel.h"

static void on_data(gale_tunnel_t *t, gale_str_t bytes, void *data) {
    play_t *p = data;
    CHECK(p->tunnel == NULL || p->tunnel == t);
    CHECK(bytes.len > 0 && p->ends == 0 && p->closes == 0);
    rig_text_add(&p->in, bytes);
    if (p->echo) gale_tunnel_write(t, bytes);
    if (p->pauses) gale_tunnel_pause(t);
}

static void on_end(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    p->ends++;
    if (!p->keeps_open && p->stops == 0) CHECK_EQ_INT(gale_tunnel_end(t), 0);
}

static void on_drain(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    (void)t;
    p->drains++;
}

static void on_stop(gale_tunnel_t *t, void *data) {
    play_t *p = data;
    p->stops++;
    if (!p->ends_in_stop) return;
    CHECK_EQ_INT(gale_tunnel_write(t, gale_cstr("bye")), 0);
    CHECK_EQ_INT(gale_tunnel_end(t), 0);
}

static void on_close(gale_tunnel_t *t, int status, void *data) {
    play_t *p = data;
    CHECK(p->tunnel == t && gale_tunnel_data(t) == p);
    CHECK_EQ_UINT(gale_tunnel_ref(t).bits, 0);
    CHECK(gale_tunnel_write(t, gale_cstr("late")) < 0);
    p->closes++;
    p->status = status;
    p->tunnel = NULL;
}

gale_tunnel_handler_t play_handler(void) {
    gale_tunnel_handler_t h = gale_tunnel_handler();
    h.on_data = on_data;
    h.on_end = on_end;
    h.on_drain = on_drain;
    h.on_stop = on_stop;
    h.on_close = on_close;
    return h;
}

void play_accept(rig_t *rig, gale_req_t *req) {
    play_t *p = rig->arg;
    gale_tunnel_handler_t h = play_handler();
    gale_str_t protocol = p->protocol == NULL ? gale_str(NULL, 0) : gale_cstr(p->protocol);
    p->accepted = gale_tunnel_accept(req, protocol, &h, p, p->headers, p->count, &p->tunnel);
    CHECK((p->accepted == 0) == (p->tunnel != NULL));
    if (p->accepted < 0) CHECK_EQ_INT(gale_respond_text(req, 403, "refused"), 0);
}

void play_open(rig_t *rig, rig_client_t *client, play_t *play, const char *text) {
    rig->request = play_accept;
    rig->arg = play;
    rig_open(rig);
    rig_connect(rig, client);
    rig_send(client, text);
    rig_turn(rig, 3);
}

void play_open_tunnel(rig_t *rig, rig_client_t *client, play_t *play) {
    rig_init(rig);
    play->protocol = "raw/2";
    play_open(rig, client, play, UPGRADE);
    CHECK_EQ_INT(play->accepted, 0);
    CHECK_EQ_INT(rig_status_of(rig_take(client)), 101);
}

void play_close(rig_t *rig, rig_client_t *client, play_t *play) {
    rig_drop(rig, client);
    CHECK_EQ_UINT(play->closes, play->accepted == 0);
    rig_close(rig);
    rig_text_free(&play->in);
}
