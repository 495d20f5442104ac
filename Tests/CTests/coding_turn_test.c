/* Turns of coding: what all clients of a worker together have coded and decoded in one turn of the
 * loop, and that they take turns. */
#include "coding_turn.h"

#include "exchange.h"
#include "rig_coding.h"

enum { CLIENTS = 30, LARGE = 1 << 20 };

static const gale_header_t html = {{"Content-Type", 12}, {"text/html", 9}};

#define ASK "GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

typedef struct {
    gale_req_t *req[CLIENTS];
    unsigned count;
    size_t len;
} many_t;

static void answer(rig_t *rig, gale_req_t *req) {
    many_t *m = rig->arg;
    if (gale_req_header(req, gale_cstr("Accept-Encoding")).ptr == NULL) {
        gale_respond_text(req, 200, "plain");
        return;
    }
    if (m->count < CLIENTS) m->req[m->count++] = req;
    CHECK_EQ_INT(
        gale_respond_buf(req, 200, &html, 1, (gale_buf_t){rig_pattern(m->len), m->len, NULL, NULL}),
        0);
}

static void done(rig_t *rig, gale_req_t *req, int status) {
    many_t *m = rig->arg;
    (void)status;
    for (unsigned i = 0; i < m->count; i++) {
        if (m->req[i] == req) m->req[i] = NULL;
    }
}

static void begin(rig_t *rig, many_t *m, rig_client_t *client, size_t len) {
    *m = (many_t){.len = len};
    rig_init(rig);
    rig->config.compress = GALE_CODING_GZIP;
    rig->request = answer;
    rig->done = done;
    rig->arg = m;
    rig_open(rig);
    for (int i = 0; i < CLIENTS; i++) rig_connect(rig, &client[i]);
    for (int i = 0; i < CLIENTS; i++) rig_send(&client[i], ASK);
    CHECK_EQ_UINT(m->count, CLIENTS);
}

/* Input that was coded of all open ones. */
static size_t coded(const many_t *m, size_t *least, size_t *most) {
    size_t sum = 0;
    *least = SIZE_MAX, *most = 0;
    for (unsigned i = 0; i < m->count; i++) {
        size_t pos = m->req[i] != NULL ? m->req[i]->large.pos : LARGE;
        sum += pos;
        if (pos < *least) *least = pos;
        if (pos > *most) *most = pos;
    }
    return sum;
}

static void check_whole(rig_t *rig, rig_client_t *client, size_t len) {
    rig_answer_t a = rig_so_far(client);
    CHECK(a.whole && a.coding == GALE__GZIP && a.body.len == len);
    CHECK(a.body.len == len && memcmp(a.body.bytes, rig_pattern(len), len) == 0);
    rig_answer_free(&a);
    rig_drop(rig, client);
}

TEST(coding_turn, a_share_of_each_turn_for_all) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client[CLIENTS], other;
    many_t many;
    size_t least, most, before, after = 0;
    begin(&rig, &many, client, LARGE);
    rig_connect(&rig, &other);
    for (int turn = 0; turn < 100; turn++) {
        before = coded(&many, &least, &most);
        rig_turn(&rig, 1);
        after = coded(&many, &least, &most);
        CHECK_MSG(after - before <= 4 * GALE__CODING_PIECE, "turn %d: %zu", turn, after - before);
        CHECK_MSG(most - least <= 4 * GALE__CODING_PIECE, "turn %d: %zu to %zu", turn, least, most);
        rig_send(&other, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); /* others wait for none of them */
        CHECK(rig_has(rig_take(&other), "plain"));
    }
    CHECK_MSG(after >= 100 * GALE__CODING_PIECE, "%zu in 100 turns", after);
    CHECK(rig_until(&rig, &rig.dones, CLIENTS + 100, 20000));
    rig_drop(&rig, &other);
    for (int i = 0; i < CLIENTS; i++) check_whole(&rig, &client[i], LARGE);
    rig_check_coders(&rig);
    rig_close(&rig);
}

/* Bodies that are coded in one go when there is time for it: else in turns. */
TEST(coding_turn, middling_bodies_too) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client[CLIENTS];
    many_t many;
    begin(&rig, &many, client, 30000);
    CHECK(rig.dones < CLIENTS);
    CHECK(rig_until(&rig, &rig.dones, CLIENTS, 5000));
    for (int i = 0; i < CLIENTS; i++) check_whole(&rig, &client[i], 30000);
    rig_check_coders(&rig);
    rig_close(&rig);
}

TEST(coding_turn, clients_that_leave_the_queue) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client[CLIENTS];
    many_t many;
    begin(&rig, &many, client, LARGE);
    for (int i = 0; i < CLIENTS; i += 3) rig_drop(&rig, &client[i]);
    for (int i = 1; i < CLIENTS; i += 3) gale_resp_abort(many.req[i]);
    CHECK(rig_until(&rig, &rig.dones, CLIENTS, 20000));
    for (int i = 0; i < CLIENTS; i++) {
        if (i % 3 == 1) rig_drop(&rig, &client[i]);
        if (i % 3 == 2) check_whole(&rig, &client[i], LARGE);
    }
    CHECK(rig.worker->coding.first == NULL && rig.worker->coding.last == NULL);
    rig_check_coders(&rig);
    rig_close(&rig);
}

/* Bodies of requests: the same in the other direction. H1-20 */
TEST(coding_turn, decoding_too_H1_20) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client[CLIENTS];
    rig_seen_t seen;
    char *zeros = calloc(1, LARGE);
    REQUIRE(zeros != NULL);
    for (int chunked = 0; chunked < 2; chunked++) {
        rig_text_t text = {0};
        coded_t body = rig_coded(GALE__GZIP, zeros, LARGE);
        rig_decoding(&rig, &seen, true);
        rig.config.decompress_ratio = UINT32_MAX;
        rig_open(&rig);
        rig_add_post(&text, "Content-Encoding: gzip\r\n", &body, chunked ? 100 : 0);
        for (int i = 0; i < CLIENTS; i++) {
            rig_connect(&rig, &client[i]);
            rig_send_bytes(&client[i], text.text, text.len);
        }
        size_t before = rig.in.len;
        CHECK(before < 2 * LARGE);
        for (int turn = 0; turn < 10; turn++) {
            rig_turn(&rig, 1);
            CHECK_MSG(rig.in.len - before < LARGE && rig.in.len > before, "turn %d", turn);
            before = rig.in.len;
        }
        CHECK(rig_until(&rig, &rig.dones, CLIENTS, 20000));
        CHECK_EQ_UINT(rig.in.len, (size_t)CLIENTS * LARGE);
        for (int i = 0; i < CLIENTS; i++) {
            CHECK_EQ_INT(rig_status_of(gale_str(client[i].out.text, client[i].out.len)), 200);
            rig_drop(&rig, &client[i]);
        }
        rig_check_coders(&rig);
        rig_close(&rig);
        coded_free(&body);
        rig_text_free(&text);
    }
    free(zeros);
}
