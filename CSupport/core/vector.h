/*
 * Loops over bytes that have a version for CPUs with wider registers, chosen at run time. Each has
 * a test against the plain one.
 */
#ifndef GALE_CORE_VECTOR_H
#define GALE_CORE_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#define GALE__HAS_VECTORS_AVX2 1
#elif defined(__aarch64__)
#define GALE__HAS_VECTORS_NEON 1
#endif

/* Whether the CPU that this runs on has AVX2. */
bool gale__cpu_avx2(void);

/* XORs in place with the four bytes of `quad` as they lie in memory, the first with the first. */
void gale__mask_plain(char *bytes, size_t len, uint32_t quad);
void gale__mask_avx2(char *bytes, size_t len, uint32_t quad);

/* How many bytes at the front are whole characters of UTF-8, at least all that lie in front of the
 * block with the first fault, or of the last piece of a block: what comes behind is to be looked at
 * byte by byte. */
size_t gale__utf8_skip_plain(const char *bytes, size_t len);
size_t gale__utf8_skip_avx2(const char *bytes, size_t len);
size_t gale__utf8_skip_neon(const char *bytes, size_t len);

/* `at`, or up to 3 less, where a character begins that is not whole in front of it. All before is
 * UTF-8. */
static inline size_t gale__utf8_whole(const char *bytes, size_t at) {
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        uint8_t byte = (uint8_t)bytes[at - back];
        if (byte < 0x80) break;
        if (byte < 0xc0) continue;
        size_t length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        return length > back ? at - back : at;
    }
    return at;
}

/*
 * The tables of the vector versions, after Keiser and Lemire, "Validating UTF-8 in less than one
 * instruction per byte" (2020): a bit for each way in which two neighbouring bytes can be wrong,
 * and three tables of which halves of them leave it possible. A pair is wrong where all three agree.
 * The highest bit, two continuations, is right in the third and fourth byte of a character.
 */
enum {
    GALE__U_SHORT = 1,      /* a lead, then no continuation */
    GALE__U_STRAY = 2,      /* ASCII, then a continuation */
    GALE__U_LONG3 = 4,      /* E0 80-9F: overlong */
    GALE__U_BIG = 8,        /* F4 90-BF, F5-FF 90-BF: above U+10FFFF */
    GALE__U_SURROGATE = 16, /* ED A0-BF */
    GALE__U_LONG2 = 32,     /* C0, C1 */
    GALE__U_80 = 64,        /* F0 80-8F: overlong; F5-FF 80-8F: above U+10FFFF */
    GALE__U_TWO = 128,      /* two continuations */
    GALE__U_ANY = GALE__U_SHORT | GALE__U_STRAY | GALE__U_TWO
};
#define GALE__U4(v) v, v, v, v
/* By the high half of the first byte. */
#define GALE__U_FIRST_HIGH                                                                         \
    GALE__U4(GALE__U_STRAY), GALE__U4(GALE__U_STRAY), GALE__U4((char)GALE__U_TWO),                 \
        GALE__U_SHORT | GALE__U_LONG2, GALE__U_SHORT,                                              \
        GALE__U_SHORT | GALE__U_LONG3 | GALE__U_SURROGATE,                                         \
        GALE__U_SHORT | GALE__U_BIG | GALE__U_80
/* By its low half. */
#define GALE__U_FIRST_LOW                                                                          \
    (char)(GALE__U_ANY | GALE__U_LONG3 | GALE__U_LONG2 | GALE__U_80),                              \
        (char)(GALE__U_ANY | GALE__U_LONG2), (char)GALE__U_ANY, (char)GALE__U_ANY,                 \
        (char)(GALE__U_ANY | GALE__U_BIG),                                                         \
        GALE__U4((char)(GALE__U_ANY | GALE__U_BIG | GALE__U_80)),                                  \
        GALE__U4((char)(GALE__U_ANY | GALE__U_BIG | GALE__U_80)),                                  \
        (char)(GALE__U_ANY | GALE__U_BIG | GALE__U_80 | GALE__U_SURROGATE),                        \
        (char)(GALE__U_ANY | GALE__U_BIG | GALE__U_80),                                            \
        (char)(GALE__U_ANY | GALE__U_BIG | GALE__U_80)
/* By the high half of the second. */
#define GALE__U_TAIL (GALE__U_STRAY | GALE__U_LONG2 | GALE__U_TWO)
#define GALE__U_SECOND_HIGH                                                                        \
    GALE__U4(GALE__U_SHORT), GALE__U4(GALE__U_SHORT),                                              \
        (char)(GALE__U_TAIL | GALE__U_LONG3 | GALE__U_80),                                         \
        (char)(GALE__U_TAIL | GALE__U_LONG3 | GALE__U_BIG),                                        \
        (char)(GALE__U_TAIL | GALE__U_SURROGATE | GALE__U_BIG),                                    \
        (char)(GALE__U_TAIL | GALE__U_SURROGATE | GALE__U_BIG), GALE__U4(GALE__U_SHORT)

#endif
