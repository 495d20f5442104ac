/* The head parser for AArch64, where NEON is always there: 16 bytes a vector. */
#include "http1_head_impl.h"
#include "scan_tables.h"
#include "str.h"

#if defined(__aarch64__)
#include <arm_neon.h>

typedef struct {
    uint64_t name_ends;  /* bit i: byte i is no tchar (RFC 9110 5.6.2) */
    uint64_t value_ends; /* bit i: byte i may not stand in a field value (RFC 9110 5.5) */
} scan_t;

#define GALE__INLINE static inline __attribute__((always_inline))

static const uint8_t token_low[16] = {GALE__TOKEN_LOW};
static const uint8_t target_low[16] = {GALE__TARGET_LOW};
static const uint8_t rows_high[16] = {GALE__ROWS_HIGH};

/* NEON has no movemask: keep one bit of each byte's mask by its place, and add neighbours until 64
 * are left. */
GALE__INLINE uint64_t bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
    static const uint8_t place_bits[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                           1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bit = vld1q_u8(place_bits);
    uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
    uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
    uint8x16_t all = vpaddq_u8(ab, cd);
    all = vpaddq_u8(all, all);
    return vgetq_lane_u64(vreinterpretq_u64_u8(all), 0);
}

/* All ones where the byte's two table entries share a bit. An index above 15 gives 0, so the low
 * half is cut out and the high half of non-ASCII bytes has no row. */
GALE__INLINE uint8x16_t in(uint8x16_t bytes, uint8x16_t low) {
    uint8x16_t lower = vqtbl1q_u8(low, vandq_u8(bytes, vdupq_n_u8(15)));
    uint8x16_t upper = vqtbl1q_u8(vld1q_u8(rows_high), vshrq_n_u8(bytes, 4));
    return vtstq_u8(lower, upper);
}

/* All ones where the byte is not a control character, or is HTAB. */
GALE__INLINE uint8x16_t no_control(uint8x16_t bytes) {
    uint8x16_t printable = vcgeq_u8(bytes, vdupq_n_u8(' '));
    uint8x16_t allowed = vorrq_u8(printable, vceqq_u8(bytes, vdupq_n_u8('\t')));
    return vbicq_u8(allowed, vceqq_u8(bytes, vdupq_n_u8(0x7f)));
}

GALE__INLINE uint8x16_t load16(const char *p) {
    return vld1q_u8((const uint8_t *)p);
}

GALE__INLINE scan_t scan_fields(const char *p) {
    uint8x16_t low = vld1q_u8(token_low);
    uint8x16_t a = load16(p), b = load16(p + 16), c = load16(p + 32), d = load16(p + 48);
    scan_t s = {~bits(in(a, low), in(b, low), in(c, low), in(d, low)),
                ~bits(no_control(a), no_control(b), no_control(c), no_control(d))};
    return s;
}

GALE__INLINE uint64_t scan_target(const char *p) {
    uint8x16_t low = vld1q_u8(target_low);
    return ~bits(in(load16(p), low), in(load16(p + 16), low), in(load16(p + 32), low),
                 in(load16(p + 48), low));
}

#define GALE__PARSE gale__head_parse_neon
#include "http1_head_parse.h"
#else
typedef int gale__scan_neon_unused;
#endif
