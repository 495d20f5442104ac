/* Decoding of what clients send: cut anywhere, changed anywhere, with several members, with
 * something behind the end, as a bomb; and in pieces of any size with the same result. */
#include "decoder.h"

#include "coding_feed.h"
#include "rig.h"
#include "rig_alloc.h"

static const gale__coding_t codings[] = {GALE__GZIP, GALE__DEFLATE, GALE__BROTLI, GALE__ZSTD};
enum { CODINGS = 4 };

static const char text[] = "The quick brown fox jumps over the lazy dog, and over it again: the "
                           "quick brown fox jumps over the lazy dog.";
enum { TEXT = sizeof text - 1 };

static coded_t encoded(gale__coding_t coding, const void *bytes, size_t len) {
    gale__budget_t budget = {0, SIZE_MAX};
    coded_t to = {0};
    gale__encoder_t *e = gale__encoder_new(coding, 6, &budget);
    if (e != NULL) encode_some(e, &to, bytes, len, GALE__CODER_FINISH, 4096);
    gale__encoder_free(e);
    return to;
}

/* With a decoder of its own. */
static coded_t decoded(gale__coding_t coding, const void *bytes, size_t len, size_t step,
                       size_t room, size_t limit) {
    gale__budget_t budget = {0, SIZE_MAX};
    coded_t to = {.result = GALE__CODER_NOMEM};
    gale__decoder_t *d = gale__decoder_new(coding, &budget);
    if (d == NULL) return to;
    to = decode_all(d, bytes, len, step, room, limit);
    gale__decoder_free(d);
    CHECK_EQ_UINT(budget.used, 0);
    return to;
}

static bool is_text(const coded_t *c, size_t times) {
    bool same = c->result == GALE__CODER_DONE && c->whole && c->len == times * TEXT;
    for (size_t i = 0; same && i < times; i++) same = memcmp(c->bytes + i * TEXT, text, TEXT) == 0;
    return same;
}

TEST(decoder, pieces_of_any_size) {
    static const size_t steps[] = {1, 2, 7, 1000}, rooms[] = {16, 17, 100, 65536};
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], text, TEXT);
        for (size_t i = 0; i < 16; i++) {
            coded_t back =
                decoded(codings[c], coded.bytes, coded.len, steps[i % 4], rooms[i / 4], SIZE_MAX);
            CHECK_MSG(is_text(&back, 1), "%s: %zu in, %zu out", gale__coding_name(codings[c]).ptr,
                      steps[i % 4], rooms[i / 4]);
            coded_free(&back);
        }
        coded_free(&coded);
    }
}

TEST(decoder, cut_short_it_is_not_whole_but_where_it_is_empty) {
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], text, TEXT);
        for (size_t len = 0; len < coded.len; len++) {
            coded_t back = decoded(codings[c], coded.bytes, len, 1000, 1000, SIZE_MAX);
            CHECK_MSG(back.result == GALE__CODER_DONE && back.whole == (len == 0),
                      "%s: %zu of %zu bytes: %d", gale__coding_name(codings[c]).ptr, len, coded.len,
                      back.result);
            coded_free(&back);
        }
        coded_free(&coded);
    }
}

/* With one bit turned it is refused, unfinished, the same (there are bits that mean nothing), or,
 * where the coding has no sum over the text, another text; never something without end. */
TEST(decoder, changed_anywhere) {
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], text, TEXT);
        for (size_t bit = 0; bit < coded.len * 8; bit++) {
            coded.bytes[bit / 8] ^= (char)(1 << bit % 8);
            coded_t back = decoded(codings[c], coded.bytes, coded.len, 1000, 1000, 1 << 20);
            CHECK(back.len <= 1 << 20);
            if (codings[c] == GALE__GZIP || codings[c] == GALE__DEFLATE) {
                CHECK_MSG(back.result == GALE__CODER_BAD || !back.whole || is_text(&back, 1),
                          "%s: bit %zu made another text", gale__coding_name(codings[c]).ptr, bit);
            }
            coded_free(&back);
            coded.bytes[bit / 8] ^= (char)(1 << bit % 8);
        }
        coded_free(&coded);
    }
}

