/* gale_form_read over the in-memory client: what comes, where it stays, what is refused, and that a
 * pause is one (HU-11 ... HU-18). What the disk has to do with it is in form_disk_test.c. */
#include <stdio.h>

#include "rig_alloc.h"
#include "rig_form.h"

#define S(text) gale_str(text, sizeof(text) - 1)
#define TWO                                                                                        \
    RIG_FORM_B "a\r\n\r\none\r\n" RIG_FORM_B                                                       \
               "f; filename=x.txt\r\nContent-Type: text/plain\r\nX-Y: z\r\n\r\nFoo" RIG_FORM_END
#define TWO_LOG "<a||>one</><f|x.txt|text/plain>Foo</>."

/* Sends a request whole; its answer. */
static gale_str_t ask(rig_form_t *t, rig_client_t *client, gale_str_t request) {
    rig_connect(&t->rig, client);
    rig_send_bytes(client, request.ptr, request.len);
    rig_turn(&t->rig, 3);
    return rig_take(client);
}

/* -------------------------------------------------------------------------------- what comes in */

static void check_kept(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    gale_part_t *a = gale_form_next(t->form, NULL), *f = gale_form_next(t->form, a);
    REQUIRE(a != NULL && f != NULL);
    CHECK(gale_form_next(t->form, f) == NULL);
    CHECK_EQ_STR(gale_part_bytes(a), "one");
    CHECK_EQ_STR(gale_form_value(t->form, S("a")), "one");
    CHECK(gale_form_value(t->form, S("f")).ptr == NULL && gale_form_file(t->form, S("a")) == NULL);
    CHECK(gale_form_file(t->form, S("f")) == f);
    CHECK_EQ_STR(gale_part_bytes(f), "Foo");
    CHECK_EQ_STR(gale_part_header(f, S("x-y")), "z");
    CHECK(gale_part_header(f, S("none")).ptr == NULL);
    CHECK_EQ_UINT(gale_part_size(f), 3);
    CHECK_EQ_INT(gale_part_fd(f), -1);
    CHECK_EQ_INT(gale_part_take_fd(f), UV_ENOENT);
}

TEST(form, multipart_HU_14) {
    for (int streaming = 0; streaming <= 1; streaming++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, streaming);
        t.on_end = check_kept;
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client, rig_form_multipart(TWO));
        CHECK_EQ_INT(rig_status_of(got), 200);
        CHECK_EQ_STR(rig_body_of(got), "thanks");
        CHECK_EQ_STR(gale_str(t.log.text, t.log.len), TWO_LOG);
        CHECK_EQ_INT(t.rig.last_status, GALE_OK);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form, urlencoded_HU_13) {
    for (int streaming = 0; streaming <= 1; streaming++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, streaming);
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client,
                             rig_form_request("Application/X-WWW-Form-Urlencoded; charset=utf-8",
                                              S("a=1&b=x+%C3%A9&a=&&c")));
        CHECK_EQ_INT(rig_status_of(got), 200);
        CHECK_EQ_STR(gale_str(t.log.text, t.log.len),
                     "<a||>1</><b||>x \xc3\xa9</><a||></><c||></>.");
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

static void check_values(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_OK);
    gale_str_t a = gale_form_value(t->form, S("a"));
    CHECK(a.ptr != NULL && a.len == 0); /* the last, though empty (WEB-11) */
    CHECK_EQ_STR(gale_form_value(t->form, S("b")), "2");
    CHECK(gale_form_value(t->form, S("c")).ptr == NULL);
}

