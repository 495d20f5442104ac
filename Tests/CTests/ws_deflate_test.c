/* Messages compressed and inflated (RFC 7692 7.2): its own examples, both ways, all windows. */
#include "ws_deflate.h"

#include <stdlib.h>

#include "rig.h"
#if GALE_WITH_ZLIB

static gale__budget_t budget = {0, SIZE_MAX};

/* Inflates a payload of malloc's own size with `room` bytes at a time; gives the result. */
static int inflate_it(gale__inflate_t *i, gale_str_t payload, size_t room, rig_text_t *to) {
    char *copy = malloc(payload.len > 0 ? payload.len : 1), *out = malloc(room);
    size_t made;
    int result;
    if (copy == NULL || out == NULL) abort();
    if (payload.len > 0) memcpy(copy, payload.ptr, payload.len);
    gale__ws_inflating_t s = {.in = gale_str(copy, payload.len)};
    do {
        result = gale__ws_inflate_some(i, &s, out, room, &made);
        CHECK(made <= room);
        rig_text_add(to, gale_str(out, made));
    } while (result == GALE__CODER_FULL);
    free(copy);
    free(out);
    return result;
}

/* RFC 7692 7.2.3, and what senders do about the end of a stream. */
TEST(ws_deflate, payloads_in) {
    static const struct {
        gale_str_t payload;
        int result;
        const char *text;
    } rows[] = {
#define ROW(bytes, result, text) {{bytes, sizeof(bytes) - 1}, result, text}
        ROW("\xf2\x48\xcd\xc9\xc9\x07\x00", GALE__CODER_DONE, "Hello"), /* 7.2.3.1 */
        ROW("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", GALE__CODER_DONE, "Hello"), /* .3 */
        ROW("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", GALE__CODER_DONE, "Hello"),             /* .4 */
        ROW("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", GALE__CODER_DONE,
            "Hello"),                                                   /* 7.2.3.5 */
        ROW("\x00", GALE__CODER_DONE, ""),                              /* 7.2.3.6 */
        ROW("\x02\x00", GALE__CODER_DONE, ""),                          /* the same, in full */
        ROW("", GALE__CODER_DONE, ""),                                  /* less than that */
        ROW("\x01", GALE__CODER_DONE, ""),                              /* BFINAL in the tail */
        ROW("\xf3\x48\xcd\xc9\xc9\x07\x00", GALE__CODER_DONE, "Hello"), /* nothing behind it */
        ROW("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00", GALE__CODER_DONE,
            "HelloHello"), /* and another stream */
        ROW("\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00", GALE__CODER_DONE,
            "HelloHello"),
        ROW("\xf2\x00\x11\x00\x00", GALE__CODER_BAD, NULL), /* a window that is not there */
        ROW("\xf2\x48\xcd\xc9", GALE__CODER_BAD, NULL),     /* cut off */
        ROW("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", GALE__CODER_BAD, NULL), /* its tail */
        ROW("\xff\xff\xff\xff", GALE__CODER_BAD, NULL),
        ROW("\x06\x00", GALE__CODER_BAD, NULL),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t room = 1; room < 20; room += 6) {
            gale__inflate_t *d = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
            rig_text_t got = {0};
            REQUIRE(d != NULL);
            int result = inflate_it(d, rows[i].payload, room, &got);
            CHECK_MSG(result == rows[i].result, "row %zu, room %zu: %d", i, room, result);
            if (rows[i].text != NULL)
                CHECK_EQ_STRS(gale_str(got.len > 0 ? got.text : "", got.len),
                              gale_cstr(rows[i].text));
            rig_text_free(&got);
            gale__inflate_free(d);
        }
    }
}

