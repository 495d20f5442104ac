/* The loops of vector.h for every target: with vectors of the compiler's own kind, SSE2, NEON or
 * words, whatever the target has at least. */
#include <string.h>

#include "vector.h"

typedef uint64_t vec_t __attribute__((vector_size(16)));

static void xor_vec(char *p, vec_t key) {
    vec_t v;
    memcpy(&v, p, sizeof v); /* any alignment, any type behind it */
    v ^= key;
    memcpy(p, &v, sizeof v);
}

static void xor_word(char *p, uint64_t key) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    v ^= key;
    memcpy(p, &v, sizeof v);
}

void gale__mask_plain(char *bytes, size_t len, uint32_t quad) {
    const uint64_t word = (uint64_t)quad << 32 | quad;
    const vec_t vec = {word, word};
    /* All steps but the last bytes are multiples of 4: the key stays in phase. */
    char *p = bytes, *end = bytes + len;
    for (; end - p >= 64; p += 64) {
        xor_vec(p, vec);
        xor_vec(p + 16, vec);
        xor_vec(p + 32, vec);
        xor_vec(p + 48, vec);
    }
    for (; end - p >= 8; p += 8) xor_word(p, word);
    if (end - p >= 4) {
        uint32_t last;
        memcpy(&last, p, sizeof last);
        last ^= quad;
        memcpy(p, &last, sizeof last);
        p += 4;
    }
    for (unsigned i = 0; p < end; p++, i++) {
        unsigned shift = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 8 * i : 24 - 8 * i;
        *p = (char)((uint8_t)*p ^ (uint8_t)(quad >> shift));
    }
}

/* ASCII only. */
size_t gale__utf8_skip_plain(const char *bytes, size_t len) {
    const uint64_t high = 0x8080808080808080u;
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        uint64_t w[4];
        memcpy(w, bytes + i, sizeof w);
        if (((w[0] | w[1] | w[2] | w[3]) & high) != 0) break;
    }
    for (; len - i >= 8; i += 8) {
        uint64_t w;
        memcpy(&w, bytes + i, sizeof w);
        if ((w & high) != 0) break;
    }
    return i;
}
