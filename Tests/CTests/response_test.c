/* gale_respond*, gale_resp_*: what goes out, what is refused, who frees what. */
#include <pthread.h>
#include <stdio.h>

#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

typedef struct {
    int status;
    gale_header_t headers[4];
    size_t count;
    const char *body;
    int err; /* of the first try; then it answers 299 */
    unsigned freed;
    bool owned;
} plan_t;

static void follow(rig_t *rig, gale_req_t *req) {
    plan_t *p = rig->arg;
    gale_str_t body = gale_cstr(p->body == NULL ? "" : p->body);
    p->err = p->owned ? gale_respond_buf(req, p->status, p->headers, p->count,
                                         rig_buf(body.ptr, body.len, &p->freed))
                      : gale_respond(req, p->status, p->headers, p->count, body);
    if (p->err < 0) {
        CHECK(!gale_resp_begun(req));
        CHECK_EQ_INT(gale_respond(req, 299, NULL, 0, gale_str("", 0)), 0);
    }
    CHECK(gale_resp_begun(req));
}

/* What one request gets for the plan. */
static gale_str_t ask(plan_t *plan, const char *request) {
    static char out[262144];
    rig_t rig;
    rig_init(&rig);
    rig.request = follow;
    rig.arg = plan;
    rig_open(&rig);
    rig_ask(&rig, request, out, sizeof out);
    CHECK_EQ_UINT(rig.dones, 1);
    rig_close(&rig);
    if (plan->owned) CHECK_EQ_UINT(plan->freed, 1);
    return gale_cstr(out);
}

TEST(response, whole) {
    plan_t plan = {.status = 200, .headers = {{{"X-One", 5}, {"1", 1}}}, .count = 1, .body = "hi"};
    CHECK_EQ_STR(ask(&plan, GET),
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\nServer: gale\r\n"
                 "Date: *****************************\r\n\r\nhi");
    plan.owned = true;
    CHECK(rig_has(ask(&plan, GET), "\r\n\r\nhi"));
}

TEST(response, text) {
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, GET);
    CHECK_EQ_INT(gale_respond_text(rig.req, 404, "no such thing"), 0);
    rig_turn(&rig, 3);
    gale_str_t got = rig_take(&client);
    CHECK(rig_has(got, "HTTP/1.1 404 Not Found\r\n"));
    CHECK(rig_has(got, "Content-Type: text/plain; charset=utf-8\r\n"));
    CHECK(rig_has(got, "\r\n\r\nno such thing"));
    rig_drop(&rig, &client);
    rig_close(&rig);
}

TEST(response, a_callers_date_and_server_take_the_place_of_ours) {
    plan_t plan = {.status = 200,
                   .headers = {{{"date", 4}, {"then", 4}}, {{"SERVER", 6}, {"mine", 4}}},
                   .count = 2};
    gale_str_t got = ask(&plan, GET);
    CHECK(rig_has(got, "date: then\r\n") && rig_has(got, "SERVER: mine\r\n"));
    CHECK(!rig_has(got, "Date:") && !rig_has(got, "Server:"));
}

/* H1-17, Advisory A5: on error nothing is sent, and the request can still be answered. */
TEST(response, refused_headers_H1_17) {
    static const gale_header_t bad[] = {
        {{"Content-Length", 14}, {"2", 1}},
        {{"Transfer-Encoding", 17}, {"chunked", 7}},
        {{"Connection", 10}, {"keep-alive", 10}},
        {{"A b", 3}, {"x", 1}},
        {{"", 0}, {"x", 1}},
        {{"A", 1}, {"x\r\nB: y", 7}},
        {{"A", 1}, {"x\n", 2}},
        {{"A", 1}, {"\0", 1}},
        {{"A", 1}, {"\x7f", 1}},
        {{"A\r\nB", 4}, {"x", 1}},
        {{"A:", 2}, {"x", 1}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int owned = 0; owned < 2; owned++) {
            plan_t plan = {
                .status = 200, .headers = {bad[i]}, .count = 1, .body = "b", .owned = owned};
            gale_str_t got = ask(&plan, GET);
            CHECK_MSG(plan.err == GALE_EHEADER, "row %zu: %s", i, gale_err_name(plan.err));
            CHECK_EQ_INT(rig_status_of(got), 299);
            CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
        }
    }
}

TEST(response, refused_statuses) {
    static const int bad[] = {0, -1, 99, 100, 101, 199, 600, 1000, 65736};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        plan_t plan = {.status = bad[i], .body = "b"};
        CHECK_EQ_INT(rig_status_of(ask(&plan, GET)), 299);
        CHECK_EQ_INT(plan.err, GALE_EHEADER);
    }
}

