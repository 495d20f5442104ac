/* Streamed responses in content codings: flushes, lengths, trailers, back-pressure. */
#include <stdio.h>

#include "rig_coding.h"

static const gale_header_t html = {{"Content-Type", 12}, {"text/html", 9}};
static const gale_header_t events = {{"Content-Type", 12}, {"text/event-stream", 17}};

#define ASK(coding) "GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: " coding "\r\n\r\n"
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

TEST(compress_stream, each_turn_can_be_read_GZ_03) {
    static const char *const asks[] = {ASK("gzip"), ASK("deflate"), ASK("br"), ASK("zstd")};
    for (int i = 0; i < 4; i++) {
        gale__coding_t coding = (gale__coding_t)(GALE__GZIP + i);
        rig_t rig;
        rig_client_t client;
        if (!gale__coding_built(coding)) continue;
        rig_compressing(&rig, &client, NULL, GALE_CODING_ALL);
        rig_send(&client, asks[i]);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 200, &events, 1, -1), 0);
        rig_text_t written = {0};
        for (int k = 0; k < 20; k++) {
            char line[40];
            snprintf(line, sizeof line, "data: %d\n\n", k * 7919);
            rig_text_add(&written, gale_cstr(line));
            rig_write(rig.req, line);
            rig_turn(&rig, 2);
            rig_answer_t a = rig_so_far(&client);
            CHECK_MSG(a.coding == coding && a.body.len == written.len &&
                          memcmp(a.body.bytes, written.text, written.len) == 0,
                      "%d: %zu of %zu bytes", k, a.body.len, written.len);
            CHECK(a.chunked && !a.whole);
            rig_answer_free(&a);
        }
        size_t quiet = client.out.len;
        rig_turn(&rig, 10); /* nothing was written: no more empty flushes */
        CHECK_EQ_UINT(client.out.len, quiet);
        CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
        rig_turn(&rig, 2);
        rig_answer_t a = rig_so_far(&client);
        CHECK(a.whole && a.body.len == written.len);
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        rig_answer_free(&a);
        rig_text_free(&written);
        rig_compressed(&rig, &client);
    }
}

static void flush_within(rig_t *rig, gale_req_t *req) {
    (void)rig;
    gale_resp_begin(req, 200, &events, 1, -1);
    rig_write(req, "one");
    CHECK(gale_resp_queued(req) > 0);
    CHECK_EQ_INT(gale_resp_flush(req), 0);
    CHECK_EQ_UINT(gale_resp_queued(req), 0);
    CHECK_EQ_INT(gale_resp_flush(req), 0); /* again: nothing to flush */
    rig_write(req, "two");
    gale_resp_end(req, NULL, 0);
}

TEST(compress_stream, a_flush_does_not_wait_for_the_callback) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig.request = flush_within;
    rig_send(&client, ASK("gzip"));
    rig_turn(&rig, 2);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole);
    CHECK_EQ_STR(gale_str(a.body.bytes, a.body.len), "onetwo");
    rig_answer_free(&a);
    /* One empty block, which is how deflate flushes, at the end of a chunk. */
    unsigned flushes = 0;
    for (size_t i = 0; i + 6 <= client.out.len; i++)
        flushes += memcmp(client.out.text + i, "\0\0\377\377\r\n", 6) == 0;
    CHECK_EQ_UINT(flushes, 1);
    rig_compressed(&rig, &client);
}

/* Written in one callback, it is not flushed in between. */
TEST(compress_stream, many_small_writes_are_one_stream) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    gale_resp_begin(rig.req, 200, &html, 1, -1);
    for (int i = 0; i < 5000; i++) rig_write(rig.req, "the same again ");
    gale_resp_end(rig.req, NULL, 0);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole && a.body.len == 5000 * 15 && a.wire < 1000);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