TEST(form, the_last_value_counts) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.on_end = check_values;
    rig_open(&t.rig);
    ask(&t, &client, rig_form_request("application/x-www-form-urlencoded", S("a=1&b=2&a=")));
    CHECK_EQ_UINT(t.ends, 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

TEST(form, empty_bodies) {
    static const struct {
        const char *type;
        bool good;
    } rows[] = {{"application/x-www-form-urlencoded", true},
                {"multipart/form-data; boundary=1234", false}};
    for (size_t i = 0; i < 4; i++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, i % 2 != 0);
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client, rig_form_request(rows[i / 2].type, S("")));
        CHECK_EQ_INT(rig_status_of(got), rows[i / 2].good ? 200 : 400);
        CHECK_EQ_UINT(t.parts, 0);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

/* However it is cut, the same comes out, with any coding of the body. */
TEST(form, in_pieces_HU_18) {
    static const char urlencoded[] = "a=1&b=%41+%2B&c&";
    for (int kind = 0; kind < 3; kind++) {
        rig_text_t whole = {0};
        rig_text_addf(&whole, "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\n",
                      kind < 2 ? "multipart/form-data; boundary=\"1234\""
                               : "application/x-www-form-urlencoded");
        gale_str_t body = kind < 2 ? S(TWO) : S(urlencoded);
        if (kind == 0) rig_text_addf(&whole, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body.len);
        if (kind != 0) rig_text_addf(&whole, "Content-Length: %zu\r\n\r\n", body.len);
        size_t head = whole.len;
        rig_text_add(&whole, body);
        if (kind == 0) rig_text_addf(&whole, "\r\n0\r\n\r\n");
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        rig_open(&t.rig);
        for (size_t cut = head; cut <= whole.len; cut++) {
            rig_text_clear(&t.log);
            rig_connect(&t.rig, &client);
            rig_send_bytes(&client, whole.text, cut);
            rig_turn(&t.rig, 1);
            rig_send_bytes(&client, whole.text + cut, whole.len - cut);
            rig_turn(&t.rig, 2);
            CHECK_EQ_STRS(gale_str(t.log.text, t.log.len),
                          kind < 2 ? S(TWO_LOG) : S("<a||>1</><b||>A +</><c||></>."));
            rig_drop(&t.rig, &client);
        }
        rig_form_close(&t);
        rig_text_free(&whole);
    }
}

TEST(form, streamed_and_skipped_HU_18) {
    for (int fate = GALE_PART_STREAM; fate <= GALE_PART_SKIP; fate++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        t.fate = fate;
        t.handler.max_field_bytes = 1; /* of what is kept */
        rig_open(&t.rig);
        ask(&t, &client, rig_form_multipart(TWO));
        CHECK_EQ_STRS(gale_str(t.log.text, t.log.len),
                      fate == GALE_PART_SKIP ? S("<a||></><f|x.txt|text/plain></>.") : S(TWO_LOG));
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

/* After gale_req_collect, within on_body. */
static void collect(rig_t *rig, gale_req_t *req) {
    rig_form_t *t = rig->arg;
    gale_form_handler_t h = t->handler;
    CHECK_EQ_INT(gale_req_collect(req, 10000), 0);
    CHECK_EQ_INT(gale_form_read(req, &h, t), GALE_ESTATE);
}

static void collected_end(gale_form_t *form, int status, void *data) {
    rig_form_t *t = data;
    t->ends++;
    CHECK_EQ_INT(status, GALE_OK);
    CHECK_EQ_STR(gale_form_value(form, S("a")), "one");
    CHECK_EQ_INT(gale_respond_text(gale_form_req(form), 200, "thanks"), 0);
}

static void collected(rig_t *rig, gale_req_t *req, gale_str_t chunk, bool last) {
    rig_form_t *t = rig->arg;
    (void)chunk;
    CHECK(last);
    CHECK_EQ_INT(gale_form_read(req, &t->handler, t), 0);
    CHECK_EQ_INT(gale_form_read(req, &t->handler, t), GALE_ESTATE);
}

TEST(form, of_a_collected_body) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.request = collect;
    t.rig.body = collected;
    t.handler.on_end = collected_end;
    rig_open(&t.rig);
    CHECK_EQ_INT(rig_status_of(ask(&t, &client, rig_form_multipart(TWO))), 200);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* ---------------------------------------------------------------------------------- refused ones */

TEST(form, content_types_HU_12) {
    static const struct {
        const char *type;
        int status;
    } rows[] = {
        {"multipart/form-data; boundary=1234", 200},
        {"Multipart/Form-Data;BOUNDARY=\"1234\"", 200},
        {"multipart/form-data; x=\";boundary=9;\"; boundary=1234", 200},
        {"multipart/form-data", 400},
        {"multipart/form-data; boundary=", 400},
        {"multipart/form-data; boundary=\"1234", 400},
        {"multipart/form-data; boundary=1234; boundary=1234", 400},
        {"multipart/form-data; boundary=12@34", 400},
        {"multipart/form-data; boundary=\"1234 \"", 400},
        {"multipart/form-data; boundary=1234\r\nContent-Type: multipart/form-data; boundary=1234",
         400},
        {"multipart/form-data; boundary=1234\r\nContent-Encoding: gzip", 400}, /* HU-11 */
        {"application/x-www-form-urlencoded\r\nContent-Encoding: br", 400},
        {"multipart/mixed; boundary=1234", 415},
        {"application/json", 415},
        {"application/json\r\nContent-Encoding: gzip", 415},
        {"text/plain\r\nX: y", 415},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client, rig_form_request(rows[i].type, S(TWO)));
        CHECK_MSG(rig_status_of(got) == rows[i].status, "%s: %d", rows[i].type, rig_status_of(got));
        CHECK_EQ_INT(t.result, rows[i].status == 200 ? 0 : rows[i].status);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form, no_content_type_HU_11) {
    rig_form_t t;
    char out[500];
    rig_form_init(&t, false);
    rig_open(&t.rig);
    rig_ask(&t.rig, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b", out, sizeof out);
    CHECK_EQ_INT(t.result, 415);
    rig_form_close(&t);
}

/* One error, one answer, and the connection goes on (HU-16, A18). */
TEST(form, malformed_HU_16) {
    static const struct {
        const char *body, *error;
    } rows[] = {
        {RIG_FORM_B "a\r\n\r\nx\r\n" RIG_FORM_B "\"\"\r\n\r\n1\r\n" RIG_FORM_B
                    "\"\"\r\n\r\n2" RIG_FORM_END,
         "a part has no name"},
        {RIG_FORM_B "a\r\n\r\nx\r\n", "the body ends before its final boundary"},
        {"junk", "the body does not begin with its boundary"},
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        rig_form_t t;
        rig_client_t client;
        char want[100];
        const char *error = rows[i / 2].error;
        rig_form_init(&t, i % 2 != 0);
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client, rig_form_multipart(rows[i / 2].body));
        snprintf(want, sizeof want, "400 Bad Request: %s\n", error);
        CHECK_EQ_INT(rig_status_of(got), 400);
        CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
        CHECK_EQ_STRS(rig_body_of(got), gale_cstr(want));
        CHECK_EQ_INT(t.status, GALE_EPROTO);
        CHECK_EQ_STRS(gale_cstr(t.error), gale_cstr(error));
        gale_str_t next = rig_form_multipart(TWO);
        rig_send_bytes(&client, next.ptr, next.len);
        rig_turn(&t.rig, 3);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

static void own_answer(rig_form_t *t, int status) {
    CHECK_EQ_INT(status, GALE_EPROTO);
    CHECK_EQ_INT(gale_respond_text(gale_form_req(t->form), 422, "no"), 0);
}

TEST(form, the_handler_answers_an_error) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.on_end = own_answer;
    rig_open(&t.rig);
    gale_str_t got = ask(&t, &client, rig_form_multipart("junk"));
    CHECK_EQ_INT(rig_status_of(got), 422);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

TEST(form, limits_HU_15) {
    static const struct {
        gale_form_handler_t h;
        const char *type, *body;
        int status, err;
    } rows[] = {
        {{.max_parts = 1}, NULL, TWO, 400, GALE_EPROTO},
        {{.max_parts = 2}, NULL, TWO, 200, 0},
        {{.max_part_header_bytes = 20}, NULL, TWO, 400, GALE_EPROTO},
        {{.max_file_bytes = 2}, NULL, TWO, 413, GALE_ELIMIT},
        {{.max_file_bytes = 3}, NULL, TWO, 200, 0},
        {{.max_field_bytes = 3}, NULL, TWO, 413, GALE_ELIMIT}, /* the name counts */
        {{.max_field_bytes = 4}, NULL, TWO, 200, 0},
        {{.max_bytes = 10}, NULL, TWO, 413, GALE_ELIMIT},
        {{.max_fields = 2}, "a", "a=1&b=2", 200, 0},
        {{.max_fields = 2}, "a", "a=1&b=2&c=3", 400, GALE_EPROTO},
        {{.max_field_bytes = 5}, "a", "a=%41%42", 413, GALE_ELIMIT},
        {{.max_field_bytes = 8}, "a", "a=%41%42", 200, 0},
        {{.max_field_bytes = 8}, "a", "a=12345&b=12", 413, GALE_ELIMIT},
        {{.max_field_bytes = 9}, "a", "a=12345&b=12", 200, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        gale_form_handler_t h = rows[i].h;
        h.struct_size = sizeof h;
        h.folder = t.folder;
        t.handler = h;
        rig_open(&t.rig);
        gale_str_t request =
            rows[i].type == NULL
                ? rig_form_multipart(rows[i].body)
                : rig_form_request("application/x-www-form-urlencoded", gale_cstr(rows[i].body));
        gale_str_t got = ask(&t, &client, request);
        CHECK_MSG(rig_status_of(got) == rows[i].status && t.status == rows[i].err,
                  "row %zu: %d, %d, %s", i, rig_status_of(got), t.status, t.error);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form, a_long_urlencoded_field) { /* its memory grows up to the limit */
    static char body[70002];
    for (int i = 0; i < 2; i++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        t.handler.max_field_bytes = 70000 + (uint32_t)i;
        rig_open(&t.rig);
        memset(body, 'x', sizeof body);
        body[1] = '=';
        gale_str_t all = gale_str(body, 70001);
        gale_str_t got =
            ask(&t, &client, rig_form_request("application/x-www-form-urlencoded", all));
        CHECK_EQ_INT(rig_status_of(got), i == 0 ? 413 : 200);
        CHECK_EQ_UINT(t.log.len, i == 0 ? 0 : 5 + 69999 + 4);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

static void wrong_state(rig_t *rig, gale_req_t *req) {
    rig_form_t *t = rig->arg;
    gale_form_handler_t h = gale_form_handler();
    CHECK_EQ_INT(gale_form_read(req, &h, t), UV_EINVAL); /* without on_end */
    h.on_end = collected_end;
    h.max_part_header_bytes = UINT32_MAX;
    CHECK_EQ_INT(gale_form_read(req, &h, t), UV_EINVAL);
    h.struct_size = 8;
    CHECK_EQ_INT(gale_form_read(req, &h, t), GALE_EVERSION);
    h = gale_form_handler();
    h.on_end = collected_end;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
    CHECK_EQ_INT(gale_form_read(req, &h, t), GALE_ESTATE);
}

TEST(form, wrong_calls) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.request = wrong_state;
    t.result = -1;
    rig_open(&t.rig);
    ask(&t, &client, rig_form_multipart(TWO));
    CHECK_EQ_UINT(t.rig.requests, 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* ------------------------------------------------------------------------------------- pausing */

static void pause_part(rig_form_t *t, gale_part_t *part) {
    (void)part;
    gale_req_pause(gale_form_req(t->form));
}
static void pause_data(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    pause_part(t, part);
}

/* The log grows by no more than one callback's worth between two resumes; TCP pushes back. */
static void check_paused(rig_form_t *t, unsigned callbacks) {
    rig_client_t client;
    rig_open(&t->rig);
    gale_str_t request = rig_form_multipart(TWO);
    rig_connect(&t->rig, &client);
    rig_send_bytes(&client, request.ptr, request.len);
    for (unsigned i = 1; i <= callbacks; i++) {
        rig_turn(&t->rig, 3);
        CHECK_EQ_UINT(t->ends, 0);
        size_t len = t->log.len;
        rig_turn(&t->rig, 3);
        CHECK_EQ_UINT(t->log.len, len);
        REQUIRE(t->rig.req != NULL);
        gale_req_resume(t->rig.req);
        CHECK_EQ_UINT(t->log.len, len); /* never from within */
    }
    rig_turn(&t->rig, 3);
    CHECK_EQ_UINT(t->ends, 1);
    CHECK_EQ_STR(gale_str(t->log.text, t->log.len), TWO_LOG);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    rig_drop(&t->rig, &client);
    rig_form_close(t);
}

TEST(form, pauses_HU_18) { /* WEB-37 */
    rig_form_t t;
    for (int streaming = 0; streaming <= 1; streaming++) {
        rig_form_init(&t, streaming);
        t.on_part = pause_part;
        check_paused(&t, 2);
        rig_form_init(&t, streaming);
        t.on_data = pause_data;
        check_paused(&t, 2);
        rig_form_init(&t, streaming);
        t.on_part_end = pause_part;
        check_paused(&t, 2);
        rig_form_init(&t, streaming);
        t.on_part = pause_part;
        t.on_data = pause_data;
        t.on_part_end = pause_part;
        check_paused(&t, 6);
    }
}

static void pause_and_resume(rig_form_t *t, gale_part_t *part) {
    pause_part(t, part);
    gale_req_resume(gale_form_req(t->form));
}

TEST(form, resumed_at_once) {
    rig_form_t t;
    rig_form_init(&t, true);
    t.on_part = pause_and_resume;
    t.on_part_end = pause_and_resume;
    check_paused(&t, 0);
}

/* A client that sends on meets a full buffer. */
TEST(form, a_pause_pushes_back_HU_18) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.config.max_body_bytes = 16 << 20;
    t.fate = GALE_PART_STREAM;
    t.on_part = pause_part;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    rig_send(&client,
             "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000000\r\n"
             "Content-Type: multipart/form-data; boundary=1234\r\n\r\n" RIG_FORM_B "a\r\n\r\n");
    for (int i = 0; i < 20; i++) rig_send_bytes(&client, rig_pattern(65536), 65536);
    rig_turn(&t.rig, 3);
    CHECK_EQ_UINT(t.datas, 0);
    gale_req_resume(t.rig.req);
    rig_turn(&t.rig, 30);
    CHECK_EQ_UINT(t.log.len, 5 + 20 * 65536);
    CHECK_EQ_MEM(t.log.text + 5 + 19 * 65536, rig_pattern(65536), 65536);
    rig_drop(&t.rig, &client);
    CHECK_EQ_INT(t.status, GALE_EGONE);
    rig_form_close(&t);
}

/* ------------------------------------------------------------------------------- ended from within */

static void respond_in_part(rig_form_t *t, gale_part_t *part) {
    (void)part;
    CHECK_EQ_INT(gale_respond_text(gale_form_req(t->form), 403, "no"), 0);
}
static void respond_in_data(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    respond_in_part(t, part);
}
static void abort_in_part(rig_form_t *t, gale_part_t *part) {
    (void)part;
    gale_resp_abort(gale_form_req(t->form));
}
static void abort_in_data(rig_form_t *t, gale_part_t *part, gale_str_t bytes) {
    (void)bytes;
    abort_in_part(t, part);
}

TEST(form, answered_or_given_up_meanwhile) {
    static const struct {
        void (*part)(rig_form_t *t, gale_part_t *part);
        void (*data)(rig_form_t *t, gale_part_t *part, gale_str_t bytes);
        void (*part_end)(rig_form_t *t, gale_part_t *part);
        bool answered;
        const char *log;
    } rows[] = {
        {respond_in_part, NULL, NULL, true, "<a||>"},
        {NULL, respond_in_data, NULL, true, "<a||>one"},
        {NULL, NULL, respond_in_part, true, "<a||>one</>"},
        {abort_in_part, NULL, NULL, false, "<a||>"},
        {NULL, abort_in_data, NULL, false, "<a||>one"},
        {NULL, NULL, abort_in_part, false, "<a||>one</>"},
    };
    for (size_t i = 0; i < 4 * sizeof rows / sizeof *rows; i++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, i % 2 != 0);
        t.fate = i / 2 % 2 != 0 ? GALE_PART_KEEP : GALE_PART_STREAM;
        t.on_part = rows[i / 4].part;
        t.on_data = rows[i / 4].data;
        t.on_part_end = rows[i / 4].part_end;
        rig_open(&t.rig);
        gale_str_t got = ask(&t, &client, rig_form_multipart(TWO));
        CHECK_EQ_INT(rig_status_of(got), rows[i / 4].answered ? 403 : 0);
        CHECK_EQ_STRS(gale_str(t.log.text, t.log.len), gale_cstr(rows[i / 4].log));
        CHECK_EQ_INT(t.status, GALE_EABORTED);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form, answered_later) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.keep_quiet = true;
    rig_open(&t.rig);
    ask(&t, &client, rig_form_multipart(TWO));
    REQUIRE(t.form != NULL && t.ends == 1);
    CHECK_EQ_STR(gale_form_value(t.form, S("a")), "one"); /* until on_done */
    CHECK_EQ_INT(gale_respond(t.rig.req, 200, NULL, 0, gale_form_value(t.form, S("a"))), 0);
    rig_turn(&t.rig, 2);
    CHECK_EQ_STR(rig_body_of(rig_take(&client)), "one");
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* The client leaves behind each byte. */
TEST(form, the_client_leaves_HU_18) {
    gale_str_t request = rig_form_multipart(TWO);
    rig_text_t copy = {0};
    rig_text_add(&copy, request);
    for (size_t n = 0; n < copy.len; n++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        t.handler.always_disk = n % 2 != 0;
        rig_open(&t.rig);
        rig_connect(&t.rig, &client);
        rig_send_bytes(&client, copy.text, n);
        rig_turn(&t.rig, (unsigned)(n % 3));
        rig_drop(&t.rig, &client);
        if (t.rig.requests > 0) CHECK_EQ_INT(t.status, GALE_EGONE);
        CHECK_EQ_UINT(t.rig.dones, t.rig.requests);
        rig_form_close(&t);
    }
    rig_text_free(&copy);
}

TEST(form, too_slow) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.config.body_timeout_ms = 20;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    gale_str_t request = rig_form_multipart(TWO);
    rig_send_bytes(&client, request.ptr, request.len - 5);
    CHECK(rig_until(&t.rig, &t.rig.dones, 1, 5000));
    CHECK_EQ_INT(t.status, GALE_ETIMEDOUT);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* --------------------------------------------------------------------------------------- memory */

TEST(form, no_memory) {
    for (int kind = 0; kind < 4; kind++) {
        bool all = false;
        for (unsigned long n = 1; n < 60 && !all; n++) {
            rig_form_t t;
            rig_client_t client;
            rig_alloc_begin(n, kind % 2 != 0);
            rig_alloc_pause(true);
            rig_form_init(&t, true);
            rig_open(&t.rig);
            rig_connect(&t.rig, &client);
            gale_str_t request =
                kind < 2 ? rig_form_multipart(TWO)
                         : rig_form_request("application/x-www-form-urlencoded", S("a=1&b=2"));
            rig_alloc_pause(false);
            rig_send_bytes(&client, request.ptr, request.len - 4);
            rig_turn(&t.rig, 2);
            rig_send_bytes(&client, request.ptr + request.len - 4, 4);
            rig_turn(&t.rig, 3);
            all = !rig_alloc_refused();
            rig_alloc_pause(true);
            CHECK(!all || t.status == GALE_OK);
            rig_drop(&t.rig, &client);
            rig_form_close(&t);
            rig_alloc_end();
        }
        CHECK(all);
    }
}
