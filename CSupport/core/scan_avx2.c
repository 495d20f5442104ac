/* The head parser for x86-64 with AVX2, BMI1 and BMI2: 32 bytes a vector. Chosen at run time, so
 * that the file is compiled without flags and only what stands between the pragmas uses the
 * instructions. */
#include "http1_head_impl.h"
#include "scan_tables.h"
#include "str.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif

typedef struct {
    uint64_t name_ends;  /* bit i: byte i is no tchar (RFC 9110 5.6.2) */
    uint64_t value_ends; /* bit i: byte i may not stand in a field value (RFC 9110 5.5) */
} scan_t;

#define GALE__INLINE static inline __attribute__((always_inline))

/* Bit i: byte i shares no bit of its two table entries. A byte with the top bit set has 0 for its
 * low half. */
GALE__INLINE uint32_t not_in(__m256i bytes, __m256i low, __m256i high) {
    __m256i upper = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
    __m256i both =
        _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), _mm256_shuffle_epi8(high, upper));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
}

/* Bit i: byte i is a control character other than HTAB. */
GALE__INLINE uint32_t controls(__m256i bytes) {
    __m256i space = _mm256_set1_epi8(' ');
    __m256i printable = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, space), bytes);
    __m256i allowed = _mm256_or_si256(printable, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t')));
    __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_andnot_si256(del, allowed));
}

GALE__INLINE __m256i high_rows(void) {
    return _mm256_setr_epi8(GALE__ROWS_HIGH, GALE__ROWS_HIGH);
}

GALE__INLINE scan_t scan_fields(const char *p) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    __m256i low = _mm256_setr_epi8(GALE__TOKEN_LOW, GALE__TOKEN_LOW), high = high_rows();
    scan_t s = {not_in(a, low, high) | (uint64_t)not_in(b, low, high) << 32,
                controls(a) | (uint64_t)controls(b) << 32};
    return s;
}

GALE__INLINE uint64_t scan_target(const char *p) {
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)p);
    __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
    __m256i low = _mm256_setr_epi8(GALE__TARGET_LOW, GALE__TARGET_LOW), high = high_rows();
    return not_in(a, low, high) | (uint64_t)not_in(b, low, high) << 32;
}

#define GALE__PARSE gale__head_parse_avx2
#include "http1_head_parse.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int gale__scan_avx2_unused;
#endif
