/* Streamed responses: framing, lengths, trailers, back-pressure, limits, and how they end. */
#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"

/* A rig with one client that has sent `text`, whose request is open. */
static void open_request(rig_t *rig, rig_client_t *client, const char *text) {
    rig_open(rig);
    rig_connect(rig, client);
    CHECK_EQ_INT(rig_send(client, text), 0);
    CHECK(rig->req != NULL);
}

static gale_str_t settled(rig_t *rig, rig_client_t *client) {
    rig_turn(rig, 4);
    return rig_take(client);
}

static void close_all(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_close(rig);
}

TEST(exchange, chunked_with_trailers) {
    rig_t rig;
    rig_client_t client;
    gale_header_t trailers[2] = {{{"Sum", 3}, {"7", 1}}, {{"Other", 5}, {"", 0}}};
    gale_header_t bad = {{"Bad\n", 4}, {"x", 1}};
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str("", 0)), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("0123456789")), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("abcdefghijk")), 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, &bad, 1), GALE_EHEADER);
    CHECK_EQ_INT(gale_resp_end(rig.req, trailers, 2), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK(rig_has(got, "Transfer-Encoding: chunked\r\n") && !rig_has(got, "Content-Length"));
    CHECK_EQ_STR(rig_body_of(got),
                 "a\r\n0123456789\r\nb\r\nabcdefghijk\r\n0\r\nSum: 7\r\nOther: \r\n\r\n");
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    close_all(&rig, &client);
}

TEST(exchange, of_a_known_length) {
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 201, NULL, 0, 6), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("abc")), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("defg")), GALE_ELENGTH); /* H1-16: not taken */
    CHECK_EQ_INT(gale_resp_write_buf(rig.req, rig_buf("defg", 4, &freed)), GALE_ELENGTH);
    CHECK_EQ_INT(gale_resp_write_buf(rig.req, rig_buf("def", 3, &freed)), 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK(rig_has(got, "Content-Length: 6\r\n"));
    CHECK_EQ_STR(rig_body_of(got), "abcdef");
    CHECK_EQ_UINT(freed, 2);
    rig_send(&client, GET); /* and the connection goes on */
    CHECK(rig.req != NULL);
    close_all(&rig, &client);
}

/* What a handler gets wrong before anything was sent is 500, behind the answers before it. H1-16 */
TEST(exchange, too_few_bytes_unsent_are_500_H1_16) {
    for (int way = 0; way < 4; way++) {
        rig_t rig;
        rig_client_t client;
        unsigned freed = 0;
        rig_init(&rig);
        open_request(&rig, &client, GET GET GET);
        /* The answer to the first stays in the outbox, as it would within one callback. */
        gale_peer_stall(client.peer, way == 3);
        CHECK_EQ_INT(gale_respond_text(rig.req, 200, "first"), 0);
        if (way == 3) rig_turn(&rig, 2);
        if (rig.requests < 2) rig_turn(&rig, 1);
        REQUIRE(rig.requests == 2);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, 5000), 0);
        if (way > 0) CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("x")), 0);
        if (way == 2) {
            gale_buf_t buf = rig_buf(rig_pattern(2000), 2000, &freed);
            CHECK_EQ_INT(gale_resp_write_buf(rig.req, buf), 0);
        }
        CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), GALE_ELENGTH);
        CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), GALE_ESTATE);
        CHECK_EQ_UINT(rig.dones, 1); /* never from within the call */
        CHECK_EQ_UINT(freed, way == 2);
        gale_peer_stall(client.peer, false);
        gale_str_t got = settled(&rig, &client);
        CHECK(rig_has(got, "\r\n\r\nfirstHTTP/1.1 500 Internal Server Error\r\n"));
        CHECK(rig_has(got, "\r\n\r\n500 Internal Server Error: the response was not finished\n"));
        CHECK(rig_has(got, "\r\nConnection: close\r\n") && !rig_has(got, "5000"));
        CHECK_EQ_UINT(rig.requests, 2);
        CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
        CHECK_EQ_UINT(client.closes, 1);
        close_all(&rig, &client);
    }
}

