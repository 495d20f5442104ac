/* The loops of vector.h for x86-64 with AVX2, 32 bytes a vector. Only what stands between the
 * pragmas uses the instructions. */
#include "vector.h"

#if GALE__HAS_VECTORS_AVX2
#include <immintrin.h>

bool gale__cpu_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2");
}

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define GALE__INLINE static inline __attribute__((always_inline))

GALE__INLINE __m256i load(const char *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

GALE__INLINE void mask_one(char *p, __m256i key) {
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_xor_si256(load(p), key));
}

void gale__mask_avx2(char *bytes, size_t len, uint32_t quad) {
    const __m256i key = _mm256_set1_epi32((int)quad);
    char *p = bytes, *end = bytes + len;
    for (; end - p >= 128; p += 128) {
        mask_one(p, key);
        mask_one(p + 32, key);
        mask_one(p + 64, key);
        mask_one(p + 96, key);
    }
    for (; end - p >= 32; p += 32) mask_one(p, key);
    gale__mask_plain(p, (size_t)(end - p), quad);
}

/* The bytes that stand n in front of those of `now`. */
#define BEFORE(now, last, n)                                                                       \
    _mm256_alignr_epi8(now, _mm256_permute2x128_si256(last, now, 0x21), 16 - (n))

GALE__INLINE __m256i look_up(__m256i table, __m256i halves) {
    return _mm256_shuffle_epi8(table, halves);
}

GALE__INLINE __m256i high_half(__m256i bytes) {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
}

/* Not zero where a byte is wrong behind those in front of it. */
GALE__INLINE __m256i faults(__m256i now, __m256i last) {
    const __m256i first_high = _mm256_setr_epi8(GALE__U_FIRST_HIGH, GALE__U_FIRST_HIGH);
    const __m256i first_low = _mm256_setr_epi8(GALE__U_FIRST_LOW, GALE__U_FIRST_LOW);
    const __m256i second_high = _mm256_setr_epi8(GALE__U_SECOND_HIGH, GALE__U_SECOND_HIGH);
    __m256i one = BEFORE(now, last, 1), two = BEFORE(now, last, 2), three = BEFORE(now, last, 3);
    __m256i pair = _mm256_and_si256(
        _mm256_and_si256(look_up(first_high, high_half(one)),
                         look_up(first_low, _mm256_and_si256(one, _mm256_set1_epi8(15)))),
        look_up(second_high, high_half(now)));
    /* Third bytes follow E0-FF two before, fourth ones F0-FF three before. */
    __m256i third = _mm256_subs_epu8(two, _mm256_set1_epi8(0xe0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(three, _mm256_set1_epi8(0xf0 - 0x80));
    __m256i inner = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(pair, inner);
}

size_t gale__utf8_skip_avx2(const char *bytes, size_t len) {
    __m256i last = _mm256_setzero_si256();
    size_t i = 0;
    for (; len - i >= 64; i += 64) {
        __m256i a = load(bytes + i), b = load(bytes + i + 32);
        /* Behind a block of ASCII nothing is open. */
        if (_mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(a, b), last)) != 0) {
            __m256i wrong = _mm256_or_si256(faults(a, last), faults(b, a));
            if (!_mm256_testz_si256(wrong, wrong)) break;
        }
        last = b;
    }
    return gale__utf8_whole(bytes, i);
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
bool gale__cpu_avx2(void) {
    return false;
}
#endif