TEST(response, a_tab_and_bytes_above_ascii_are_values) {
    plan_t plan = {.status = 200, .headers = {{{"A", 1}, {"a\tb\xc3\xa9", 5}}}, .count = 1};
    CHECK(rig_has(ask(&plan, GET), "A: a\tb\xc3\xa9\r\n"));
}

TEST(response, connection_close_closes_H1_04) {
    plan_t plan = {.status = 200, .headers = {{{"Connection", 10}, {"close", 5}}}, .count = 1};
    gale_str_t got = ask(&plan, GET GET);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 200"), 1);
    CHECK_EQ_UINT(rig_count(got, "Connection: close\r\n"), 1);
}

/* H1-18 */
TEST(response, without_a_body_H1_18) {
    for (int owned = 0; owned < 2; owned++) {
        plan_t plan = {.status = 204, .body = "never", .owned = owned};
        gale_str_t got = ask(&plan, GET);
        CHECK(!rig_has(got, "Content-Length") && !rig_has(got, "Transfer") &&
              !rig_has(got, "never"));
        plan = (plan_t){.status = 304, .body = "never", .owned = owned};
        got = ask(&plan, GET);
        CHECK(!rig_has(got, "Content-Length") && !rig_has(got, "Transfer") &&
              !rig_has(got, "never"));
        plan = (plan_t){.status = 200, .body = "never", .owned = owned};
        got = ask(&plan, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        CHECK(rig_has(got, "Content-Length: 5\r\n") && !rig_has(got, "never"));
    }
}

/* RFC 9110 15.3.6: unlike a 204 it says that nothing follows. */
TEST(response, reset_content_has_no_body) {
    for (int owned = 0; owned < 2; owned++) {
        plan_t plan = {.status = 205, .body = "never", .owned = owned};
        gale_str_t got = ask(&plan, GET);
        CHECK_EQ_INT(plan.err, 0);
        CHECK(rig_has(got, "HTTP/1.1 205 Reset Content\r\n"));
        CHECK(rig_has(got, "Content-Length: 0\r\n") && !rig_has(got, "Transfer"));
        CHECK_EQ_STR(rig_body_of(got), "");
    }
}

/* RFC 9110 9.3.6: whoever agrees to a CONNECT without making a tunnel announces no body, since all
 * behind the head is the tunnel's. */
TEST(response, to_connect) {
    static const struct {
        int status;
        bool length;
    } rows[] = {{200, false}, {204, false}, {299, false}, {403, true}, {301, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        plan_t plan = {.status = rows[i].status, .body = "text"};
        gale_str_t got = ask(&plan, "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n");
        CHECK_EQ_INT(plan.err, 0);
        CHECK_MSG(rig_has(got, "Content-Length") == rows[i].length, "row %zu", i);
        CHECK(rig_has(got, "Connection: close\r\n") != rows[i].length);
        CHECK_EQ_STRS(rig_body_of(got), gale_cstr(rows[i].status == 204 ? "" : "text"));
    }
}

TEST(response, head_and_304_may_announce_a_length) {
    gale_header_t length = {{"Content-Length", 14}, {"1234", 4}};
    plan_t plan = {.status = 200, .headers = {length}, .count = 1};
    gale_str_t got = ask(&plan, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_EQ_INT(plan.err, 0);
    CHECK_EQ_UINT(rig_count(got, "Content-Length: 1234\r\n"), 1);
    CHECK_EQ_UINT(rig_count(got, "Content-Length"), 1);
    plan = (plan_t){.status = 304, .headers = {length}, .count = 1};
    got = ask(&plan, GET);
    CHECK_EQ_INT(plan.err, 0);
    CHECK_EQ_UINT(rig_count(got, "Content-Length: 1234\r\n"), 1);
    plan = (plan_t){.status = 204, .headers = {length}, .count = 1};
    ask(&plan, GET);
    CHECK_EQ_INT(plan.err, GALE_EHEADER);
}

TEST(response, of_many_sizes_arrive_whole) {
    static const size_t sizes[] = {0,     1,     1023,  1024,  1025,  4095,  4096,  4097,
                                   16383, 16384, 16385, 65535, 65536, 65537, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int owned = 0; owned < 2; owned++) {
            rig_t rig;
            rig_client_t client;
            unsigned freed = 0;
            gale_str_t body = gale_str(rig_pattern(sizes[i]), sizes[i]);
            rig_init(&rig);
            rig_open(&rig);
            rig_connect(&rig, &client);
            rig_send(&client, GET);
            REQUIRE(rig.req != NULL);
            CHECK_EQ_INT(
                owned ? gale_respond_buf(rig.req, 200, NULL, 0, rig_buf(body.ptr, body.len, &freed))
                      : gale_respond(rig.req, 200, NULL, 0, body),
                0);
            rig_turn(&rig, 4);
            CHECK_EQ_STRS(rig_body_of(rig_take(&client)), body);
            CHECK_EQ_UINT(freed, (unsigned)owned);
            rig_drop(&rig, &client);
            rig_close(&rig);
        }
    }
}

/* A head that fits no arena still goes out. */
TEST(response, a_very_long_header) {
    plan_t plan = {.status = 200, .headers = {{{"A", 1}, {NULL, 60000}}}, .count = 1, .body = "b"};
    plan.headers[0].value.ptr = rig_pattern(60000);
    gale_str_t got = ask(&plan, GET);
    CHECK_EQ_INT(plan.err, 0);
    CHECK_EQ_STR(rig_body_of(got), "b");
}

/* -------------------------------------------------------------------------- wrong order, thread */

static void wrong_order(rig_t *rig, gale_req_t *req) {
    unsigned freed = 0;
    (void)rig;
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr("x")), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_write_buf(req, rig_buf("x", 1, &freed)), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), GALE_ESTATE);
    CHECK(!gale_resp_begun(req));
    CHECK_EQ_INT(gale_respond_text(req, 200, "once"), 0);
    CHECK_EQ_INT(gale_respond_text(req, 200, "twice"), GALE_ESTATE);
    CHECK_EQ_INT(gale_respond_buf(req, 200, NULL, 0, rig_buf("x", 1, &freed)), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, -1), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_write_buf(req, rig_buf("x", 1, &freed)), GALE_ESTATE);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), GALE_ESTATE);
    CHECK_EQ_UINT(freed, 3);
}

