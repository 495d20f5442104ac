/* Expect: 100-continue, which a handler may refuse, at once or after thinking. H1-06 */
#include "rig.h"

#define EXPECT(length)                                                                             \
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\nExpect: 100-continue\r\n\r\n"
#define EXPECT_CHUNKED                                                                             \
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static void answer_at_end(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)rig, (void)chunk;
    if (last) CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

static void think(rig_t *rig, gale_req_t *req) {
    CHECK(gale_req_expects_continue(req) == (rig->arg != NULL));
    gale_req_pause(req);
}

/* A streaming server whose handler pauses; the client has sent `text`. */
static void open_thinking(rig_t *rig, rig_client_t *client, const char *text, bool expects) {
    static int yes;
    rig_init(rig);
    rig->streaming = true;
    rig->request = think;
    rig->body = answer_at_end;
    rig->arg = expects ? &yes : NULL;
    rig_open(rig);
    rig_connect(rig, client);
    rig_send(client, text);
    rig_turn(rig, 3);
    CHECK_EQ_UINT(rig_take(client).len, 0);
    CHECK(rig->req != NULL);
}

static gale_str_t settled(rig_t *rig, rig_client_t *client) {
    rig_turn(rig, 3);
    return rig_take(client);
}

static void close_all(rig_t *rig, rig_client_t *client) {
    rig_drop(rig, client);
    rig_close(rig);
}

TEST(continue, waits_for_the_handler_H1_06) {
    static const char *const ways[] = {EXPECT("3"), EXPECT_CHUNKED};
    for (int collects = 0; collects < 2; collects++) {
        for (int way = 0; way < 2; way++) {
            rig_t rig;
            rig_client_t client;
            open_thinking(&rig, &client, ways[way], true);
            if (collects) CHECK_EQ_INT(gale_req_collect(rig.req, 10), 0);
            if (!collects) gale_req_resume(rig.req);
            CHECK(!gale_req_expects_continue(rig.req));
            CHECK_EQ_STR(settled(&rig, &client), CONTINUE);
            gale_req_pause(rig.req);
            gale_req_resume(rig.req);
            rig.arg = NULL;
            rig_send(&client, way == 0 ? "abc" GET : "3\r\nabc\r\n0\r\n\r\n" GET);
            gale_str_t got = settled(&rig, &client);
            CHECK_EQ_INT(rig_status_of(got), 200);
            CHECK_EQ_UINT(rig_count(got, "100 Continue"), 0);
            CHECK_EQ_STR(gale_str(rig.in.text, rig.in.len), "abc");
            CHECK_EQ_UINT(rig.lasts, 1);
            CHECK_EQ_UINT(rig.requests, 2); /* the connection goes on */
            close_all(&rig, &client);
        }
    }
}

/* RFC 9110 10.1.1: instead of the 100, and then nobody knows whether the body comes. */
TEST(continue, a_late_refusal_closes_H1_06) {
    static const int statuses[] = {401, 413, 417, 200};
    for (size_t i = 0; i < 4; i++) {
        rig_t rig;
        rig_client_t client;
        open_thinking(&rig, &client, EXPECT("3"), true);
        CHECK_EQ_INT(gale_respond_text(rig.req, statuses[i], "no"), 0);
        gale_str_t got = settled(&rig, &client);
        CHECK_EQ_INT(rig_status_of(got), statuses[i]);
        CHECK(rig_has(got, "\r\nConnection: close\r\n") && !rig_has(got, "100 Continue"));
        CHECK_EQ_UINT(client.closes, 1);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        close_all(&rig, &client);
    }
}

TEST(continue, a_late_collect_has_its_limit) {
    rig_t rig;
    rig_client_t client;
    open_thinking(&rig, &client, EXPECT("30"), true);
    CHECK_EQ_INT(gale_req_collect(rig.req, 10), GALE_ELIMIT);
    CHECK_EQ_UINT(rig.dones, 0); /* not from within the call */
    CHECK_EQ_INT(gale_req_collect(rig.req, 100), GALE_ESTATE);
    gale_str_t got = settled(&rig, &client);
    CHECK_EQ_INT(rig_status_of(got), 413);
    CHECK(!rig_has(got, "100 Continue"));
    CHECK_EQ_INT(rig.last_status, GALE_ELIMIT);
    close_all(&rig, &client);
}

