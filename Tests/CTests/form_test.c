/* gale_form_read over the in-memory client: what comes and where it stays (HU-13, HU-14, HU-18).
 * The other sides are in form_refuse_test.c, form_flow_test.c and form_disk_test.c. */
#include "rig_form.h"

#define S(text) gale_str(text, sizeof(text) - 1)

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
        gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
        CHECK_EQ_INT(rig_status_of(got), 200);
        CHECK_EQ_STR(rig_body_of(got), "thanks");
        CHECK_EQ_STR(gale_str(t.log.text, t.log.len), RIG_FORM_TWO_LOG);
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
        gale_str_t got =
            rig_form_ask(&t, &client,
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
    rig_form_ask(&t, &client,
                 rig_form_request("application/x-www-form-urlencoded", S("a=1&b=2&a=")));
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
        gale_str_t got = rig_form_ask(&t, &client, rig_form_request(rows[i / 2].type, S("")));
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
        gale_str_t body = kind < 2 ? S(RIG_FORM_TWO) : S(urlencoded);
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
                          kind < 2 ? S(RIG_FORM_TWO_LOG) : S("<a||>1</><b||>A +</><c||></>."));
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
        rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
        CHECK_EQ_STRS(gale_str(t.log.text, t.log.len), fate == GALE_PART_SKIP
                                                           ? S("<a||></><f|x.txt|text/plain></>.")
                                                           : S(RIG_FORM_TWO_LOG));
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
    CHECK_EQ_INT(rig_status_of(rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO))), 200);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* What the server has decoded is read as if it had come plain (HU-11, H1-20). */
TEST(form, decoded_by_the_server) {
    static const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xb4\x35\x54\x4b"
                               "\xb2\xad\x50\x35\x32\xa8\x04\x00\xf4\x3d\x70\x4a\x0b\x00\x00\x00";
    for (int streaming = 0; streaming <= 1 && (gale_codings() & GALE_CODING_GZIP) != 0;
         streaming++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, streaming);
        t.rig.config.decompress = GALE_CODING_GZIP;
        rig_open(&t.rig);
        gale_str_t request =
            rig_form_request("application/x-www-form-urlencoded\r\nContent-Encoding: gzip",
                             gale_str(gzip, sizeof gzip - 1));
        CHECK_EQ_INT(rig_status_of(rig_form_ask(&t, &client, request)), 200);
        CHECK_EQ_STR(gale_str(t.log.text, t.log.len), "<a||>1</><b||>x y</>.");
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}
