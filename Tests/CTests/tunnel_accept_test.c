/* Who may become a tunnel, and when (RFC 9110 7.8, 9.3.6). */
#include "rig_tunnel.h"

TEST(tunnel, answers_101_or_200) {
    static const gale_header_t extra = {{"X-Via", 5}, {"gale", 4}};
    static const struct {
        const char *text, *protocol, *answer;
    } rows[] = {
        {UPGRADE, "raw/2", "101 Switching Protocols\r\nUpgrade: raw/2\r\nConnection: Upgrade\r\n"},
        {UPGRADE, "OTHER/1",
         "101 Switching Protocols\r\nUpgrade: OTHER/1\r\nConnection: Upgrade\r\n"},
        {CONNECT, NULL, "200 OK\r\n"},
        {"CONNECT h:443 HTTP/1.0\r\n\r\n", "", "200 OK\r\n"},
        {"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nConnection: x, upgrade\r\nUpgrade: "
         "raw\r\n\r\n",
         "raw", "101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n"},
        {"POST / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: upgrade\r\n"
         "Content-Length: 4\r\n\r\nbody",
         "raw", "101 Switching Protocols\r\nUpgrade: raw\r\nConnection: Upgrade\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = rows[i].protocol, .headers = &extra, .count = 1};
        rig_text_t want = {0};
        rig_init(&rig);
        play_open(&rig, &client, &play, rows[i].text);
        rig_text_addf(&want, "HTTP/1.1 %sX-Via: gale\r\nServer: gale\r\nDate: ", rows[i].answer);
        gale_str_t got = rig_take(&client);
        CHECK_MSG(rig_has(got, want.text), "row %zu: %.*s", i, (int)got.len, got.ptr);
        CHECK(!rig_has(got, "Content-Length") && !rig_has(got, "Transfer-Encoding"));
        CHECK_EQ_UINT(rig_count(got, "Connection"), i != 2 && i != 3);
        CHECK_EQ_UINT(rig_body_of(got).len, 0);
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_INT(rig.last_status, GALE_EUPGRADED);
        rig_send(&client, "GET / HTTP/1.1\r\n\r\n"); /* bytes like any others now */
        CHECK_IN("GET / HTTP/1.1\r\n\r\n");
        rig_text_free(&want);
        play_close(&rig, &client, &play);
    }
}

/* Nothing was asked for, or not so, or there are bytes of which nobody knows whose they are: the
 * request can still be answered. */
TEST(tunnel, refusals) {
#define ASK(fields) "GET / HTTP/1.1\r\nHost: h\r\n" fields "\r\n"
    static const gale_header_t bad[] = {{{"Upgrade", 7}, {"raw", 3}},
                                        {{"content-length", 14}, {"0", 1}},
                                        {{"Connection", 10}, {"close", 5}},
                                        {{"Transfer-Encoding", 17}, {"chunked", 7}},
                                        {{"A", 1}, {"b\n", 2}}};
    static const struct {
        const char *text, *protocol;
        int err;
        const gale_header_t *header;
    } rows[] = {
        {ASK(""), "raw", GALE_EHANDSHAKE, NULL},
        {ASK(""), NULL, GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Connection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raws\r\nConnection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw/2\r\nConnection: upgrade\r\n"), "raw", GALE_EHANDSHAKE, NULL},
        {ASK("Upgrade: raw\r\nConnection: upgrade\r\n"), "", GALE_EHANDSHAKE, NULL},
        {"GET / HTTP/1.0\r\nUpgrade: raw\r\nConnection: upgrade\r\n\r\n", "raw", GALE_EHANDSHAKE,
         NULL},
        {CONNECT, "raw", GALE_EHANDSHAKE, NULL},
        {CONNECT, NULL, GALE_EHEADER, &bad[0]},
        {CONNECT, NULL, GALE_EHEADER, &bad[1]},
        {CONNECT, NULL, GALE_EHEADER, &bad[2]},
        {CONNECT, NULL, GALE_EHEADER, &bad[3]},
        {CONNECT, NULL, GALE_EHEADER, &bad[4]},
        {ASK("Upgrade: raw\r\nConnection: upgrade\r\n"), "raw", GALE_EHEADER, &bad[0]},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        play_t play = {.protocol = rows[i].protocol,
                       .headers = rows[i].header,
                       .count = rows[i].header != NULL};
        rig_init(&rig);
        play_open(&rig, &client, &play, rows[i].text);
        CHECK_MSG(play.accepted == rows[i].err, "row %zu: %s", i, gale_err_name(play.accepted));
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 403);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        play_close(&rig, &client, &play);
    }
}

/* Of a streamed body, of an answer begun, of a server that stops. */
TEST(tunnel, not_now) {
    rig_t rig;
    rig_client_t client;
    play_t play = {.protocol = "raw"};
    rig_init(&rig);
    rig.streaming = true;
    play_open(&rig, &client, &play,
              "POST / HTTP/1.1\r\nHost: h\r\nUpgrade: raw\r\nConnection: upgrade\r\n"
              "Content-Length: 4\r\n\r\nbo");
    CHECK_EQ_INT(play.accepted, GALE_ESTATE);
    play_close(&rig, &client, &play);

    play = (play_t){.protocol = NULL};
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, CONNECT);
    gale_tunnel_handler_t h = play_handler();
    CHECK_EQ_INT(gale_resp_begin(rig.req, 403, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_tunnel_accept(rig.req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL),
                 GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    rig_turn(&rig, 3);
    rig_send(&client, CONNECT);
    REQUIRE(rig.req != NULL);
    gale_server_stop(rig.server);
    rig_turn(&rig, 2);
    CHECK_EQ_INT(gale_tunnel_accept(rig.req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL),
                 GALE_ESHUTDOWN);
    gale_req_t *req = rig.req;
    gale_resp_abort(req);
    CHECK_EQ_INT(gale_tunnel_accept(req, gale_str(NULL, 0), &h, &play, NULL, 0, NULL), GALE_EGONE);
    rig_turn(&rig, 3);
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(tunnel, wants_upgrade) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, UPGRADE);
    REQUIRE(rig.req != NULL);
    CHECK(gale_req_wants_upgrade(rig.req, gale_cstr("RAW/2")));
    CHECK(gale_req_wants_upgrade(rig.req, gale_cstr("other/1")));
    CHECK(!gale_req_wants_upgrade(rig.req, gale_cstr("raw")));
    CHECK(!gale_req_wants_upgrade(rig.req, gale_cstr("")));
    rig_drop(&rig, &client);
    rig_close(&rig);
}