/* The second message of RFC 7692 7.2.3.2 needs the first one's window. */
TEST(ws_deflate, takeover_in) {
    gale__inflate_t *d = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
    rig_text_t got = {0};
    REQUIRE(d != NULL);
    CHECK_EQ_INT(inflate_it(d, gale_str("\xf2\x48\xcd\xc9\xc9\x07\x00", 7), 64, &got), 0);
    CHECK_EQ_INT(inflate_it(d, gale_str("\xf2\x00\x11\x00\x00", 5), 64, &got), 0);
    CHECK_EQ_INT(inflate_it(d, gale_str("", 0), 64, &got), 0);
    CHECK_EQ_INT(inflate_it(d, gale_str("\xf2\x00\x11\x00\x00", 5), 64, &got), 0);
    CHECK_EQ_STR(gale_str(got.text, got.len), "HelloHelloHello");
    gale__inflate_free(d);
    rig_text_free(&got);
}

/* What is compressed comes out again at a receiver with a window of just that size. */
TEST(ws_deflate, round_trips_in_every_window) {
    static const size_t sizes[] = {65, 300, 4096, 50000, 5, 70000, 1};
    char *out = malloc(GALE__WS_DEFLATE_ROOM(70000));
    REQUIRE(out != NULL);
    for (unsigned bits = 9; bits <= 15; bits++) {
        for (int takeover = 0; takeover < 2; takeover++) {
            gale__deflate_t *d = gale__ws_deflate_new(bits, 6, &budget);
            gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, bits, &budget);
            REQUIRE(d != NULL && i != NULL);
            unsigned smaller = 0;
            for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
                rig_text_t text = {0}, got = {0};
                while (text.len < sizes[k]) rig_text_addf(&text, "%zu bottles of beer, ", text.len);
                gale_str_t message = gale_str(text.text, sizes[k]);
                size_t n = gale__ws_deflate_message(d, takeover, message, out);
                CHECK(n < message.len);
                if (n > 0) {
                    smaller++;
                    if (!takeover) gale__inflate_reset(i);
                    CHECK_EQ_INT(inflate_it(i, gale_str(out, n), 1000, &got), 0);
                    CHECK_EQ_STRS(gale_str(got.text, got.len), message);
                }
                rig_text_free(&text);
                rig_text_free(&got);
            }
            CHECK(smaller >= 5);
            CHECK(gale__deflate_bytes(d) <= gale__ws_deflate_cost(bits));
            CHECK(gale__inflate_bytes(i) <= gale__ws_inflate_cost(bits));
            gale__deflate_free(d);
            gale__inflate_free(i);
        }
    }
    free(out);
}

/* What does not get smaller is not sent, and the next message looks back at nothing. */
TEST(ws_deflate, what_does_not_pay) {
    char noise[3000], out[GALE__WS_DEFLATE_ROOM(3000)];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    gale__deflate_t *d = gale__ws_deflate_new(15, 6, &budget);
    gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
    rig_text_t got = {0};
    REQUIRE(d != NULL && i != NULL);
    gale_str_t text = gale_cstr("again and again and again and again");
    size_t first = gale__ws_deflate_message(d, true, text, out);
    CHECK(first > 0);
    CHECK_EQ_UINT(gale__ws_deflate_message(d, true, gale_str(noise, sizeof noise), out), 0);
    CHECK_EQ_UINT(gale__ws_deflate_message(d, true, gale_str("x", 1), out), 0);
    CHECK_EQ_UINT(gale__ws_deflate_message(d, true, text, out), first);
    CHECK_EQ_INT(inflate_it(i, gale_str(out, first), 64, &got), 0);
    CHECK_EQ_STRS(gale_str(got.text, got.len), text);
    CHECK(gale__ws_deflate_message(d, true, text, out) < first);
    gale__deflate_free(d);
    gale__inflate_free(i);
    rig_text_free(&got);
    CHECK(gale__ws_deflate_new(8, 6, &budget) == NULL);
    CHECK(gale__ws_deflate_new(16, 6, &budget) == NULL);
    CHECK_EQ_UINT(budget.used, 0);
}
#else
TEST(ws_deflate, none_without_zlib) {
    gale__budget_t budget = {0, SIZE_MAX};
    CHECK(gale__ws_deflate_new(15, 6, &budget) == NULL);
}
#endif
