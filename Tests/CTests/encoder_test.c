/* Every coding that is built in, there and back: levels, sizes, pieces, flushes, reuse, memory. */
#include "encoder.h"

#include <stdio.h>

#include "coding_feed.h"
#include "rig.h"
#include "rig_alloc.h"

static const gale__coding_t codings[] = {GALE__GZIP, GALE__DEFLATE, GALE__BROTLI, GALE__ZSTD};
enum { CODINGS = 4 };

static const char *name_of(gale__coding_t coding) {
    return gale__coding_name(coding).ptr;
}

/* Text that compresses, with pieces that don't. */
static char *text_of(size_t len) {
    char *text = malloc(len + 1);
    uint32_t random = 1;
    if (text == NULL) abort();
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525u + 1013904223u;
        text[i] =
            i % 4096 < 3500 ? "{\"name\": \"value\", \"n\": 17}, "[i % 28] : (char)(random >> 24);
    }
    return text;
}

/* Decodes and compares. */
static void check_is(gale__coding_t coding, const coded_t *coded, const char *text, size_t len) {
    gale__budget_t budget = {0, SIZE_MAX};
    gale__decoder_t *d = gale__decoder_new(coding, &budget);
    if (d == NULL) {
        CHECK_MSG(false, "%s: no decoder", name_of(coding));
        return;
    }
    coded_t back = decode_all(d, coded->bytes, coded->len, 4096, 4096, SIZE_MAX);
    CHECK_MSG(back.result == GALE__CODER_DONE && back.whole, "%s: %d", name_of(coding),
              back.result);
    CHECK_MSG(back.len == len && (len == 0 || memcmp(back.bytes, text, len) == 0),
              "%s: %zu bytes came back as %zu", name_of(coding), len, back.len);
    coded_free(&back);
    gale__decoder_free(d);
    CHECK_EQ_UINT(budget.used, 0);
}

static const size_t sizes[] = {0, 1, 100, 5000, 200000};

static void there_and_back(gale__coding_t coding, unsigned level, size_t step, size_t room) {
    gale__budget_t budget = {0, SIZE_MAX};
    gale__encoder_t *e = gale__encoder_new(coding, level, &budget);
    REQUIRE(e != NULL);
    for (size_t i = 0; i < 5; i++) { /* one encoder for all: a reset lies between */
        char *text = text_of(sizes[i]);
        coded_t coded = {0};
        for (size_t pos = 0; pos < sizes[i]; pos += step) {
            size_t n = step < sizes[i] - pos ? step : sizes[i] - pos;
            CHECK_EQ_INT(encode_some(e, &coded, text + pos, n, GALE__CODER_RUN, room), 0);
        }
        CHECK_EQ_INT(encode_some(e, &coded, NULL, 0, GALE__CODER_FINISH, room), 0);
        CHECK(sizes[i] < 5000 || coded.len < sizes[i] / 2);
        check_is(coding, &coded, text, sizes[i]);
        coded_free(&coded);
        free(text);
        CHECK(gale__encoder_reset(e));
    }
    CHECK(gale__encoder_bytes(e) >= budget.used && budget.used > 0);
    gale__encoder_free(e);
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(encoder, there_and_back) {
    static const size_t steps[][2] = {{SIZE_MAX, 65536}, {1000, 16}, {1, 100}};
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        for (unsigned level = 1; level <= 9; level++) there_and_back(codings[c], level, 3000, 2000);
        for (size_t s = 0; s < 3; s++) there_and_back(codings[c], 6, steps[s][0], steps[s][1]);
    }
}

TEST(encoder, identity_is_none_and_every_build_says_what_it_has) {
    gale__budget_t budget = {0, SIZE_MAX};
    CHECK(!gale__coding_built(GALE__IDENTITY));
    CHECK(gale__encoder_new(GALE__IDENTITY, 6, &budget) == NULL);
    CHECK(gale__coding_built(GALE__GZIP) == gale__coding_built(GALE__DEFLATE));
#if GALE_WITH_ZLIB
    CHECK(gale__coding_built(GALE__GZIP));
#else
    CHECK(gale__encoder_new(GALE__GZIP, 6, &budget) == NULL);
#endif
#if GALE_WITH_BROTLI
    CHECK(gale__coding_built(GALE__BROTLI));
#else
    CHECK(gale__encoder_new(GALE__BROTLI, 6, &budget) == NULL);
#endif
#if GALE_WITH_ZSTD
    CHECK(gale__coding_built(GALE__ZSTD));
#else
    CHECK(gale__encoder_new(GALE__ZSTD, 6, &budget) == NULL);
#endif
}

