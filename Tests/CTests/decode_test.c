/* Request bodies that come in a content coding (H1-20): how they reach the handler, and what is
 * refused. */
#include "decode.h"

#include <stdio.h>

#include "rig_coding.h"
#include "str.h"

static const gale__coding_t codings[] = {GALE__GZIP, GALE__DEFLATE, GALE__BROTLI, GALE__ZSTD};
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

static const char gzip[] = "Content-Encoding: gzip\r\n";

TEST(decode, each_coding_collected_and_streamed_H1_20) {
    static const size_t sizes[] = {1, 100, 20000, 300000}, chunks[] = {0, 1000};
    for (size_t i = 0; i < 64; i++) {
        gale__coding_t coding = codings[i % 4];
        size_t len = sizes[i / 4 % 4], chunk = chunks[i / 16 % 2];
        bool streaming = i >= 32;
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        char fields[60], length[20];
        if (!gale__coding_built(coding)) continue;
        rig_decoding(&rig, &seen, streaming);
        rig_open_client(&rig, &client);
        const char *text = rig_prose(len);
        coded_t body = rig_coded(coding, text, len);
        snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n", gale__coding_name(coding).ptr);
        CHECK_EQ_INT(rig_post(&rig, &client, fields, &body, chunk), 200);
        CHECK(rig_is(streaming ? &rig.in : &seen.body, text, len));
        CHECK(gale__eq(gale_cstr(seen.consumed), gale__coding_name(coding)));
        CHECK(seen.left[0] == '\0' && seen.has_body && seen.content_length == -1);
        snprintf(length, sizeof length, "%zu", body.len);
        CHECK(strcmp(seen.length, chunk == 0 ? length : "") == 0);
        CHECK(!streaming || (rig.lasts == 1 && seen.largest <= 16384));
        CHECK_EQ_INT(rig.last_status, GALE_OK);
        /* And the connection goes on. */
        CHECK_EQ_INT(rig_post(&rig, &client, "", &(coded_t){.bytes = "abc", .len = 3}, 0), 200);
        CHECK(rig_is(streaming ? &rig.in : &seen.body, "abc", 3) && seen.content_length == 3);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

TEST(decode, off_by_default) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    rig_decoding(&rig, &seen, false);
    rig.config.decompress = 0;
    rig_open_client(&rig, &client);
    coded_t body = rig_coded(GALE__GZIP, "hello", 5);
    CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, 0), 200);
    CHECK(rig_is(&seen.body, body.bytes, body.len));
    CHECK(strcmp(seen.left, "gzip") == 0 && seen.consumed[0] == '\0');
    CHECK_EQ_INT(seen.content_length, (int64_t)body.len);
    coded_free(&body);
    rig_decoded(&rig, &client);
}

TEST(decode, which_codings) {
    NEEDS_GZIP;
    static const struct {
        const char *fields;
        int want; /* 200 when decoded, 201 when left as it is */
    } rows[] = {
        {"Content-Encoding: gzip\r\n", 200},
        {"content-encoding: GZip\r\n", 200},
        {"Content-Encoding: x-gzip\r\n", 200},
        {"Content-Encoding: gzip,\r\n", 200},
        {"Content-Encoding: identity, gzip\r\n", 200},
        {"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n", 200},
        {"Content-Encoding: identity\r\n", 201},
        {"Content-Encoding:\r\n", 201},
        {"Content-Encoding: ,\r\n", 201},
        {"", 201},
        {"Content-Encoding: deflate\r\n", 415}, /* not on offer here */
        {"Content-Encoding: compress\r\n", 415},
        {"Content-Encoding: gzip, gzip\r\n", 415},
        {"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", 415},
        {"Content-Encoding: gzip;q=1\r\n", 415},
        {"Content-Encoding: *\r\n", 415},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int streaming = 0; streaming < 2; streaming++) {
            rig_t rig;
            rig_client_t client;
            rig_seen_t seen;
            rig_decoding(&rig, &seen, streaming);
            rig.config.decompress = GALE_CODING_GZIP;
            rig_open_client(&rig, &client);
            coded_t body = rig_coded(GALE__GZIP, "hello", 5);
            int status = rig_post(&rig, &client, rows[i].fields, &body, 0);
            gale_str_t got = rig_take(&client);
            const rig_text_t *in = streaming ? &rig.in : &seen.body;
            if (rows[i].want == 415) {
                CHECK_MSG(status == 415, "%s: %d", rows[i].fields, status);
                CHECK(rig_has(got, "Accept-Encoding: gzip\r\n") && rig.requests == 0);
                CHECK_EQ_UINT(client.closes, 1);
            } else {
                CHECK_MSG(status == 200, "%s: %d", rows[i].fields, status);
                bool decoded = rows[i].want == 200;
                CHECK(decoded ? rig_is(in, "hello", 5) : rig_is(in, body.bytes, body.len));
                CHECK(decoded == (seen.consumed[0] != '\0'));
            }
            coded_free(&body);
            rig_decoded(&rig, &client);
        }
    }
}