/* H1-20, Advisory A38: several members are one body (RFC 1952 2.2); zstd's frames likewise (RFC 8878 3.1). The
 * others have one end. */
TEST(decoder, several_members_H1_20) {
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        bool many = codings[c] == GALE__GZIP || codings[c] == GALE__ZSTD;
        coded_t one = encoded(codings[c], text, TEXT), three = {0};
        for (int i = 0; i < 3; i++) coded_add(&three, one.bytes, one.len);
        for (size_t step = 1; step < 2 * one.len; step++) {
            coded_t back = decoded(codings[c], three.bytes, three.len, step, 50, SIZE_MAX);
            CHECK_MSG(many ? is_text(&back, 3) : back.result == GALE__CODER_BAD, "%s, by %zu",
                      gale__coding_name(codings[c]).ptr, step);
            coded_free(&back);
        }
        coded_free(&one);
        coded_free(&three);
    }
}

TEST(decoder, something_behind_the_end_is_refused) {
    static const char *const tails[] = {"x", "\037", "\037\213", "\037\213x", "hello world"};
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        for (size_t i = 0; i < 5; i++) {
            coded_t coded = encoded(codings[c], text, TEXT);
            size_t end = coded.len;
            coded_add(&coded, tails[i], strlen(tails[i]));
            for (size_t step = 1; step <= coded.len; step += end - 1) {
                coded_t back = decoded(codings[c], coded.bytes, coded.len, step, 1000, SIZE_MAX);
                CHECK_MSG(back.result == GALE__CODER_BAD || !back.whole, "%s, tail %zu by %zu",
                          gale__coding_name(codings[c]).ptr, i, step);
                coded_free(&back);
            }
            coded_free(&coded);
        }
        /* A zero byte, which gzip's own tool passes over. */
        coded_t coded = encoded(codings[c], text, TEXT);
        coded_add(&coded, "", 1);
        coded_t back = decoded(codings[c], coded.bytes, coded.len, SIZE_MAX, 1000, SIZE_MAX);
        CHECK(back.result == GALE__CODER_BAD || !back.whole);
        coded_free(&back);
        coded_free(&coded);
    }
}

TEST(decoder, other_formats_are_refused) {
    for (size_t c = 0; c < CODINGS; c++) {
        for (size_t other = 0; other < CODINGS; other++) {
            if (other == c || !gale__coding_built(codings[c])) continue;
            coded_t coded = encoded(codings[other], text, TEXT);
            coded_t back = decoded(codings[c], coded.bytes, coded.len, SIZE_MAX, 1000, SIZE_MAX);
            CHECK_MSG(coded.len == 0 || !is_text(&back, 1), "%zu taken for %zu", other, c);
            coded_free(&back);
            coded_free(&coded);
        }
    }
}

/* A bomb comes out piece by piece: the caller says when to stop, and memory stays the window's. */
TEST(decoder, a_bomb_in_pieces) {
    size_t zeros = 8 << 20;
    char *plain = calloc(1, zeros);
    REQUIRE(plain != NULL);
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], plain, zeros);
        CHECK(coded.len < zeros / 500);
        gale__budget_t budget = {0, SIZE_MAX};
        gale__decoder_t *d = gale__decoder_new(codings[c], &budget);
        REQUIRE(d != NULL);
        coded_t back = decode_all(d, coded.bytes, coded.len, SIZE_MAX, 4096, 100000);
        CHECK(back.result == GALE__CODER_FULL && back.len >= 100000 && back.len < 110000);
        CHECK_MSG(budget.used < 2 << 20, "%s holds %zu bytes", gale__coding_name(codings[c]).ptr,
                  budget.used);
        coded_free(&back);
        gale__decoder_free(d);
        coded_free(&coded);
    }
    free(plain);
}

