/* The loop over UTF-8 of vector.h for AArch64, 16 bytes a vector. That of masks needs no version of
 * its own there: the compiler's vectors are the same. */
#include "vector.h"

#if GALE__HAS_VECTORS_NEON
#include <arm_neon.h>

static const uint8_t first_high[16] = {GALE__U_FIRST_HIGH};
static const uint8_t first_low[16] = {GALE__U_FIRST_LOW};
static const uint8_t second_high[16] = {GALE__U_SECOND_HIGH};

/* As in vector_avx2.c. */
static inline uint8x16_t faults(uint8x16_t now, uint8x16_t last) {
    uint8x16_t one = vextq_u8(last, now, 15), two = vextq_u8(last, now, 14);
    uint8x16_t three = vextq_u8(last, now, 13);
    uint8x16_t pair =
        vandq_u8(vandq_u8(vqtbl1q_u8(vld1q_u8(first_high), vshrq_n_u8(one, 4)),
                          vqtbl1q_u8(vld1q_u8(first_low), vandq_u8(one, vdupq_n_u8(15)))),
                 vqtbl1q_u8(vld1q_u8(second_high), vshrq_n_u8(now, 4)));
    uint8x16_t third = vqsubq_u8(two, vdupq_n_u8(0xe0 - 0x80));
    uint8x16_t fourth = vqsubq_u8(three, vdupq_n_u8(0xf0 - 0x80));
    return veorq_u8(pair, vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80)));
}

size_t gale__utf8_skip_neon(const char *bytes, size_t len) {
    const uint8_t *p = (const uint8_t *)bytes;
    uint8x16_t last = vdupq_n_u8(0);
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        uint8x16_t a = vld1q_u8(p + i), b = vld1q_u8(p + i + 16);
        if (vmaxvq_u8(vorrq_u8(vorrq_u8(a, b), last)) >= 0x80) {
            if (vmaxvq_u8(vorrq_u8(faults(a, last), faults(b, a))) != 0) break;
        }
        last = b;
    }
    return gale__utf8_whole(bytes, i);
}
#endif
typedef int gale__vector_neon_unused;