/* H1-16 */
TEST(exchange, too_few_bytes_cut_the_connection_H1_16) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, 5), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("x")), 0);
    CHECK_EQ_INT(gale_resp_flush(rig.req), 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), GALE_ELENGTH);
    CHECK_EQ_STR(rig_body_of(settled(&rig, &client)), "x");
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
    CHECK_EQ_UINT(client.closes, 1);
    close_all(&rig, &client);
}

TEST(exchange, trailers_need_chunks) {
    rig_t rig;
    rig_client_t client;
    gale_header_t trailer = {{"Sum", 3}, {"7", 1}};
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, 1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("x")), 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, &trailer, 1), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    CHECK_EQ_STR(rig_body_of(settled(&rig, &client)), "x");
    close_all(&rig, &client);
}

/* The handler need not know to whom they can be sent: they are left out, and the response ends. */
TEST(exchange, trailers_without_a_place_are_left_out) {
    static const struct {
        const char *request, *body;
    } rows[] = {{"GET / HTTP/1.0\r\n\r\n", "x"}, {HEAD, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_t rig;
        rig_client_t client;
        gale_header_t trailer = {{"Sum", 3}, {"7", 1}};
        rig_init(&rig);
        open_request(&rig, &client, rows[i].request);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
        CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("x")), 0);
        CHECK_EQ_INT(gale_resp_end(rig.req, &trailer, 1), 0);
        CHECK_EQ_STRS(rig_body_of(settled(&rig, &client)), gale_cstr(rows[i].body));
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        close_all(&rig, &client);
    }
}

/* RFC 9110 6.5.1: what says how a message is framed or routed comes too late behind it. */
TEST(exchange, trailers_that_frame_or_route_are_refused) {
    static const char *const bad[] = {
        "Content-Length", "Transfer-Encoding", "Connection",        "Trailer", "Host",
        "Upgrade",        "content-length",    "TRANSFER-ENCODING", "hOST"};
    rig_t rig;
    rig_client_t client;
    gale_header_t good[2] = {{{"Hosts", 5}, {"1", 1}}, {{"Content-Lengt", 13}, {"2", 1}}};
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("x")), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gale_header_t rows[2] = {good[0], {gale_cstr(bad[i]), {"5", 1}}};
        int alone = gale_resp_end(rig.req, rows + 1, 1), behind = gale_resp_end(rig.req, rows, 2);
        CHECK_MSG(alone == GALE_EHEADER && behind == GALE_EHEADER, "%s: %s, %s", bad[i],
                  gale_err_name(alone), gale_err_name(behind));
    }
    /* Nothing of them went out, and the response can still be ended. */
    CHECK_EQ_INT(gale_resp_end(rig.req, good, 2), 0);
    CHECK_EQ_STR(rig_body_of(settled(&rig, &client)),
                 "1\r\nx\r\n0\r\nHosts: 1\r\nContent-Lengt: 2\r\n\r\n");
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    close_all(&rig, &client);
}

TEST(exchange, a_length_below_minus_one_is_refused) {
    static const int64_t bad[] = {-2, -1000, INT64_MIN};
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, bad[i]), UV_EINVAL);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 205, NULL, 0, bad[i]), UV_EINVAL);
        CHECK(!gale_resp_begun(rig.req));
    }
    CHECK_EQ_INT(gale_respond_text(rig.req, 200, "after all"), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
    CHECK_EQ_STR(rig_body_of(got), "after all");
    close_all(&rig, &client);
}

static void stream_three(gale_req_t *req, int status, int64_t length) {
    CHECK_EQ_INT(gale_resp_begin(req, status, NULL, 0, length), 0);
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr("abc")), 0);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), 0);
}

