/*
 * UTF-8 validation (RFC 3629), for text messages and close reasons of WebSocket and for paths.
 *
 * Vectors take what they can, where the CPU has them also text that is not ASCII (vector.h); the
 * rest goes through an automaton of nine states without branches. Its table has a 64-bit row for
 * each byte value: six bits for each state, namely the next state, already as the shift by which
 * the next row is to be read. So a step is one load and one shift. Invalid is a state that never
 * ends, which is why the verdict need not be looked at after each byte; the surrogates, overlong
 * forms and code points above U+10FFFF fail at their second byte, the earliest that can show it
 * (Autobahn 6.4).
 */
#include "utf8.h"

#include <stdatomic.h>

#include "vector.h"

/* States: shifts into a row. OK is 0, as gale__utf8_complete says. */
enum {
    OK = 0,
    BAD = 6,
    TAIL1 = 12,    /* one more 80-BF */
    TAIL2 = 18,    /* two more */
    TAIL3 = 24,    /* three more */
    AFTER_E0 = 30, /* A0-BF then one: below would be overlong */
    AFTER_ED = 36, /* 80-9F then one: above would be a surrogate */
    AFTER_F0 = 42, /* 90-BF then two: below would be overlong */
    AFTER_F4 = 48  /* 80-8F then two: above would exceed U+10FFFF */
};

/* To BAD from each state that a row does not name. */
#define TO(from, to) ((uint64_t)(to) << (from))
#define STILL_BAD TO(BAD, BAD)
#define NO_TAIL                                                                                    \
    (STILL_BAD | TO(TAIL1, BAD) | TO(TAIL2, BAD) | TO(TAIL3, BAD) | TO(AFTER_E0, BAD) |            \
     TO(AFTER_ED, BAD) | TO(AFTER_F0, BAD) | TO(AFTER_F4, BAD))
#define TAIL (STILL_BAD | TO(OK, BAD) | TO(TAIL1, OK) | TO(TAIL2, TAIL1) | TO(TAIL3, TAIL2))

#define ASCII (NO_TAIL | TO(OK, OK))
#define ILL (NO_TAIL | TO(OK, BAD))
#define LEAD(state) (NO_TAIL | TO(OK, state))
#define T_80                                                                                       \
    (TAIL | TO(AFTER_E0, BAD) | TO(AFTER_ED, TAIL1) | TO(AFTER_F0, BAD) | TO(AFTER_F4, TAIL2))
#define T_90                                                                                       \
    (TAIL | TO(AFTER_E0, BAD) | TO(AFTER_ED, TAIL1) | TO(AFTER_F0, TAIL2) | TO(AFTER_F4, BAD))
#define T_A0                                                                                       \
    (TAIL | TO(AFTER_E0, TAIL1) | TO(AFTER_ED, BAD) | TO(AFTER_F0, TAIL2) | TO(AFTER_F4, BAD))

#define X4(v) v, v, v, v
#define X16(v) X4(v), X4(v), X4(v), X4(v)
#define X12(v) X4(v), X4(v), X4(v)

static const uint64_t rows[256] = {
    /* 00 */ X16(ASCII),
    X16(ASCII),
    X16(ASCII),
    X16(ASCII),
    /* 40 */ X16(ASCII),
    X16(ASCII),
    X16(ASCII),
    X16(ASCII),
    /* 80 */ X16(T_80),
    X16(T_90),
    X16(T_A0),
    X16(T_A0),
    /* C0 */ ILL,
    ILL,
    LEAD(TAIL1),
    LEAD(TAIL1),
    X12(LEAD(TAIL1)),
    X16(LEAD(TAIL1)),
    /* E0 */ LEAD(AFTER_E0),
    LEAD(TAIL2),
    LEAD(TAIL2),
    LEAD(TAIL2),
    X4(LEAD(TAIL2)),
    /* E8 */ X4(LEAD(TAIL2)),
    LEAD(TAIL2),
    LEAD(AFTER_ED),
    LEAD(TAIL2),
    LEAD(TAIL2),
    /* F0 */ LEAD(AFTER_F0),
    LEAD(TAIL3),
    LEAD(TAIL3),
    LEAD(TAIL3),
    /* F4 */ LEAD(AFTER_F4),
    ILL,
    ILL,
    ILL,
    X4(ILL),
    X4(ILL)};

/* The fastest that this CPU has. */
#if GALE__HAS_VECTORS_AVX2
typedef size_t (*skip_fn)(const char *bytes, size_t len);
static size_t skip_first(const char *bytes, size_t len);

/* Several threads may choose at the same time: they choose the same. */
static _Atomic(skip_fn) skip_long = skip_first;

static size_t skip_first(const char *bytes, size_t len) {
    skip_fn fn = gale__cpu_avx2() ? gale__utf8_skip_avx2 : gale__utf8_skip_plain;
    atomic_store_explicit(&skip_long, fn, memory_order_relaxed);
    return fn(bytes, len);
}

static size_t skip(const char *bytes, size_t len) {
    size_t n = 0;
    if (len >= 128) n = atomic_load_explicit(&skip_long, memory_order_relaxed)(bytes, len);
    return n + gale__utf8_skip_plain(bytes + n, len - n); /* what is no whole block */
}
#elif GALE__HAS_VECTORS_NEON
static size_t skip(const char *bytes, size_t len) {
    size_t n = len < 64 ? 0 : gale__utf8_skip_neon(bytes, len);
    return n + gale__utf8_skip_plain(bytes + n, len - n); /* what is no whole block */
}
#else
static size_t skip(const char *bytes, size_t len) {
    return gale__utf8_skip_plain(bytes, len);
}
#endif

bool gale__utf8_next(gale__utf8_t *u, const char *bytes, size_t len) {
    uint64_t state = u->state;
    size_t i = 0;
    while (i < len) {
        if (state == OK) {
            i += skip(bytes + i, len - i);
        } else if (state == BAD) {
            break;
        }
        /* What no vector has passed: the last bytes, or a block with a fault in it. */
        size_t end = len - i < 32 ? len : i + 32;
        /* The bits above the state come along: the shift of the next step drops them
         * for nothing. */
        for (; i < end; i++) state = rows[(unsigned char)bytes[i]] >> (state & 63);
        state &= 63;
    }
    u->state = (uint32_t)state;
    return state != BAD;
}

bool gale__utf8_valid(const char *bytes, size_t len) {
    gale__utf8_t u = {OK};
    return gale__utf8_next(&u, bytes, len) && gale__utf8_complete(&u);
}
