/* Forms that are refused: by their type, their grammar, a limit (HU-11, HU-12, HU-15, HU-16). */
#include <stdio.h>

#include "rig_form.h"

#define S(text) gale_str(text, sizeof(text) - 1)

TEST(form_refuse, content_types_HU_12) {
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
        gale_str_t got = rig_form_ask(&t, &client, rig_form_request(rows[i].type, S(RIG_FORM_TWO)));
        CHECK_MSG(rig_status_of(got) == rows[i].status, "%s: %d", rows[i].type, rig_status_of(got));
        CHECK_EQ_INT(t.result, rows[i].status == 200 ? 0 : rows[i].status);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form_refuse, no_content_type_HU_11) {
    rig_form_t t;
    char out[500];
    rig_form_init(&t, false);
    rig_open(&t.rig);
    rig_ask(&t.rig, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na=b", out, sizeof out);
    CHECK_EQ_INT(t.result, 415);
    rig_form_close(&t);
}

/* One error, one answer, and the connection goes on (HU-16). Advisory A18 */
TEST(form_refuse, malformed_HU_16) {
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
        gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart(rows[i / 2].body));
        snprintf(want, sizeof want, "400 Bad Request: %s\n", error);
        CHECK_EQ_INT(rig_status_of(got), 400);
        CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
        CHECK_EQ_STRS(rig_body_of(got), gale_cstr(want));
        CHECK_EQ_INT(t.status, GALE_EPROTO);
        CHECK_EQ_STRS(gale_cstr(t.error), gale_cstr(error));
        gale_str_t next = rig_form_multipart(RIG_FORM_TWO);
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

TEST(form_refuse, the_handler_answers_an_error) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.on_end = own_answer;
    rig_open(&t.rig);
    gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart("junk"));
    CHECK_EQ_INT(rig_status_of(got), 422);
    CHECK_EQ_UINT(rig_count(got, "HTTP/1.1 "), 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* The error waits for an answer, which may come when the request is long read. */
TEST(form_refuse, the_handler_answers_an_error_later) {
    for (int streaming = 0; streaming < 2; streaming++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, streaming != 0);
        t.handler.leave_answer = 1;
        rig_open(&t.rig);
        rig_connect(&t.rig, &client);
        gale_str_t request = rig_form_multipart("junk");
        rig_send_bytes(&client, request.ptr, request.len);
        rig_turn(&t.rig, 3);
        CHECK_EQ_INT(t.status, GALE_EPROTO);
        CHECK_EQ_UINT(rig_take(&client).len, 0);
        CHECK_EQ_INT(gale_form_status(t.form), 400);
        CHECK_EQ_INT(gale_respond_text(gale_form_req(t.form), 422, "no"), 0);
        rig_turn(&t.rig, 3);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), 422);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form_refuse, limits_HU_15) {
    static const struct {
        gale_form_handler_t h;
        const char *type, *body;
        int status, err;
    } rows[] = {
        {{.max_parts = 1}, NULL, RIG_FORM_TWO, 400, GALE_EPROTO},
        {{.max_parts = 2}, NULL, RIG_FORM_TWO, 200, 0},
        {{.max_part_header_bytes = 20}, NULL, RIG_FORM_TWO, 400, GALE_EPROTO},
        {{.max_file_bytes = 2}, NULL, RIG_FORM_TWO, 413, GALE_ELIMIT},
        {{.max_file_bytes = 3}, NULL, RIG_FORM_TWO, 200, 0},
        {{.max_field_bytes = 3}, NULL, RIG_FORM_TWO, 413, GALE_ELIMIT}, /* the name counts */
        {{.max_field_bytes = 4}, NULL, RIG_FORM_TWO, 200, 0},
        {{.max_bytes = 10}, NULL, RIG_FORM_TWO, 413, GALE_ELIMIT},
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
        gale_str_t got = rig_form_ask(&t, &client, request);
        CHECK_MSG(rig_status_of(got) == rows[i].status && t.status == rows[i].err,
                  "row %zu: %d, %d, %s", i, rig_status_of(got), t.status, t.error);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form_refuse, a_long_urlencoded_field) { /* its memory grows up to the limit */
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
            rig_form_ask(&t, &client, rig_form_request("application/x-www-form-urlencoded", all));
        CHECK_EQ_INT(rig_status_of(got), i == 0 ? 413 : 200);
        CHECK_EQ_UINT(t.log.len, i == 0 ? 0 : 5 + 69999 + 4);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

/* on_part must say what becomes of the part. */
TEST(form_refuse, a_result_of_on_part_that_is_none) {
    for (int streaming = 0; streaming < 2; streaming++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, streaming);
        rig_open(&t.rig);
        for (int i = 0; i < 2; i++) {
            t.fate = i == 0 ? 99 : -5;
            gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
            CHECK_EQ_INT(rig_status_of(got), 500);
            CHECK_EQ_INT(t.status, UV_EINVAL);
            rig_drop(&t.rig, &client);
        }
        rig_form_close(&t);
    }
}

static void (*read_form)(rig_t *rig, gale_req_t *req);

static void read_then_collect(rig_t *rig, gale_req_t *req) {
    read_form(rig, req);
    CHECK_EQ_INT(gale_req_collect(req, 1000), GALE_ESTATE); /* the form has the body */
}

TEST(form_refuse, collecting_what_a_form_reads) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    read_form = t.rig.request;
    t.rig.request = read_then_collect;
    rig_open(&t.rig);
    gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
    CHECK_EQ_INT(rig_status_of(got), 200);
    CHECK_EQ_INT(t.status, GALE_OK);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

static void never(gale_form_t *form, int status, void *data) {
    (void)form, (void)status, (void)data;
    CHECK(false);
}

static void wrong_state(rig_t *rig, gale_req_t *req) {
    rig_form_t *t = rig->arg;
    gale_form_handler_t h = gale_form_handler();
    CHECK_EQ_INT(gale_form_read(req, &h, t), UV_EINVAL); /* without on_end */
    h.on_end = never;
    h.max_part_header_bytes = UINT32_MAX;
    CHECK_EQ_INT(gale_form_read(req, &h, t), UV_EINVAL);
    h.struct_size = 8;
    CHECK_EQ_INT(gale_form_read(req, &h, t), GALE_EVERSION);
    h = gale_form_handler();
    h.on_end = never;
    CHECK_EQ_INT(gale_respond_text(req, 200, "ok"), 0);
    CHECK_EQ_INT(gale_form_read(req, &h, t), GALE_ESTATE);
}

TEST(form_refuse, wrong_calls) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.request = wrong_state;
    t.result = -1;
    rig_open(&t.rig);
    rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
    CHECK_EQ_UINT(t.rig.requests, 1);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}
