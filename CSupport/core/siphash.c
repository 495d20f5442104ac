#include "siphash.h"

#include <string.h>

typedef struct {
    uint64_t a, b, c, d;
} state_t;

static uint64_t rotate(uint64_t x, int by) {
    return x << by | x >> (64 - by);
}

static void mix(state_t *s, int rounds) {
    while (rounds-- > 0) {
        s->a += s->b;
        s->c += s->d;
        s->b = rotate(s->b, 13) ^ s->a;
        s->d = rotate(s->d, 16) ^ s->c;
        s->a = rotate(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = rotate(s->b, 17) ^ s->c;
        s->d = rotate(s->d, 21) ^ s->a;
        s->c = rotate(s->c, 32);
    }
}

static uint64_t little_endian(const unsigned char *bytes, size_t n) {
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static void take_word(state_t *s, uint64_t word) {
    s->d ^= word;
    mix(s, 2);
    s->a ^= word;
}

uint64_t gale__siphash(gale__sip_key_t key, gale_str_t bytes) {
    state_t s = {key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
                 key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, p += 8) take_word(&s, little_endian(p, 8));
    take_word(&s, (uint64_t)bytes.len << 56 | little_endian(p, left));
    s.c ^= 0xff;
    mix(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}
