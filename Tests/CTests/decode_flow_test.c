/* Request bodies that come in a content coding: pauses, early answers, clients that leave, and that
 * it is the same however the bytes arrive. */
#include "decode.h"

#include <stdio.h>

#include "rig_coding.h"
#include "str.h"

static const gale__coding_t codings[] = {GALE__GZIP, GALE__DEFLATE, GALE__BROTLI, GALE__ZSTD};
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

static const char gzip[] = "Content-Encoding: gzip\r\n";

/* A handler that pauses with each piece gets the next one when it resumes, and no sooner; then the
 * request behind it has its turn. */
TEST(decode, pauses_hold_the_body_back) {
    for (size_t i = 0; i < 8; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        char fields[60];
        gale__coding_t coding = codings[i % 4];
        if (!gale__coding_built(coding)) continue;
        rig_decoding(&rig, &seen, true);
        rig.config.decompress_ratio = 10000;
        seen.pause = true;
        rig_open_client(&rig, &client);
        size_t len = 500000;
        const char *text = rig_prose(len);
        coded_t body = rig_coded(coding, text, len);
        rig_text_t all = {0};
        snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n", gale__coding_name(coding).ptr);
        rig_add_post(&all, fields, &body, i < 4 ? 0 : 2000);
        rig_text_addf(&all, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        rig_send_bytes(&client, all.text, all.len);
        unsigned rounds = 0;
        for (; rig.dones == 0 && rounds < 1000; rounds++) {
            unsigned bodies = rig.bodies;
            rig_turn(&rig, 3);
            CHECK(!seen.was_paused || rig.bodies <= bodies + 1);
            seen.was_paused = false;
            if (rig.req != NULL) gale_req_resume(rig.req);
        }
        CHECK(rounds >= len / 16384 && rounds < 1000);
        CHECK(rig_is(&rig.in, text, len));
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(rig.requests, 2);
        CHECK_EQ_UINT(rig_count(rig_take(&client), "HTTP/1.1 200"), 2);
        rig_text_free(&all);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

/* Answered in a pause, or at the first piece: the rest is thrown away, and the next request comes. */
TEST(decode, an_early_answer_discards_the_rest_H1_19) {
    NEEDS_GZIP;
    for (int i = 0; i < 8; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        rig_decoding(&rig, &seen, true);
        seen.pause = i & 1;
        seen.early = !(i & 1);
        rig_open_client(&rig, &client);
        size_t len = i & 2 ? 30000 : 600000;
        coded_t body = rig_coded(GALE__GZIP, rig_prose(len), len);
        rig_text_t all = {0};
        rig_add_post(&all, gzip, &body, i & 4 ? 2000 : 0);
        rig_text_addf(&all, "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        rig_send_bytes(&client, all.text, all.len);
        rig_turn(&rig, 3);
        CHECK_EQ_UINT(rig.bodies, 1);
        if (i & 1) {
            CHECK_EQ_UINT(rig.dones, 0);
            gale_respond_text(rig.req, 200, "in the pause");
            rig_turn(&rig, 3);
        }
        CHECK_EQ_UINT(rig.requests, 2);
        CHECK_EQ_UINT(rig.dones, 2);
        CHECK_EQ_UINT(rig.bodies, 1);
        CHECK_EQ_UINT(rig_count(rig_take(&client), "HTTP/1.1 200"), 2);
        rig_text_free(&all);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

TEST(decode, a_client_that_leaves_in_a_pause) {
    NEEDS_GZIP;
    for (int whole = 0; whole < 2; whole++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        rig_decoding(&rig, &seen, true);
        seen.pause = true;
        rig_open_client(&rig, &client);
        coded_t body = rig_coded(GALE__GZIP, rig_prose(100000), 100000);
        rig_text_t all = {0};
        rig_add_post(&all, gzip, &body, 0);
        rig_send_bytes(&client, all.text, whole ? all.len : all.len - 10);
        rig_turn(&rig, 2);
        CHECK(seen.was_paused && rig.dones == 0);
        rig_text_free(&all);
        coded_free(&body);
        rig_decoded(&rig, &client);
        CHECK_EQ_INT(rig.last_status, GALE_EGONE);
    }
}

TEST(decode, without_memory_it_is_503) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    coded_t body = rig_coded(GALE__GZIP, rig_prose(100000), 100000);
    static const uint32_t limits[] = {1000, 20000}; /* for the state; for its window as well */
    for (int i = 0; i < 4; i++) {
        rig_decoding(&rig, &seen, i & 1);
        rig.config.coding_memory = limits[i / 2];
        rig_open_client(&rig, &client);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, 0), 503);
        CHECK(rig.requests == 0 || rig.last_status == UV_ENOMEM);
        rig_decoded(&rig, &client);
    }
    coded_free(&body);
}

/* Cut at every byte, and between all of them: the same answer and the same body. */
TEST(decode, every_byte_is_a_place_to_cut) {
    static const char *const tails[] = {"", "x"};
    for (size_t i = 0; i < 32; i++) {
        gale__coding_t coding = codings[i % 4];
        if (!gale__coding_built(coding)) continue;
        bool streaming = i / 4 % 2;
        char fields[60];
        const char *text = rig_prose(400);
        coded_t body = rig_coded(coding, text, 400);
        coded_add(&body, tails[i / 16], strlen(tails[i / 16]));
        snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n", gale__coding_name(coding).ptr);
        rig_text_t all = {0};
        rig_add_post(&all, fields, &body, i / 8 % 2 ? 50 : 0);
        int status = 0;
        for (size_t cut = all.len; cut > 60; cut--) {
            rig_t rig;
            rig_client_t client;
            rig_seen_t seen;
            rig_decoding(&rig, &seen, streaming);
            rig_open_client(&rig, &client);
            size_t step = cut == 61 ? 1 : cut; /* the last round: byte by byte */
            for (size_t pos = 0; pos < all.len && client.peer != NULL; pos += step) {
                if (cut != 61 && pos > 0) step = all.len;
                rig_send_bytes(&client, all.text + pos,
                               step < all.len - pos ? step : all.len - pos);
            }
            rig_turn(&rig, 3);
            int got = rig_status_of(gale_str(client.out.text, client.out.len));
            const rig_text_t *in = streaming ? &rig.in : &seen.body;
            if (cut == all.len) status = got;
            /* Of one that is refused, any part may have come before. */
            bool same = rig_is(in, text, status == 200 ? 400 : in->len);
            CHECK_MSG(got == status && same, "%s, cut at %zu: %d, not %d", fields, cut, got,
                      status);
            rig_decoded(&rig, &client);
        }
        CHECK_EQ_INT(status, i / 16 ? 400 : 200);
        rig_text_free(&all);
        coded_free(&body);
    }
}
