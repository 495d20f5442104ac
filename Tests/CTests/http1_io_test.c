/* HTTP/1 on a connection: keep-alive, bodies collected and streamed, limits. */
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

/* ----------------------------------------------------------------------------------- keep-alive */

TEST(http1_io, keep_alive_and_close_H1_03_H1_04) {
    static const struct {
        const char *head, *connection;
        bool closes;
    } rows[] = {
        {"HTTP/1.1\r\nHost: h", NULL, false},
        {"HTTP/1.1\r\nHost: h\r\nConnection: close", "Connection: close\r\n", true},
        {"HTTP/1.1\r\nHost: h\r\nConnection: foo, CLOSE", "Connection: close\r\n", true},
        {"HTTP/1.0", NULL, true},
        {"HTTP/1.0\r\nConnection: Keep-Alive", "Connection: keep-alive\r\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_text_t text = {0};
        rig_init(&rig);
        rig.request = answer_ok;
        open_client(&rig, &client);
        rig_text_addf(&text, "GET / %s\r\n\r\n", rows[i].head);
        rig_send(&client, text.text);
        rig_turn(&rig, 3);
        gale_str_t got = rig_take(&client);
        CHECK_MSG(client.closes == rows[i].closes, "row %zu", i);
        CHECK_MSG(rows[i].connection == NULL ? !rig_has(got, "Connection:") || rows[i].closes
                                             : rig_has(got, rows[i].connection),
                  "row %zu", i);
        rig_text_free(&text);
        close_all(&rig, &client);
    }
}

TEST(http1_io, one_exchange_at_a_time_H1_05) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.requests, 1);
    gale_respond_text(rig.req, 200, "one");
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.requests, 2);
    gale_respond_text(rig.req, 200, "two");
    rig_turn(&rig, 3);
    CHECK_EQ_STR(gale_str(rig.log.text, rig.log.len), "R GET /1 0;D GALE_OK;R GET /2 0;D GALE_OK;");
    close_all(&rig, &client);
}

/* --------------------------------------------------------------------------------------- bodies */

static void check_body(const char *head, bool streaming) {
    enum { SIZE = 300000 };
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = streaming;
    if (!streaming) rig.request = answer_ok;
    rig.body = answer_at_end;
    open_client(&rig, &client);
    rig_send(&client, head);
    for (size_t at = 0; at < SIZE; at += 1000) {
        if (rig_has(gale_cstr(head), "chunked")) rig_send(&client, "3e8\r\n");
        rig_send_bytes(&client, rig_pattern(SIZE) + at, 1000);
        if (rig_has(gale_cstr(head), "chunked")) rig_send(&client, "\r\n");
    }
    if (rig_has(gale_cstr(head), "chunked")) rig_send(&client, "0\r\n\r\n");
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    if (streaming) {
        CHECK_EQ_UINT(rig.lasts, 1);
        CHECK_EQ_STRS(gale_str(rig.in.text, rig.in.len), gale_str(rig_pattern(SIZE), SIZE));
    } else {
        CHECK_EQ_STR(gale_str(rig.log.text, rig.log.len), "R POST / 300000;D GALE_OK;");
    }
    rig_send(&client, GET);
    CHECK_EQ_UINT(rig.requests, 2);
    close_all(&rig, &client);
}

TEST(http1_io, a_long_body) {
    for (int streaming = 0; streaming < 2; streaming++) {
        check_body(POST("300000") "\r\n", streaming);
        check_body(CHUNKED, streaming);
    }
}

static void collect(rig_t *rig, gale_req_t *req) {
    int *result = rig->arg;
    *result = gale_req_collect(req, 10);
}

static void collected(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    CHECK(last);
    CHECK_EQ_STRS(gale_req_body(req), chunk);
    CHECK_EQ_INT(gale_req_collect(req, 10), GALE_ESTATE);
    answer_ok(rig, req);
}

TEST(http1_io, collect_gives_the_body_once) {
    static const struct {
        const char *text, *body;
        int result, status;
    } rows[] = {
        {POST("10") "\r\n0123456789", "0123456789", 0, 200},
        {POST("11") "\r\n0123456789a", "", GALE_ELIMIT, 413},
        {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", "0123456789", 0, 200},
        {CHUNKED "5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n", "", 0, 413},
        {CHUNKED "0\r\n\r\n", "", 0, 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        int result = 1;
        rig_init(&rig);
        rig.streaming = true;
        rig.request = collect;
        rig.body = collected;
        rig.arg = &result;
        open_client(&rig, &client);
        rig_send(&client, rows[i].text);
        rig_turn(&rig, 3);
        CHECK_MSG(result == rows[i].result, "row %zu: %s", i, gale_err_name(result));
        CHECK_EQ_STRS(gale_str(rig.in.len > 0 ? rig.in.text : "", rig.in.len),
                      gale_cstr(rows[i].body));
        CHECK_EQ_UINT(rig.bodies, rows[i].status == 200);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), rows[i].status);
        CHECK_EQ_INT(rig.last_status, rows[i].status == 200 ? GALE_OK : GALE_ELIMIT);
        close_all(&rig, &client);
    }
}

