/* Large whole bodies and files in content codings, which are streamed from within; clients that leave
 * in the middle; memory for many streams. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rig_coding.h"
#include "worker.h"

static const gale_header_t html = {{"Content-Type", 12}, {"text/html", 9}};
static const gale_header_t events = {{"Content-Type", 12}, {"text/event-stream", 17}};

#define ASK(coding) "GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: " coding "\r\n\r\n"
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

enum { LARGE = 3 << 20 };

typedef struct {
    unsigned freed;
    bool owned;
    int again[4];
} large_t;

static void answer_large(rig_t *rig, gale_req_t *req) {
    large_t *l = rig->arg;
    gale_str_t body = gale_str(rig_pattern(LARGE), LARGE);
    int err = l->owned ? gale_respond_buf(req, 200, &html, 1, rig_buf(body.ptr, LARGE, &l->freed))
                       : gale_respond(req, 200, &html, 1, body);
    CHECK_EQ_INT(err, 0);
    l->again[0] = gale_respond_text(req, 200, "x"); /* it is answered */
    l->again[1] = gale_resp_write(req, gale_cstr("x"));
    l->again[2] = gale_resp_end(req, NULL, 0);
    l->again[3] = gale_resp_begin(req, 200, NULL, 0, 5);
}

TEST(compress_large, a_large_body_goes_out_in_turns) {
    NEEDS_GZIP;
    for (int owned = 0; owned < 2; owned++) {
        rig_t rig;
        rig_client_t client, other;
        large_t large = {.owned = owned};
        rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
        rig.request = answer_large;
        rig.arg = &large;
        rig_send(&client, ASK("gzip"));
        for (int i = 0; i < 4; i++) CHECK_EQ_INT(large.again[i], GALE_ESTATE);
        CHECK_EQ_UINT(large.freed, 0);
        rig_turn(&rig, 5);
        rig_answer_t a = rig_so_far(&client);
        CHECK(a.body.len > 0 && a.body.len < LARGE / 2 && !a.whole);
        rig_answer_free(&a);
        /* Others are served meanwhile. */
        rig_connect(&rig, &other);
        rig_send(&other, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        rig_turn(&rig, 5);
        CHECK(other.out.len > LARGE && rig.dones == 1);
        rig_drop(&rig, &other);
        rig_turn(&rig, 100);
        a = rig_so_far(&client);
        CHECK(a.whole && a.chunked && a.coding == GALE__GZIP && a.body.len == LARGE);
        CHECK(a.body.len == LARGE && memcmp(a.body.bytes, rig_pattern(LARGE), LARGE) == 0);
        CHECK(large.freed == (owned ? 2 : 0) && rig.dones == 2);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        rig_answer_free(&a);
        rig_compressed(&rig, &client);
    }
}

TEST(compress_large, a_large_body_waits_for_a_slow_client) {
    NEEDS_GZIP;
    static char noise[LARGE];
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    uint32_t random = 1;
    for (size_t i = 0; i < LARGE; i++) {
        random = random * 1664525u + 1013904223u;
        noise[i] = (char)(random >> 24);
    }
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    gale_peer_stall(client.peer, true);
    CHECK_EQ_INT(gale_respond_buf(rig.req, 200, &html, 1, rig_buf(noise, LARGE, &freed)), 0);
    rig_turn(&rig, 100);
    CHECK(gale_resp_queued(rig.req) > 0 && gale_resp_queued(rig.req) < 200000);
    CHECK_EQ_UINT(freed, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 200);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole && a.body.len == LARGE && memcmp(a.body.bytes, noise, LARGE) == 0);
    CHECK_EQ_UINT(freed, 1);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress_large, a_client_that_leaves_frees_all) {
    NEEDS_GZIP;
    for (int turns = 0; turns < 6; turns++) {
        rig_t rig;
        rig_client_t client;
        large_t large = {.owned = true};
        rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
        rig.request = answer_large;
        rig.arg = &large;
        rig_send(&client, ASK("gzip"));
        rig_turn(&rig, (unsigned)turns);
        rig_drop(&rig, &client);
        CHECK_EQ_UINT(large.freed, 1);
        CHECK(rig.last_status < 0);
        rig_check_coders(&rig);
        rig_connect(&rig, &client);
        rig.request = NULL;
        rig_send(&client, ASK("gzip"));
        gale_resp_begin(rig.req, 200, &html, 1, -1);
        rig_write(rig.req, "x");
        if (turns & 1) gale_resp_abort(rig.req);
        rig_compressed(&rig, &client);
    }
}

/* --------------------------------------------------------------------------------------- files */

static int file_with(const char *text, size_t len) {
    char name[] = "/tmp/gale-compress-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len) abort();
    unlink(name);
    return fd;
}

TEST(compress_large, a_file) {
    NEEDS_GZIP;
    static const size_t sizes[] = {0, 500, 5000, 300000};
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    for (size_t i = 0; i < 4; i++) {
        const char *text = rig_prose(sizes[i]);
        rig_take(&client);
        rig_send(&client, ASK("gzip"));
        int fd = file_with(text, sizes[i]);
        CHECK_EQ_INT(gale_resp_file(rig.req, 200, &html, 1, fd, 0, -1), 0);
        CHECK(rig_until(&rig, &rig.dones, (unsigned)i + 1, 5000));
        rig_turn(&rig, 3);
        rig_answer_t a = rig_so_far(&client);
        CHECK_MSG((a.coding == GALE__GZIP) == (sizes[i] >= 1024), "%zu bytes", sizes[i]);
        CHECK(a.whole && a.body.len == sizes[i]);
        CHECK(a.body.len == sizes[i] &&
              (a.body.len == 0 || memcmp(a.body.bytes, text, a.body.len) == 0));
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

/* Without memory for an encoder a stream is plain; with some, as many are coded as there is for. */
TEST(compress_large, memory_is_bounded) {
    NEEDS_GZIP;
    enum { CLIENTS = 12 };
    rig_t rig;
    rig_client_t client[CLIENTS];
    gale_req_t *req[CLIENTS];
    int coded = 0;
    rig_init(&rig);
    rig.config.compress = GALE_CODING_GZIP;
    rig.config.coding_memory = 1400000;
    rig_open(&rig);
    for (int i = 0; i < CLIENTS; i++) {
        rig_connect(&rig, &client[i]);
        rig_send(&client[i], ASK("gzip"));
        req[i] = rig.req;
        CHECK_EQ_INT(gale_resp_begin(req[i], 200, &events, 1, -1), 0);
        rig_write(req[i], "hello");
    }
    rig_turn(&rig, 3);
    CHECK(rig.worker->coders.budget.used <= 1400000);
    for (int i = 0; i < CLIENTS; i++) {
        gale_resp_end(req[i], NULL, 0);
        rig_turn(&rig, 2);
        rig_answer_t a = rig_so_far(&client[i]);
        CHECK_EQ_STR(gale_str(a.body.bytes, a.body.len), "hello");
        coded += a.coding == GALE__GZIP;
        rig_answer_free(&a);
        rig_drop(&rig, &client[i]);
    }
    CHECK_EQ_INT(coded, 5);
    rig_check_coders(&rig);
    rig_close(&rig);
}