/* H1-16: an announced length counts what the handler writes, coded or not. */
TEST(compress_stream, an_announced_length_counts_H1_16) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    unsigned freed = 0;
    const char *text = rig_prose(2000);
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    CHECK_EQ_INT(gale_resp_begin(rig.req, 200, &html, 1, 2000), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(text, 1500)), 0);
    CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(text, 501)), GALE_ELENGTH);
    CHECK_EQ_INT(gale_resp_write_buf(rig.req, rig_buf(text, 501, &freed)), GALE_ELENGTH);
    CHECK_EQ_INT(gale_resp_write_buf(rig.req, rig_buf(text + 1500, 500, &freed)), 0);
    CHECK_EQ_UINT(freed, 2);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole && a.chunked && a.coding == GALE__GZIP && a.body.len == 2000);
    CHECK(memcmp(a.body.bytes, text, 2000) == 0);
    rig_answer_free(&a);
    /* Too few: as for a plain one. */
    rig_take(&client);
    rig_send(&client, ASK("gzip"));
    gale_resp_begin(rig.req, 200, &html, 1, 2000);
    gale_resp_write(rig.req, gale_str(text, 1999));
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), GALE_ELENGTH);
    rig_turn(&rig, 4);
    CHECK_EQ_INT(rig.last_status, GALE_ELENGTH);
    CHECK_EQ_INT(rig_status_of(rig_take(&client)), 500);
    rig_compressed(&rig, &client);
}

/* And one that the client has begun to read is cut. */
TEST(compress_stream, too_few_bytes_cut_it_H1_16) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    gale_resp_begin(rig.req, 200, &html, 1, 2000);
    rig_write(rig.req, "a");
    rig_turn(&rig, 4);
    CHECK(client.out.len > 0);
    CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), GALE_ELENGTH);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_so_far(&client);
    CHECK(!a.whole && client.closes == 1 && rig.last_status == GALE_ELENGTH);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress_stream, small_and_unknown_lengths) {
    NEEDS_GZIP;
    static const struct {
        int64_t length;
        const char *ask;
        bool coded;
    } rows[] = {
        {-1, ASK("gzip"), true},   {1023, ASK("gzip"), false}, {1024, ASK("gzip"), true},
        {-1, ASK("*;q=0"), false}, {0, ASK("gzip"), false},
    };
    rig_t rig;
    rig_client_t client;
    const char *text = rig_prose(1024);
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = rows[i].length < 0 ? 50 : (size_t)rows[i].length;
        rig_take(&client);
        rig_send(&client, rows[i].ask);
        CHECK_EQ_INT(gale_resp_begin(rig.req, 200, &html, 1, rows[i].length), 0);
        CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(text, len)), 0);
        CHECK_EQ_INT(gale_resp_end(rig.req, NULL, 0), 0);
        rig_turn(&rig, 4);
        rig_answer_t a = rig_so_far(&client);
        CHECK_MSG((a.coding == GALE__GZIP) == rows[i].coded, "row %zu", i);
        CHECK(a.whole && a.body.len == len);
        CHECK(a.chunked == (rows[i].coded || rows[i].length < 0));
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

