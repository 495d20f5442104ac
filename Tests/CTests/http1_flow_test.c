/* HTTP/1 on a connection, continued: pausing, 100-continue, refusals, fragmented memory. */
#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(length) "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static void open_client(rig_t *rig, rig_client_t *client) {
    rig_open(rig);
    rig_connect(rig, client);
}

static void close_all(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_close(rig);
}

static void answer_ok(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

static void answer_at_end(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)chunk;
    if (last) answer_ok(rig, req);
}

/* -------------------------------------------------------------------------------- pause, resume */

static void pause_in_body(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    gale_req_pause(req);
    answer_at_end(rig, req, chunk, last);
}

TEST(http1_flow, pause_holds_the_body_back) {
    static const char *const ways[] = {POST("200000") "\r\n", CHUNKED "30d40\r\n"};
    for (size_t i = 0; i < 2; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.streaming = true;
        rig.body = pause_in_body;
        open_client(&rig, &client);
        rig_send(&client, ways[i]);
        rig_send_bytes(&client, rig_pattern(1000), 1000);
        CHECK_EQ_UINT(rig.bodies, 1);
        CHECK_EQ_INT(rig_send_bytes(&client, rig_pattern(200000) + 1000, 199000), 0);
        rig_turn(&rig, 5);
        CHECK_EQ_UINT(rig.bodies, 1);
        if (i == 1) rig_send(&client, "\r\n0\r\n\r\n");
        for (int turn = 0; turn < 50 && rig.dones == 0; turn++) {
            unsigned before = rig.bodies;
            gale_req_resume(rig.req);
            rig_turn(&rig, 2);
            CHECK(rig.bodies <= before + 1);
        }
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_UINT(rig.lasts, 1);
        CHECK_EQ_STRS(gale_str(rig.in.text, rig.in.len), gale_str(rig_pattern(200000), 200000));
        close_all(&rig, &client);
    }
}

TEST(http1_flow, a_client_that_leaves_during_a_pause_is_noticed) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.body = pause_in_body;
    open_client(&rig, &client);
    rig_send(&client, POST("100") "\r\nabc");
    gale_peer_shutdown(client.peer);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    close_all(&rig, &client);
}

/* ------------------------------------------------------------------------- Expect: 100-continue */

#define EXPECT(length) POST(length) "Expect: 100-continue\r\n\r\n"

TEST(http1_flow, continue_is_sent_before_the_body_H1_06) {
    for (int streaming = 0; streaming < 2; streaming++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.streaming = streaming;
        if (!streaming) rig.request = answer_ok;
        rig.body = answer_at_end;
        open_client(&rig, &client);
        rig_send(&client, EXPECT("3"));
        rig_turn(&rig, 2);
        CHECK_EQ_STR(rig_take(&client), "HTTP/1.1 100 Continue\r\n\r\n");
        rig_send(&client, "abc");
        rig_turn(&rig, 2);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
        close_all(&rig, &client);
    }
}

static void too_big(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_respond_text(req, 413, "no"), 0);
}

TEST(http1_flow, continue_is_not_sent_when_refused_H1_06) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.request = too_big;
    open_client(&rig, &client);
    rig_send(&client, EXPECT("3"));
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    CHECK(!rig_has(got, "100 Continue") && rig_status_of(got) == 413);
    CHECK(rig_has(got, "Connection: close"));
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
    rig_init(&rig); /* over the limit of the server */
    rig.config.max_body_bytes = 2;
    open_client(&rig, &client);
    rig_send(&client, EXPECT("3"));
    rig_turn(&rig, 3);
    got = rig_take(&client);
    CHECK(!rig_has(got, "100 Continue") && rig_status_of(got) == 413);
    close_all(&rig, &client);
}

TEST(http1_flow, no_continue_to_http_1_0) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    close_all(&rig, &client);
}

/* ----------------------------------------------------------------------------- refused requests */

TEST(http1_flow, limits_of_the_head_H1_09) {
    rig_t rig;
    rig_client_t client;
    rig_text_t text = {0};
    static const int want[] = {431, 414, 431};
    for (int way = 0; way < 3; way++) {
        rig_init(&rig);
        rig.config.max_header_bytes = 1024;
        rig.config.max_headers = 10;
        open_client(&rig, &client);
        rig_text_clear(&text);
        rig_text_addf(&text, "GET /%.*s HTTP/1.1\r\nHost: h\r\n", way == 1 ? 2000 : 0,
                      rig_pattern(2000));
        if (way == 1) rig_text_clear(&text), rig_text_add(&text, gale_str("GET /", 5));
        if (way != 2) rig_text_add(&text, gale_str(rig_pattern(2000), 2000));
        for (int i = 0; way == 2 && i < 10; i++) rig_text_addf(&text, "A%d: x\r\n", i);
        if (way == 2) rig_text_addf(&text, "\r\n");
        rig_send_bytes(&client, text.text, text.len);
        rig_turn(&rig, 3);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), want[way]);
        CHECK_EQ_UINT(rig.requests, 0);
        close_all(&rig, &client);
    }
    rig_text_free(&text);
}

TEST(http1_flow, a_refusal_waits_for_the_answers_before_it) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, GET "broken\r\n\r\n");
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig_take(&client).len, 0);
    gale_respond_text(rig.req, 200, "first");
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    CHECK(rig_has(got, "firstHTTP/1.1 400 Bad Request\r\n"));
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
}

/* -------------------------------------------------------------------------------- fragmentation */

/* Many requests that each pin a block for few bytes: heads are copied out, and nothing changes. */
TEST(http1_flow, many_waiting_requests_among_large_reads) {
    enum { CLIENTS = 60 };
    static rig_client_t clients[CLIENTS];
    static gale_req_t *waiting[CLIENTS];
    rig_t rig;
    rig_init(&rig);
    rig.config.max_body_bytes = 100000;
    rig_open(&rig);
    for (int i = 0; i < CLIENTS; i++) {
        rig_connect(&rig, &clients[i]);
        rig_send(&clients[i], POST("60000") "\r\n");
        rig_send_bytes(&clients[i], rig_pattern(60000), 60000);
        waiting[i] = rig.req;
        rig_text_t next = {0};
        rig_text_addf(&next, "POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", i);
        gale_respond_text(waiting[i], 200, "go");
        rig_send(&clients[i], next.text);
        rig_turn(&rig, 2);
        waiting[i] = rig.req;
        rig_text_free(&next);
    }
    for (int i = 0; i < CLIENTS; i++) {
        REQUIRE(waiting[i] != NULL);
        CHECK_EQ_STR(gale_req_body(waiting[i]), "abc");
        CHECK_EQ_STR(gale_req_header(waiting[i], gale_cstr("host")), "h");
        CHECK_EQ_INT(gale_respond(waiting[i], 200, NULL, 0, gale_req_target(waiting[i])), 0);
    }
    rig_turn(&rig, 3);
    for (int i = 0; i < CLIENTS; i++) rig_drop(&rig, &clients[i]);
    rig_close(&rig);
}