/* GZ-03: what was written before a flush can be read without what comes behind it. */
TEST(encoder, a_flush_makes_all_before_it_readable_GZ_03) {
    for (size_t c = 0; c < CODINGS; c++) {
        gale__budget_t budget = {0, SIZE_MAX};
        if (!gale__coding_built(codings[c])) continue;
        gale__encoder_t *e = gale__encoder_new(codings[c], 6, &budget);
        gale__decoder_t *d = gale__decoder_new(codings[c], &budget);
        REQUIRE(e != NULL && d != NULL);
        coded_t back = {0};
        size_t written = 0;
        char line[32];
        for (int i = 0; i < 50; i++) {
            coded_t coded = {0};
            size_t n = (size_t)snprintf(line, sizeof line, "data: event %d\n\n", i);
            encode_some(e, &coded, line, n, GALE__CODER_RUN, 64);
            CHECK_EQ_INT(encode_some(e, &coded, NULL, 0, GALE__CODER_FLUSH, 64), 0);
            written += n;
            CHECK_EQ_INT(decode_some(d, &back, coded.bytes, coded.len, 64, SIZE_MAX), 0);
            CHECK_MSG(back.len == written, "%s: %zu of %zu bytes after flush %d",
                      name_of(codings[c]), back.len, written, i);
            CHECK(!back.whole);
            coded_free(&coded);
        }
        coded_free(&back);
        gale__encoder_free(e);
        gale__decoder_free(d);
    }
}

/* Used again and again, nothing more is allocated (zstd allocates by itself). */
TEST(encoder, reuse_allocates_nothing) {
    char *text = text_of(20000);
    for (size_t c = 0; c < CODINGS; c++) {
        gale__budget_t budget = {0, SIZE_MAX};
        if (!gale__coding_built(codings[c])) continue;
        rig_alloc_begin(0, false);
        gale__encoder_t *e = gale__encoder_new(codings[c], 6, &budget);
        unsigned long before = 0;
        for (int i = 0; e != NULL && i < 20; i++) {
            coded_t coded = {0};
            if (i == 3) before = rig_alloc_calls();
            encode_some(e, &coded, text, 20000, GALE__CODER_RUN, 4096);
            CHECK_EQ_INT(encode_some(e, &coded, NULL, 0, GALE__CODER_FINISH, 4096), 0);
            coded_free(&coded);
            CHECK(gale__encoder_reset(e));
        }
        CHECK_MSG(e != NULL && rig_alloc_calls() == before, "%s: %lu allocations",
                  name_of(codings[c]), rig_alloc_calls() - before);
        gale__encoder_free(e);
        rig_alloc_end();
    }
    free(text);
}

/* Each allocation refused in turn: an error, no crash, no leak. */
TEST(encoder, without_memory) {
    char *text = text_of(20000);
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        for (unsigned long fail = 1; fail < 200; fail++) {
            gale__budget_t budget = {0, SIZE_MAX};
            coded_t coded = {0};
            rig_alloc_begin(fail, true);
            gale__encoder_t *e = gale__encoder_new(codings[c], 6, &budget);
            int result = GALE__CODER_NOMEM;
            if (e != NULL) {
                result = encode_some(e, &coded, text, 20000, GALE__CODER_FINISH, 4096);
            }
            bool refused = rig_alloc_refused();
            CHECK_MSG(refused == (result < 0), "%s, %lu: %d", name_of(codings[c]), fail, result);
            gale__encoder_free(e);
            rig_alloc_end();
            CHECK_EQ_UINT(budget.used, 0);
            coded_free(&coded);
            if (!refused) break;
        }
    }
    free(text);
}

TEST(encoder, a_spent_budget_is_no_memory) {
    for (size_t c = 0; c < CODINGS; c++) {
        gale__budget_t budget = {0, 1000};
        CHECK(gale__encoder_new(codings[c], 6, &budget) == NULL || codings[c] == GALE__BROTLI ||
              !"an encoder in 1000 bytes");
        CHECK(codings[c] == GALE__BROTLI || budget.used == 0);
    }
}