TEST(decoder, used_again) {
    for (size_t c = 0; c < CODINGS; c++) {
        gale__budget_t budget = {0, SIZE_MAX};
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], text, TEXT);
        rig_alloc_begin(0, false);
        gale__decoder_t *d = gale__decoder_new(codings[c], &budget);
        unsigned long before = 0;
        for (int i = 0; d != NULL && i < 12; i++) {
            if (i == 4) before = rig_alloc_calls();
            size_t len = i % 3 == 0 ? coded.len / 2 : coded.len; /* left in the middle, too */
            coded_t back = decode_all(d, coded.bytes, len, 10, 50, SIZE_MAX);
            CHECK(i % 3 == 0 ? !back.whole : is_text(&back, 1));
            coded_free(&back);
            coded_t bad = decode_all(d, "\377\377garbage", 9, 9, 50, SIZE_MAX);
            coded_free(&bad);
            CHECK(gale__decoder_reset(d));
        }
        CHECK_MSG(d != NULL && rig_alloc_calls() == before, "%s: %lu allocations",
                  gale__coding_name(codings[c]).ptr, rig_alloc_calls() - before);
        gale__decoder_free(d);
        rig_alloc_end();
        coded_free(&coded);
    }
}

TEST(decoder, without_memory) {
    for (size_t c = 0; c < CODINGS; c++) {
        if (!gale__coding_built(codings[c])) continue;
        coded_t coded = encoded(codings[c], text, TEXT);
        for (unsigned long fail = 1; fail < 200; fail++) {
            gale__budget_t budget = {0, SIZE_MAX};
            coded_t back = {.result = GALE__CODER_NOMEM};
            rig_alloc_begin(fail, true);
            gale__decoder_t *d = gale__decoder_new(codings[c], &budget);
            if (d != NULL) back = decode_all(d, coded.bytes, coded.len, 20, 40, SIZE_MAX);
            bool refused = rig_alloc_refused();
            CHECK_MSG(refused ? back.result == GALE__CODER_NOMEM : is_text(&back, 1), "%s, %lu: %d",
                      gale__coding_name(codings[c]).ptr, fail, back.result);
            gale__decoder_free(d);
            rig_alloc_end();
            CHECK_EQ_UINT(budget.used, 0);
            coded_free(&back);
            if (!refused) break;
        }
        coded_free(&coded);
    }
}

/* A window is memory that a client asks for: the budget has the last word. */
TEST(decoder, a_window_larger_than_the_budget) {
    /* zstd: a frame that says its window is 8 MiB (RFC 8878 3.1.1.1.2), with a raw block. */
    static const char zstd[] = "\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x";
    /* The same with 16 MiB, which RFC 9659 forbids. */
    static const char wide[] = "\x28\xb5\x2f\xfd\x00\x70\x09\x00\x00x";
    if (!gale__coding_built(GALE__ZSTD)) return;
    gale__budget_t budget = {0, 1 << 20};
    gale__decoder_t *d = gale__decoder_new(GALE__ZSTD, &budget);
    REQUIRE(d != NULL);
    coded_t back = decode_all(d, zstd, 10, 10, 100, SIZE_MAX);
    CHECK_EQ_INT(back.result, GALE__CODER_NOMEM);
    coded_free(&back);
    gale__decoder_free(d);
    back = decoded(GALE__ZSTD, zstd, 10, 10, 100, SIZE_MAX);
    CHECK(back.result == GALE__CODER_DONE && back.whole && back.len == 1);
    coded_free(&back);
    back = decoded(GALE__ZSTD, wide, 10, 10, 100, SIZE_MAX);
    CHECK_EQ_INT(back.result, GALE__CODER_BAD);
    coded_free(&back);
}
