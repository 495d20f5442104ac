/* The head parser for x86-64 with AVX-512 VBMI: 64 bytes a vector, and one instruction that looks all
 * of them up in a table of ASCII. Processors without VBMI but with the rest of AVX-512 take the AVX2
 * one: on some of them wide vectors slow down everything else. Chosen at run time, so that the file
 * is compiled without flags and only what stands between the pragmas uses the instructions. */
#include "http1_head_impl.h"
#include "str.h"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vbmi,bmi,bmi2"))),      \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vbmi,bmi,bmi2")
#endif

typedef struct {
    uint64_t name_ends;  /* bit i: byte i is no tchar (RFC 9110 5.6.2) */
    uint64_t value_ends; /* bit i: byte i may not stand in a field value (RFC 9110 5.5) */
} scan_t;

#define GALE__INLINE static inline __attribute__((always_inline))
#define GALE__SCANS_FEW

/* The classes of the bytes, for what is ASCII: the lookup takes no notice of a top bit. */
GALE__INLINE __m512i classes_of(__m512i bytes) {
    __m512i first = _mm512_loadu_si512(gale__char_class);
    __m512i second = _mm512_loadu_si512(gale__char_class + 64);
    return _mm512_permutex2var_epi8(first, bytes, second);
}

GALE__INLINE scan_t classify(__m512i bytes) {
    __m512i classes = classes_of(bytes);
    __mmask64 beyond_ascii = _mm512_movepi8_mask(bytes);
    __mmask64 no_token = _mm512_testn_epi8_mask(classes, _mm512_set1_epi8(GALE__TOKEN));
    __mmask64 no_field = _mm512_testn_epi8_mask(classes, _mm512_set1_epi8(GALE__FIELD));
    return (scan_t){no_token | beyond_ascii, no_field & ~beyond_ascii};
}

GALE__INLINE scan_t scan_fields(const char *p) {
    return classify(_mm512_loadu_si512(p));
}

GALE__INLINE uint64_t targets(__m512i bytes) {
    __mmask64 no_target = _mm512_testn_epi8_mask(classes_of(bytes), _mm512_set1_epi8(GALE__TARGET));
    return no_target | _mm512_movepi8_mask(bytes);
}

GALE__INLINE uint64_t scan_target(const char *p) {
    return targets(_mm512_loadu_si512(p));
}

GALE__INLINE __m512i load_few(const char *p, uint32_t count) {
    return _mm512_maskz_loadu_epi8(_bzhi_u64(~UINT64_C(0), count), p);
}

GALE__INLINE scan_t scan_few_fields(const char *p, uint32_t count) {
    scan_t s = classify(load_few(p, count));
    return (scan_t){_bzhi_u64(s.name_ends, count), _bzhi_u64(s.value_ends, count)};
}

GALE__INLINE uint64_t scan_few_target(const char *p, uint32_t count) {
    return _bzhi_u64(targets(load_few(p, count)), count);
}

#define GALE__PARSE gale__head_parse_avx512
#include "http1_head_parse.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int gale__scan_avx512_unused;
#endif