TEST(decode, a_415_says_what_is_accepted) {
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    coded_t body = {.bytes = "x", .len = 1};
    rig_decoding(&rig, &seen, true);
    rig_open_client(&rig, &client);
    /* Asked to wait, the client is not told to go on first. */
    CHECK_EQ_INT(
        rig_post(&rig, &client, "Expect: 100-continue\r\nContent-Encoding: lzma\r\n", &body, 0),
        415);
    gale_str_t got = rig_take(&client);
    CHECK(!rig_has(got, "100 Continue"));
    uint32_t built = gale_codings();
    CHECK(rig_has(got, built == GALE_CODING_ALL ? "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                       : built == 0             ? "Accept-Encoding: identity\r\n"
                                                : "Accept-Encoding: "));
    rig_decoded(&rig, &client);
}

TEST(decode, nobody_forges_what_was_consumed) {
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    coded_t body = {.bytes = "abc", .len = 3};
    rig_decoding(&rig, &seen, false);
    rig_open_client(&rig, &client);
    CHECK_EQ_INT(rig_post(&rig, &client,
                          "X-Consumed-Content-Encoding: br\r\nA: 1\r\n"
                          "x-consumed-content-encoding: gzip\r\n",
                          &body, 0),
                 200);
    CHECK(seen.consumed[0] == '\0' && strcmp(seen.length, "3") == 0);
    rig_decoded(&rig, &client);
}

TEST(decode, empty_bodies) {
    NEEDS_GZIP;
    for (int streaming = 0; streaming < 2; streaming++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        coded_t none = {0};
        rig_decoding(&rig, &seen, streaming);
        rig_open_client(&rig, &client);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &none, 0), 200); /* no body, so no coding */
        CHECK(!seen.has_body && strcmp(seen.left, "gzip") == 0);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &none, 5), 200);
        CHECK(seen.has_body && rig.in.len == 0 && rig.lasts == (unsigned)streaming);
        coded_t body = rig_coded(GALE__GZIP, "", 0);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, 0), 200);
        CHECK(seen.has_body && rig.in.len == 0 && rig.lasts == 2 * (unsigned)streaming);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

/* Broken, cut short, or with something behind it: 400, also when the handler has had some of it. */
TEST(decode, what_is_refused_H1_20) {
    for (size_t i = 0; i < 32; i++) {
        gale__coding_t coding = codings[i % 4];
        bool streaming = i / 4 % 2, chunked = i / 8 % 2, large = i / 16;
        if (!gale__coding_built(coding)) continue;
        for (int how = 0; how < 3; how++) {
            rig_t rig;
            rig_client_t client;
            rig_seen_t seen;
            char fields[60];
            size_t len = large ? 200000 : 300;
            rig_decoding(&rig, &seen, streaming);
            rig_open_client(&rig, &client);
            coded_t body = rig_coded(coding, rig_prose(len), len);
            if (how == 0) body.len--;
            if (how == 1) coded_add(&body, "tail", 4);
            if (how == 2) memset(body.bytes + body.len / 2, 0xff, body.len / 2);
            snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n",
                     gale__coding_name(coding).ptr);
            int status = rig_post(&rig, &client, fields, &body, chunked ? 999 : 0);
            CHECK_MSG(status == 400, "%s, %d: %d", gale__coding_name(coding).ptr, how, status);
            CHECK_EQ_UINT(rig.requests, rig.dones);
            CHECK_EQ_UINT(rig.requests, streaming);
            CHECK(!streaming || (rig.last_status == GALE_EPROTO && rig.lasts == 0));
            rig_turn(&rig, 2);
            CHECK_EQ_UINT(client.closes, 1);
            coded_free(&body);
            rig_decoded(&rig, &client);
        }
    }
}

TEST(decode, several_members_are_one_body_H1_20) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    rig_decoding(&rig, &seen, false);
    rig_open_client(&rig, &client);
    coded_t body = rig_coded(GALE__GZIP, "hello ", 6), more = rig_coded(GALE__GZIP, "world", 5);
    coded_add(&body, more.bytes, more.len);
    CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, 7), 200);
    CHECK(rig_is(&seen.body, "hello world", 11));
    coded_free(&body);
    coded_free(&more);
    rig_decoded(&rig, &client);
}

