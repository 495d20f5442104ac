/* Forms that pause, are answered early, or whose client leaves (HU-18). */
#include "rig_alloc.h"
#include "rig_form.h"
#include "rig_ws.h"

#define S(text) gale_str(text, sizeof(text) - 1)

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
    gale_str_t request = rig_form_multipart(RIG_FORM_TWO);
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
    CHECK_EQ_STR(gale_str(t->log.text, t->log.len), RIG_FORM_TWO_LOG);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
    rig_drop(&t->rig, &client);
    rig_form_close(t);
}

TEST(form_flow, pauses_HU_18) { /* WEB-37 */
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

TEST(form_flow, resumed_at_once) {
    rig_form_t t;
    rig_form_init(&t, true);
    t.on_part = pause_and_resume;
    t.on_part_end = pause_and_resume;
    check_paused(&t, 0);
}

/* A client that sends on meets a full buffer. */
TEST(form_flow, a_pause_pushes_back_HU_18) {
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

TEST(form_flow, answered_or_given_up_meanwhile) {
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
        gale_str_t got = rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
        CHECK_EQ_INT(rig_status_of(got), rows[i / 4].answered ? 403 : 0);
        CHECK_EQ_STRS(gale_str(t.log.text, t.log.len), gale_cstr(rows[i / 4].log));
        CHECK_EQ_INT(t.status, GALE_EABORTED);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

TEST(form_flow, answered_later) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.keep_quiet = true;
    rig_open(&t.rig);
    rig_form_ask(&t, &client, rig_form_multipart(RIG_FORM_TWO));
    REQUIRE(t.form != NULL && t.ends == 1);
    CHECK_EQ_STR(gale_form_value(t.form, S("a")), "one"); /* until on_done */
    CHECK_EQ_INT(gale_respond(t.rig.req, 200, NULL, 0, gale_form_value(t.form, S("a"))), 0);
    rig_turn(&t.rig, 2);
    CHECK_EQ_STR(rig_body_of(rig_take(&client)), "one");
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* The client leaves behind each byte. */
TEST(form_flow, the_client_leaves_HU_18) {
    gale_str_t request = rig_form_multipart(RIG_FORM_TWO);
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

TEST(form_flow, expect_continue_H1_06) {
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                               "Content-Type: application/x-www-form-urlencoded\r\n";
    for (int large = 0; large <= 1; large++) {
        rig_form_t t;
        rig_client_t client;
        rig_form_init(&t, true);
        t.handler.max_bytes = large ? 2 : 3;
        rig_open(&t.rig);
        rig_connect(&t.rig, &client);
        rig_send(&client, head);
        rig_send(&client, "Content-Length: 3\r\n\r\n");
        rig_turn(&t.rig, 2);
        CHECK_EQ_INT(rig_status_of(rig_take(&client)), large ? 413 : 100);
        rig_send(&client, "a=1");
        rig_turn(&t.rig, 2);
        if (!large) CHECK_EQ_INT(rig_status_of(rig_take(&client)), 200);
        CHECK_EQ_INT(t.status, large ? GALE_ELIMIT : GALE_OK);
        rig_drop(&t.rig, &client);
        rig_form_close(&t);
    }
}

/* The request may end while the form is on the stack. */
static void upgrade_at_end(rig_form_t *t, int status) {
    static rig_ws_t ws;
    gale_ws_handler_t h = rig_ws_handler();
    gale_ws_t *socket;
    CHECK_EQ_INT(status, GALE_OK);
    memset(&ws, 0, sizeof ws);
    t->keep_quiet = true;
    CHECK_EQ_INT(gale_ws_accept(gale_form_req(t->form), &h, &ws, NULL, 0, &socket), 0);
    CHECK_EQ_UINT(t->rig.dones, 1);
    gale_ws_abort(socket);
}

TEST(form_flow, upgraded_at_its_end) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.on_end = upgrade_at_end;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    rig_text_t text = {0};
    rig_text_add(&text, gale_str(RIG_UPGRADE, strlen(RIG_UPGRADE) - 2));
    rig_text_addf(&text, "Content-Type: application/x-www-form-urlencoded\r\n\r\n");
    rig_send_bytes(&client, text.text, text.len);
    rig_turn(&t.rig, 3);
    CHECK_EQ_INT(t.rig.last_status, GALE_EUPGRADED);
    rig_text_free(&text);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

TEST(form_flow, too_slow) {
    rig_form_t t;
    rig_client_t client;
    rig_form_init(&t, true);
    t.rig.config.body_timeout_ms = 20;
    rig_open(&t.rig);
    rig_connect(&t.rig, &client);
    gale_str_t request = rig_form_multipart(RIG_FORM_TWO);
    rig_send_bytes(&client, request.ptr, request.len - 5);
    CHECK(rig_until(&t.rig, &t.rig.dones, 1, 5000));
    CHECK_EQ_INT(t.status, GALE_ETIMEDOUT);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 408);
    rig_drop(&t.rig, &client);
    rig_form_close(&t);
}

/* --------------------------------------------------------------------------------------- memory */

TEST(form_flow, no_memory) {
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
                kind < 2 ? rig_form_multipart(RIG_FORM_TWO)
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