TEST(response, wrong_order_is_estate) {
    rig_t rig;
    char out[512];
    rig_init(&rig);
    rig.request = wrong_order;
    rig_open(&rig);
    rig_ask(&rig, GET, out, sizeof out);
    CHECK_EQ_UINT(rig_count(gale_cstr(out), "HTTP/1.1"), 1);
    CHECK(rig_has(gale_cstr(out), "once"));
    rig_close(&rig);
}

static void never(void *data) {
    (void)data;
    CHECK(false);
}

static void *other_thread(void *arg) {
    gale_req_t *req = arg;
    unsigned freed = 0;
    CHECK_EQ_INT(gale_respond(req, 200, NULL, 0, gale_cstr("x")), GALE_ETHREAD);
    CHECK_EQ_INT(gale_respond_buf(req, 200, NULL, 0, rig_buf("x", 1, &freed)), GALE_ETHREAD);
    CHECK_EQ_INT(gale_respond_text(req, 200, "x"), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_begin(req, 200, NULL, 0, -1), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_write(req, gale_cstr("x")), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_write_buf(req, rig_buf("x", 1, &freed)), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_flush(req), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_end(req, NULL, 0), GALE_ETHREAD);
    CHECK_EQ_INT(gale_resp_file(req, 200, NULL, 0, -1, 0, 1), GALE_ETHREAD);
    CHECK_EQ_INT(gale_req_collect(req, 1), GALE_ETHREAD);
    CHECK_EQ_INT(gale_req_set_max_body(req, 1), GALE_ETHREAD);
    CHECK_EQ_UINT(gale_req_ref(req).bits, 0);
    gale_resp_abort(req);
    gale_req_pause(req);
    CHECK(gale_timer_start(gale_req_worker(req), 1, 0, never, NULL) == NULL);
    CHECK_EQ_UINT(freed, 2);
    return NULL;
}

static void from_elsewhere(rig_t *rig, gale_req_t *req) {
    pthread_t thread;
    (void)rig;
    if (pthread_create(&thread, NULL, other_thread, req) == 0) pthread_join(thread, NULL);
    CHECK_EQ_INT(gale_respond_text(req, 200, "here"), 0);
}

TEST(response, another_thread_is_ethread) {
    rig_t rig;
    char out[512];
    rig_init(&rig);
    rig.request = from_elsewhere;
    rig_open(&rig);
    rig_ask(&rig, GET, out, sizeof out);
    CHECK(rig_has(gale_cstr(out), "here"));
    CHECK_EQ_INT(rig.last_status, GALE_OK);
    rig_close(&rig);
}