TEST(http1_io, collect_wants_on_body_and_on_request) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_client(&rig, &client);
    rig_send(&client, POST("2") "\r\nab");
    CHECK_EQ_INT(gale_req_collect(rig.req, 10), GALE_ESTATE);
    CHECK_EQ_INT(gale_req_set_max_body(rig.req, 10), GALE_ESTATE);
    close_all(&rig, &client);
    rig_init(&rig);
    rig.streaming = true;
    open_client(&rig, &client);
    rig_send(&client, POST("2") "\r\n");
    CHECK_EQ_INT(gale_req_set_max_body(rig.req, 10), GALE_ESTATE); /* on_request has returned */
    rig_send(&client, "a");
    CHECK_EQ_INT(gale_req_collect(rig.req, 10), GALE_ESTATE); /* the body was begun */
    close_all(&rig, &client);
}

/* H1-10 */
TEST(http1_io, too_large_is_413_H1_10) {
    static const char *const texts[] = {POST("101") "\r\n", CHUNKED "64\r\n", CHUNKED "65\r\n"};
    for (int streaming = 0; streaming < 2; streaming++) {
        for (size_t i = 0; i < 3; i++) {
            rig_t rig;
            rig_client_t client;
            rig_init(&rig);
            rig.streaming = streaming;
            rig.config.max_body_bytes = 100;
            rig.body = answer_at_end;
            open_client(&rig, &client);
            rig_send(&client, texts[i]);
            if (i > 0) rig_send_bytes(&client, rig_pattern(100), 100);
            if (i > 0) rig_send(&client, i == 1 ? "\r\n1\r\nx" : "x\r\n");
            rig_turn(&rig, 3);
            gale_str_t got = rig_take(&client);
            CHECK_EQ_INT(rig_status_of(got), 413);
            CHECK(rig_has(got, "Connection: close\r\n"));
            CHECK_EQ_UINT(rig.requests, (unsigned)streaming);
            if (streaming) CHECK_EQ_INT(rig.last_status, GALE_ELIMIT);
            CHECK_EQ_UINT(rig.lasts, 0);
            close_all(&rig, &client);
        }
    }
}

static void raise_limit(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_req_set_max_body(req, 1000), 0);
}

TEST(http1_io, set_max_body_moves_the_limit) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.config.max_body_bytes = 10;
    rig.request = raise_limit;
    rig.body = answer_at_end;
    open_client(&rig, &client);
    rig_send(&client, POST("1000") "\r\n");
    rig_send_bytes(&client, rig_pattern(1000), 1000);
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    CHECK_EQ_UINT(rig.in.len, 1000);
    rig_send(&client, POST("1001") "\r\n");
    rig_turn(&rig, 3);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 413);
    close_all(&rig, &client);
}

/* H1-19: a body nobody wants is read past, and the connection goes on. */
TEST(http1_io, an_early_answer_discards_the_body_H1_19) {
    static const char *const ways[] = {POST("100000") "\r\n", CHUNKED "186a0\r\n"};
    for (size_t i = 0; i < 2; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.streaming = true;
        rig.request = answer_ok;
        open_client(&rig, &client);
        rig_send(&client, ways[i]);
        rig_turn(&rig, 2);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
        CHECK_EQ_UINT(rig.dones, 1);
        rig_send_bytes(&client, rig_pattern(100000), 100000);
        if (i == 1) rig_send(&client, "\r\n0\r\n\r\n");
        rig_send(&client, GET);
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(rig.bodies, 0);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
        close_all(&rig, &client);
    }
}

static void answer_in_body(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)chunk, (void)last;
    answer_ok(rig, req);
}

TEST(http1_io, no_on_body_once_the_response_is_complete) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.body = answer_in_body;
    open_client(&rig, &client);
    rig_send(&client, POST("10") "\r\n01234");
    rig_send(&client, "56789" GET);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.bodies, 1);
    CHECK_EQ_UINT(rig.requests, 2);
    close_all(&rig, &client);
}
