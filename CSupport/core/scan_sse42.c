/* The head parser for x86-64 with SSE4.2 (of which the shuffle of SSSE3 is what counts): 16 bytes a
 * vector. Chosen at run time, so that the file is compiled without flags and only what stands
 * between the pragmas uses them. */
#include "http1_head_impl.h"
#include "scan_tables.h"
#include "str.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse4.2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("sse4.2")
#endif

typedef struct {
    uint64_t name_ends;  /* bit i: byte i is no tchar (RFC 9110 5.6.2) */
    uint64_t value_ends; /* bit i: byte i may not stand in a field value (RFC 9110 5.5) */
} scan_t;

#define GALE__INLINE static inline __attribute__((always_inline))

/* Bit i: byte i shares no bit of its two table entries. A byte with the top bit set has 0 for its
 * low half. */
GALE__INLINE uint64_t not_in(__m128i bytes, __m128i low) {
    __m128i high = _mm_setr_epi8(GALE__ROWS_HIGH);
    __m128i upper = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    __m128i both = _mm_and_si128(_mm_shuffle_epi8(low, bytes), _mm_shuffle_epi8(high, upper));
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(both, _mm_setzero_si128()));
}

/* Bit i: byte i is not a control character, or is HTAB. */
GALE__INLINE uint64_t no_controls(__m128i bytes) {
    __m128i printable = _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(' ')), bytes);
    __m128i allowed = _mm_or_si128(printable, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')));
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    return (uint32_t)_mm_movemask_epi8(_mm_andnot_si128(del, allowed));
}

GALE__INLINE __m128i load16(const char *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

GALE__INLINE scan_t scan_fields(const char *p) {
    __m128i low = _mm_setr_epi8(GALE__TOKEN_LOW);
    __m128i a = load16(p), b = load16(p + 16), c = load16(p + 32), d = load16(p + 48);
    scan_t s = {
        not_in(a, low) | not_in(b, low) << 16 | not_in(c, low) << 32 | not_in(d, low) << 48,
        ~(no_controls(a) | no_controls(b) << 16 | no_controls(c) << 32 | no_controls(d) << 48)};
    return s;
}

GALE__INLINE uint64_t scan_target(const char *p) {
    __m128i low = _mm_setr_epi8(GALE__TARGET_LOW);
    return not_in(load16(p), low) | not_in(load16(p + 16), low) << 16 |
           not_in(load16(p + 32), low) << 32 | not_in(load16(p + 48), low) << 48;
}

#define GALE__PARSE gale__head_parse_sse42
#include "http1_head_parse.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int gale__scan_sse42_unused;
#endif