/* H1-18: what is written to nobody is swallowed. */
TEST(exchange, head_204_304_and_http_1_0) {
    static const struct {
        const char *request;
        int status;
        int64_t length;
        const char *has, *has_not, *body;
        bool closes;
    } rows[] = {
        {HEAD, 200, 3, "Content-Length: 3\r\n", "Transfer", "", false},
        {HEAD, 200, -1, "200 OK", "Content-Length", "", false},
        {GET, 204, -1, "204 No Content", "Transfer", "", false},
        {GET, 204, 3, "204 No Content", "Content-Length", "", false},
        {GET, 304, -1, "304 Not Modified", "Transfer", "", false},
        {"GET / HTTP/1.0\r\n\r\n", 200, -1, "200 OK", "Transfer", "abc", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, -1, "200", "keep-alive", "abc",
         true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, 3, "keep-alive", "Transfer",
         "abc", false},
        {GET, 200, 3, "Content-Length: 3", "close", "abc", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        open_request(&rig, &client, rows[i].request);
        REQUIRE(rig.req != NULL);
        stream_three(rig.req, rows[i].status, rows[i].length);
        gale_str_t got = settled(&rig, &client);
        CHECK_MSG(rig_has(got, rows[i].has) && !rig_has(got, rows[i].has_not), "row %zu: %s", i,
                  got.ptr);
        CHECK_EQ_STRS(rig_body_of(got), gale_cstr(rows[i].body));
        CHECK_EQ_UINT(client.closes, rows[i].closes);
        close_all(&rig, &client);
    }
}

/* RFC 9110 15.3.6: whatever length was given, 0 is announced, and the connection goes on. */
TEST(exchange, reset_content_has_no_body) {
    static const struct {
        const char *request;
        int64_t length;
    } rows[] = {{GET, -1},  {GET, 0},  {GET, 3},
                {HEAD, -1}, {HEAD, 3}, {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        open_request(&rig, &client, rows[i].request);
        REQUIRE(rig.req != NULL);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 205, NULL, 0, rows[i].length), 0);
        CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("abc")), 0);
        CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
        gale_str_t got = settled(&rig, &client);
        CHECK_MSG(rig_has(got, " 205 Reset Content\r\n") && rig_has(got, "Content-Length: 0\r\n") &&
                      !rig_has(got, "Transfer"),
                  "row %zu: %s", i, got.ptr);
        CHECK_EQ_STR(rig_body_of(got), "");
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        rig_send(&client, GET);
        CHECK_EQ_UINT(rig.requests, 2);
        close_all(&rig, &client);
    }
}

/* -------------------------------------------------------------------------------- back-pressure */

TEST(exchange, a_stalled_client_is_waited_for) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.write_high_water = 10000;
    rig.config.write_low_water = 2000;
    open_request(&rig, &client, GET);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(rig_pattern(9000), 9000)), 0);
    rig_turn(&rig, 3);
    CHECK(gale_resp_queued(rig.req) >= 9000);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(rig_pattern(9000), 9000)), 1);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.drains, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.drains, 1);
    CHECK_EQ_UINT(gale_resp_queued(rig.req), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("!")), 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK_EQ_UINT(rig_count(got, "\r\n2328\r\n"), 2);
    CHECK_EQ_UINT(rig.drains, 1);
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    close_all(&rig, &client);
}

static void write_more(rig_t *rig, gale_req_t *req) {
    unsigned *left = rig->arg;
    while (*left > 0) {
        --*left;
        if (gale_resp_write(req, gale_str(rig_pattern(5000), 5000)) == 1) return;
    }
    gale_resp_end(req, NULL, 0);
}

TEST(exchange, on_drain_keeps_a_long_response_going) {
    rig_t rig;
    rig_client_t client;
    unsigned left = 200;
    rig_init(&rig);
    rig.config.write_high_water = 20000;
    rig.config.write_low_water = 5000;
    rig.drain = write_more;
    rig.arg = &left;
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, 1000000), 0);
    gale_peer_stall(client.peer, true);
    write_more(&rig, rig.req);
    for (int i = 0; i < 100 && rig.dones == 0; i++) {
        gale_peer_stall(client.peer, i % 2 == 0);
        rig_turn(&rig, 1);
    }
    CHECK_EQ_UINT(rig.dones, 1);
    gale_peer_stall(client.peer, false);
    gale_str_t body = rig_body_of(settled(&rig, &client));
    CHECK_EQ_UINT(body.len, 1000000);
    for (size_t i = 0; i + 5000 <= body.len; i += 5000) {
        CHECK_EQ_MEM(body.ptr + i, rig_pattern(5000), 5000);
        if (test_failures() > 0) break;
    }
    close_all(&rig, &client);
}