/* The body comes all the same: no 100, and the connection can be kept when it is refused. */
TEST(continue, none_to_a_client_that_does_not_wait) {
    rig_t rig;
    rig_client_t client;
    open_thinking(&rig, &client, EXPECT("3") "a", false);
    gale_req_resume(rig.req);
    rig_send(&client, "bc");
    CHECK_EQ_INT(rig_status_of(settled(&rig, &client)), 200);
    close_all(&rig, &client);

    open_thinking(&rig, &client, EXPECT("3"), true);
    rig_send(&client, "ab"); /* it grew tired of waiting */
    gale_req_resume(rig.req);
    CHECK_EQ_UINT(settled(&rig, &client).len, 0);
    rig_send(&client, "c");
    CHECK_EQ_INT(rig_status_of(settled(&rig, &client)), 200);
    close_all(&rig, &client);

    open_thinking(&rig, &client, EXPECT("3") "abc" GET, false);
    CHECK_EQ_INT(gale_respond_text(rig.req, 403, "no"), 0);
    gale_str_t got = settled(&rig, &client);
    CHECK(rig_status_of(got) == 403 && !rig_has(got, "close"));
    CHECK_EQ_UINT(rig.requests, 2);
    close_all(&rig, &client);
}

/* ------------------------------------------------------------------------------ one after another */

/* Where the stack stood in the first and in the deepest call. */
static uintptr_t first_frame, deepest;

static void answer_and_measure(rig_t *rig, gale_req_t *req) {
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    (void)rig;
    if (first_frame == 0) first_frame = deepest = here;
    if (here < deepest) deepest = here;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

/* H1-07, Advisory A36: Tornado's client went one call deeper with each 100. Here a connection may have any
 * number of them, each waited for or all sent at once. */
TEST(continue, any_number_on_one_connection) {
    enum { ROUNDS = 1000 };
    rig_t rig;
    rig_client_t client;
    rig_text_t all = {0};
    first_frame = 0;
    rig_init(&rig);
    rig.keep_log = false;
    rig.request = answer_and_measure;
    rig_open(&rig);
    rig_connect(&rig, &client);
    for (unsigned i = 1; i <= ROUNDS; i++) {
        rig_send(&client, EXPECT("3"));
        CHECK_EQ_STR(settled(&rig, &client), CONTINUE);
        rig_send(&client, "abc");
        gale_str_t got = settled(&rig, &client);
        REQUIRE(rig_status_of(got) == 200 && rig.requests == i);
        rig_text_addf(&all, "%s", EXPECT("3") "abc");
    }
    rig_send_bytes(&client, all.text, all.len);
    rig_until(&rig, &rig.dones, 2 * ROUNDS, 5000);
    CHECK_EQ_UINT(rig.requests, 2 * ROUNDS);
    CHECK_EQ_UINT(rig_count(settled(&rig, &client), "HTTP/1.1 200 OK\r\n"), ROUNDS);
    CHECK_MSG(first_frame - deepest < 8192, "%zu bytes deeper", (size_t)(first_frame - deepest));
    rig_text_free(&all);
    close_all(&rig, &client);
}

static void begin(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, -1), 0);
}

static void end_at_end(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    (void)rig, (void)chunk;
    if (last) CHECK_EQ_INT(gale_resp_end(req, NULL, 0), 0);
}

TEST(continue, none_behind_a_response_that_has_begun) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.streaming = true;
    rig.request = begin;
    rig.body = end_at_end;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, EXPECT("3"));
    gale_str_t got = settled(&rig, &client);
    CHECK(rig_status_of(got) == 200 && rig_has(got, "\r\nConnection: close\r\n"));
    rig_send(&client, "abc");
    CHECK(!rig_has(settled(&rig, &client), "100 Continue"));
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    close_all(&rig, &client);
}

static void no_body_expected(rig_t *rig, gale_req_t *req) {
    (void)rig;
    CHECK(!gale_req_expects_continue(req));
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
}

/* Nothing to wait for, or nobody who knows of it. */
TEST(continue, none_without_a_body_and_none_to_http_1_0_H1_06) {
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: a-miracle\r\n\r\nabc",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rig_t rig;
        rig_client_t client;
        rig_init(&rig);
        rig.request = no_body_expected;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_send(&client, texts[i]);
        gale_str_t got = settled(&rig, &client);
        CHECK_MSG(rig_status_of(got) == 200 && !rig_has(got, "100 Continue"), "row %zu", i);
        close_all(&rig, &client);
    }
}