TEST(compress_stream, trailers_follow_the_coded_body) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    gale_header_t sum = {{"Sum", 3}, {"7", 1}}, bad = {{"Host", 4}, {"7", 1}};
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    gale_resp_begin(rig.req, 200, &html, 1, -1);
    rig_write(rig.req, "hello");
    CHECK_EQ_INT(gale_resp_end(rig.req, &bad, 1), GALE_EHEADER);
    rig_write(rig.req, " world"); /* nothing has ended yet */
    CHECK_EQ_INT(gale_resp_end(rig.req, &sum, 1), 0);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole);
    CHECK_EQ_STR(gale_str(a.body.bytes, a.body.len), "hello world");
    CHECK(rig_has(gale_str(client.out.text, client.out.len), "0\r\nSum: 7\r\n\r\n"));
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress_stream, http_1_0_and_head) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, "HEAD / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    gale_resp_begin(rig.req, 200, &html, 1, 5000);
    rig_write(rig.req, "unseen");
    gale_resp_end(rig.req, NULL, 0);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_answer(rig_take(&client), true);
    CHECK(a.coding == GALE__GZIP && !a.chunked && *rig_field(&a, "Content-Length") == '\0');
    CHECK(strcmp(rig_field(&a, "Vary"), "Accept-Encoding") == 0);
    rig_answer_free(&a);
    rig_send(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n");
    const char *text = rig_prose(5000);
    gale_resp_begin(rig.req, 200, &html, 1, 5000);
    gale_resp_write(rig.req, gale_str(text, 5000));
    gale_resp_end(rig.req, NULL, 0);
    rig_turn(&rig, 4);
    a = rig_answer(rig_take(&client), false); /* a known length keeps the connection */
    CHECK(a.coding == GALE__IDENTITY && a.body.len == 5000 && client.closes == 0);
    rig_answer_free(&a);
    rig_send(&client, "GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    gale_resp_begin(rig.req, 200, &html, 1, -1);
    gale_resp_write(rig.req, gale_str(text, 5000));
    gale_resp_end(rig.req, NULL, 0);
    rig_turn(&rig, 4);
    a = rig_answer(rig_take(&client), false);
    CHECK(a.coding == GALE__GZIP && a.whole && !a.chunked && a.body.len == 5000);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

/* Back-pressure counts what waits for the client: coded bytes. */
TEST(compress_stream, back_pressure_is_of_coded_bytes) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_compressing(&rig, &client, NULL, GALE_CODING_GZIP);
    rig_send(&client, ASK("gzip"));
    gale_peer_stall(client.peer, true);
    gale_resp_begin(rig.req, 200, &html, 1, -1);
    static char zeros[100000];
    for (int i = 0; i < 20; i++) /* 2 MB that are 2 KB */
        CHECK_EQ_INT(gale_resp_write(rig.req, gale_str(zeros, sizeof zeros)), 0);
    rig_turn(&rig, 3);
    CHECK(gale_resp_queued(rig.req) < 10000);
    int full = 0;
    for (int i = 0; i < 1000 && full == 0; i++)
        full = gale_resp_write(rig.req, gale_str(rig_pattern(100000) + i, 99000));
    rig_turn(&rig, 3);
    CHECK_EQ_INT(full, 1);
    CHECK_EQ_UINT(rig.drains, 0);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 20);
    CHECK_EQ_UINT(rig.drains, 1);
    CHECK_EQ_UINT(gale_resp_queued(rig.req), 0);
    gale_resp_end(rig.req, NULL, 0);
    rig_turn(&rig, 4);
    rig_answer_t a = rig_so_far(&client);
    CHECK(a.whole && a.body.len > 2000000);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

/* A client that is behind sees no flushes now, and everything as soon as it has caught up. */
TEST(compress_stream, a_slow_client_catches_up) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_init(&rig);
    rig.config.compress = GALE_CODING_GZIP;
    rig.config.write_low_water = 10;
    rig_open(&rig);
    rig_connect(&rig, &client);
    rig_send(&client, ASK("gzip"));
    gale_resp_begin(rig.req, 200, &events, 1, -1);
    rig_write(rig.req, "first ");
    rig_turn(&rig, 2);
    gale_peer_stall(client.peer, true);
    rig_write(rig.req, "second ");
    rig_turn(&rig, 2);
    size_t queued = gale_resp_queued(rig.req);
    CHECK(queued > 10);
    rig_write(rig.req, "third ");
    rig_turn(&rig, 2);
    CHECK_EQ_UINT(gale_resp_queued(rig.req), queued);
    gale_peer_stall(client.peer, false);
    rig_turn(&rig, 3);
    rig_answer_t a = rig_so_far(&client);
    CHECK_EQ_STR(gale_str(a.body.bytes, a.body.len), "first second third ");
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}