TEST(exchange, the_write_limit_cuts) {
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0, given = 0;
    int err = 0;
    rig_init(&rig);
    rig.config.write_limit = 100000;
    open_request(&rig, &client, GET);
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    while (err >= 0 && given < 100) {
        err = gale_resp_write_buf(rig.req, rig_buf(rig_pattern(9000), 9000, &freed));
        given++;
    }
    CHECK_EQ_INT(err, GALE_ELIMIT);
    CHECK_EQ_UINT(given, 12);
    CHECK(gale_resp_write(rig.req, gale_cstr("x")) < 0);
    rig_turn(&rig, 4);
    CHECK_EQ_UINT(rig.dones, 1);
    CHECK_EQ_INT(rig.last_status, GALE_ELIMIT);
    CHECK_EQ_UINT(client.closes, 1);
    CHECK_EQ_UINT(freed, given);
    close_all(&rig, &client);
}

TEST(exchange, flush_sends_before_the_callback_returns) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    open_request(&rig, &client, GET);
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_cstr("early")), 0);
    CHECK(gale_resp_queued(rig.req) > 0);
    CHECK_EQ_INT(gale_resp_flush(rig.req), 0);
    CHECK_EQ_UINT(gale_resp_queued(rig.req), 0);
    CHECK(rig_has(settled(&rig, &client), "early"));
    close_all(&rig, &client);
}

TEST(exchange, abort_cuts_and_says_so) {
    rig_t rig;
    rig_client_t client;
    for (int begun = 0; begun < 2; begun++) {
        rig_init(&rig);
        open_request(&rig, &client, GET);
        if (begun) CHECK_EQ_INT(gale_resp_begin(rig.req, 200, NULL, 0, -1), 0);
        gale_resp_abort(rig.req);
        CHECK_EQ_INT(gale_respond_text(rig.req, 200, "x"), GALE_EGONE);
        CHECK_EQ_UINT(rig.dones, 0); /* never from within the call */
        CHECK(!rig_has(settled(&rig, &client), "\r\n0\r\n"));
        CHECK_EQ_UINT(rig.dones, 1);
        CHECK_EQ_INT(rig.last_status, GALE_EABORTED);
        CHECK_EQ_UINT(client.closes, 1);
        close_all(&rig, &client);
    }
}

/* The slices of the request and the user's pointer are good until on_done has returned. */
static void still_there(rig_t *rig, gale_req_t *req, int status) {
    CHECK_EQ_INT(status, GALE_EGONE);
    CHECK(gale_req_data(req) == rig);
    CHECK_EQ_STR(gale_req_target(req), "/t");
    CHECK_EQ_STR(gale_req_header(req, gale_cstr("a")), "1");
    CHECK_EQ_STR(gale_req_body(req), "body");
    CHECK_EQ_INT(gale_respond_text(req, 200, "x"), GALE_EGONE);
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, 1), GALE_EGONE);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), GALE_EGONE);
    gale_resp_abort(req);
}

TEST(exchange, on_done_sees_the_whole_request) { /* H1-29 */
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.done = still_there;
    open_request(&rig, &client,
                 "POST /t HTTP/1.1\r\nHost: h\r\nA: 1\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(gale_req_data(rig.req) == NULL);
    gale_req_set_data(rig.req, &rig);
    gale_peer_close(client.peer);
    rig_turn(&rig, 3);
    CHECK_EQ_UINT(rig.dones, 1);
    close_all(&rig, &client);
}