/* Advisory A29: the limit is of what comes out, and memory is bounded while it does. */
TEST(decode, limits_are_of_what_comes_out_H1_10_H1_20) {
    static const struct {
        size_t len;
        uint64_t max_body, set_max, collect;
        int want[2]; /* collected; streamed */
    } rows[] = {
        {5000, 5000, 0, 0, {200, 200}},     {5001, 5000, 0, 0, {413, 413}},
        {5000, 100, 5000, 0, {413, 200}},   {5000, 0, 4999, 0, {200, 413}},
        {5000, 0, 0, 4999, {200, 413}},     {5000, 0, 0, 5000, {200, 200}},
        {1048576, 0, 0, 0, {200, 200}},     {1048577, 0, 0, 0, {413, 413}},
        {900000, 0, 0, 900000, {200, 200}}, {900000, 0, 0, 5000, {200, 413}},
    };
    NEEDS_GZIP;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        size_t k = i / 2;
        rig_decoding(&rig, &seen, i % 2);
        rig.config.max_body_bytes = rows[k].max_body;
        if (i % 2) {
            seen.max_body = rows[k].set_max;
            seen.collect = rows[k].collect;
        }
        rig_open_client(&rig, &client);
        coded_t body = rig_coded(GALE__GZIP, rig_prose(rows[k].len), rows[k].len);
        int status = rig_post(&rig, &client, gzip, &body, k % 2 ? 0 : 3000);
        int want = rows[k].want[i % 2];
        if (rows[k].max_body == 100 && i % 2 == 0) want = 413;
        CHECK_MSG(status == want, "row %zu, %zu: %d", k, i % 2, status);
        CHECK(status == 200 || rig.requests == 0 || rig.last_status == GALE_ELIMIT);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

/* The coded bytes have the limit, too: a stream that comes to nothing is no way around it. */
TEST(decode, the_coded_bytes_count_as_well) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_seen_t seen;
    coded_t one = rig_coded(GALE__GZIP, "", 0), body = {0};
    while (body.len <= 5000) coded_add(&body, one.bytes, one.len);
    for (int chunked = 0; chunked < 2; chunked++) {
        rig_decoding(&rig, &seen, true);
        rig.config.max_body_bytes = 5000;
        rig_open_client(&rig, &client);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, chunked ? 100 : 0), 413);
        CHECK_EQ_INT(rig.last_status, GALE_ELIMIT);
        rig_decoded(&rig, &client);
    }
    coded_free(&one);
    coded_free(&body);
}

TEST(decode, a_bomb_H1_20) { /* Advisory A29 */
    size_t zeros = 8 << 20;
    char *plain = calloc(1, zeros);
    REQUIRE(plain != NULL);
    for (size_t i = 0; i < 8; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        char fields[60];
        gale__coding_t coding = codings[i % 4];
        if (!gale__coding_built(coding)) continue;
        rig_decoding(&rig, &seen, i >= 4);
        rig.config.max_body_bytes = 1 << 30;
        rig_open_client(&rig, &client);
        coded_t body = rig_coded(coding, plain, zeros);
        snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n", gale__coding_name(coding).ptr);
        CHECK_EQ_INT(rig_post(&rig, &client, fields, &body, 0), 413);
        CHECK(rig_has(rig_take(&client), "compressed too much"));
        CHECK(rig.in.len < 1 << 20);
        rig_decoded(&rig, &client);
        /* Whoever knows that his clients send such things raises the ratio. */
        rig_decoding(&rig, &seen, i >= 4);
        rig.config.max_body_bytes = 1 << 30;
        rig.config.decompress_ratio = UINT32_MAX;
        rig_open_client(&rig, &client);
        CHECK_EQ_INT(rig_post(&rig, &client, fields, &body, 0), 200);
        CHECK(rig_is(i >= 4 ? &rig.in : &seen.body, plain, zeros));
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
    free(plain);
}

/* Advisory A29, A38: that the bytes are those of many small members hides no bomb; the ratio is of
 * the body. */
TEST(decode, a_bomb_of_many_members) {
    enum { MEMBERS = 200, PLAIN = 60000 };
    static const gale__coding_t of_members[] = {GALE__GZIP, GALE__ZSTD};
    static char zeros[PLAIN];
    for (size_t i = 0; i < 4; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        char fields[60];
        gale__coding_t coding = of_members[i % 2];
        if (!gale__coding_built(coding)) continue;
        coded_t one = rig_coded(coding, zeros, PLAIN), body = {0};
        for (int k = 0; k < MEMBERS; k++) coded_add(&body, one.bytes, one.len);
        rig_decoding(&rig, &seen, i >= 2);
        rig.config.max_body_bytes = 1 << 30;
        rig_open_client(&rig, &client);
        snprintf(fields, sizeof fields, "Content-Encoding: %s\r\n", gale__coding_name(coding).ptr);
        CHECK_EQ_INT(rig_post(&rig, &client, fields, &one, 0), 200);
        CHECK_EQ_INT(rig_post(&rig, &client, fields, &body, 0), 413);
        CHECK(rig_has(rig_take(&client), "compressed too much"));
        CHECK(rig.in.len < 1 << 20);
        coded_free(&one);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}

TEST(decode, a_ratio_matters_beyond_64_kib_only) {
    NEEDS_GZIP;
    static const struct {
        size_t len;
        uint32_t ratio;
        int want;
    } rows[] = {{65536, 2, 200}, {70000, 2, 413}, {70000, 500, 413}, {70000, 1000, 200}};
    static char zeros[70000];
    for (size_t i = 0; i < 4; i++) {
        rig_t rig;
        rig_client_t client;
        rig_seen_t seen;
        rig_decoding(&rig, &seen, false);
        rig.config.decompress_ratio = rows[i].ratio;
        rig_open_client(&rig, &client);
        coded_t body = rig_coded(GALE__GZIP, zeros, rows[i].len);
        CHECK_EQ_INT(rig_post(&rig, &client, gzip, &body, 0), rows[i].want);
        coded_free(&body);
        rig_decoded(&rig, &client);
    }
}
