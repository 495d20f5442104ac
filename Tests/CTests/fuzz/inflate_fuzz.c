/*
 * libFuzzer target of the decoders and encoders. The first byte chooses. As coded bytes of a body
 * (gzip, zlib, br, zstd) or of a WebSocket's messages (raw deflate, each window): whole, byte by byte
 * and in random pieces the result and what comes out must be the same, and never more than was asked
 * for. As plain bytes: coded in random pieces with random flushes, and decoded, they must come back.
 */
#include <stdio.h>

#include "../coding_feed.h"
#include "../http1_feed.h"
#include "inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { LIMIT = 1 << 18, ROOM = 4096 };
static const gale__coding_t codings[] = {GALE__GZIP, GALE__DEFLATE, GALE__BROTLI, GALE__ZSTD};

/* Kept from one input to the next: what one leaves behind must not matter. */
static gale__budget_t budget = {0, 64 << 20};
static gale__decoder_t *decoders[4];
static gale__encoder_t *encoders[4];

static coded_t decode(int which, const char *bytes, size_t len, int mode, uint32_t seed) {
    if (decoders[which] == NULL) {
        decoders[which] = gale__decoder_new(codings[which], &budget);
    } else {
        MUST(gale__decoder_reset(decoders[which]));
    }
    MUST(decoders[which] != NULL);
    coded_t to = {.whole = true};
    for (size_t pos = 0; pos < len && to.result >= 0 && to.len < LIMIT;) {
        size_t n = feed_step(mode, len - pos, &seed);
        char *piece = malloc(n);
        MUST(piece != NULL);
        memcpy(piece, bytes + pos, n);
        decode_some(decoders[which], &to, piece, n, mode == FEED_BYTES ? 100 : ROOM, LIMIT);
        free(piece);
        pos += n;
    }
    MUST(to.result != GALE__CODER_NOMEM && to.len < LIMIT + ROOM);
    return to;
}

static void check_decoding(int which, const char *bytes, size_t len, uint32_t seed) {
    coded_t want = decode(which, bytes, len, FEED_WHOLE, 0);
    for (int mode = FEED_BYTES; mode <= FEED_RANDOM; mode++) {
        coded_t got = decode(which, bytes, len, mode, seed);
        bool stopped = want.len >= LIMIT || got.len >= LIMIT;
        /* libzstd compares a frame's length with what the frame says only where it has all of it. */
        bool lax = codings[which] == GALE__ZSTD && want.result < 0 && got.result >= 0;
        if (!stopped && !lax) {
            MUST((got.result < 0) == (want.result < 0) && got.whole == want.whole);
            /* How much of one that is broken or incomplete has come out depends on the pieces. */
            MUST(!want.whole || got.len == want.len);
        }
        size_t least = got.len < want.len ? got.len : want.len;
        MUST(least == 0 || memcmp(got.bytes, want.bytes, least) == 0);
        coded_free(&got);
    }
    coded_free(&want);
}

static void check_round_trip(int which, const char *bytes, size_t len, uint32_t seed) {
    if (encoders[which] == NULL) {
        encoders[which] = gale__encoder_new(codings[which], 1 + seed % 9, &budget);
    } else {
        MUST(gale__encoder_reset(encoders[which]));
    }
    MUST(encoders[which] != NULL);
    coded_t coded = {0};
    for (size_t pos = 0; pos < len;) {
        size_t n = feed_step(FEED_RANDOM, len - pos, &seed);
        int request = feed_random(&seed) % 3 == 0 ? GALE__CODER_FLUSH : GALE__CODER_RUN;
        MUST(encode_some(encoders[which], &coded, bytes + pos, n, request, 50) == 0);
        pos += n;
    }
    MUST(encode_some(encoders[which], &coded, NULL, 0, GALE__CODER_FINISH, 50) == 0);
    coded_t back = decode(which, coded.bytes, coded.len, FEED_RANDOM, seed);
    MUST(back.result == GALE__CODER_DONE && back.whole);
    MUST(len >= LIMIT || (back.len == len && (len == 0 || memcmp(back.bytes, bytes, len) == 0)));
    coded_free(&coded);
    coded_free(&back);
}

/* The bytes as messages of a WebSocket: each a piece and 00 00 ff ff. */
static void check_messages(const char *bytes, size_t len, unsigned bits, bool takeover) {
    static const char tail[] = "\0\0\377\377";
    gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, bits, &budget);
    uint32_t seed = (uint32_t)len;
    int result = GALE__CODER_DONE;
    size_t total = 0;
    MUST(i != NULL);
    for (size_t pos = 0; pos < len && result == GALE__CODER_DONE && total < LIMIT;) {
        size_t n = feed_step(FEED_RANDOM, len - pos, &seed);
        for (int part = 0; part < 2 && result == GALE__CODER_DONE; part++) {
            gale__coder_io_t io = {part == 0 ? bytes + pos : tail, part == 0 ? n : 4, NULL, 0};
            do {
                char out[300];
                io.out = out;
                io.out_len = sizeof out;
                result = gale__inflate_step(i, &io);
                total += sizeof out - io.out_len;
            } while (result == GALE__CODER_FULL && total < LIMIT);
        }
        if (!takeover) gale__inflate_reset(i);
        pos += n;
    }
    MUST(gale__inflate_bytes(i) < 64 * 1024);
    gale__inflate_free(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    uint8_t how = data[0];
    const char *bytes = (const char *)data + 1;
    uint32_t seed = (uint32_t)size * 2654435761u + how;
    switch (how / 4 % 4) {
    case 0:
    case 1:
        check_decoding(how % 4, bytes, size - 1, seed);
        break;
    case 2:
        check_round_trip(how % 4, bytes, size - 1, seed);
        break;
    default:
        check_messages(bytes, size - 1, 8 + how / 16 % 8, how & 1);
    }
    return 0;
}
