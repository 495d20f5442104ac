#include "sha256.h"

#include <string.h>

enum { BLOCK = 64 };

typedef struct {
    uint32_t state[8];
    uint64_t len;
    uint8_t block[BLOCK];
} sha256_t;

static const uint32_t rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t x, unsigned by) { return x >> by | x << (32 - by); }

static void add_block(uint32_t state[8], const uint8_t block[BLOCK]) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) {
        const uint8_t *p = block + 4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t b = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    memcpy(v, state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t e = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t one = v[7] + e + choice + rounds[i] + w[i];
        uint32_t a = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
        uint32_t two = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += one;
        v[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

static void begin(sha256_t *h) {
    *h = (sha256_t){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                              0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

static void add(sha256_t *h, const void *bytes, size_t len) {
    const uint8_t *in = bytes;
    for (size_t i = 0; i < len; i++) {
        h->block[h->len++ % BLOCK] = in[i];
        if (h->len % BLOCK == 0) add_block(h->state, h->block);
    }
}

static void finish(sha256_t *h, uint8_t digest[SHA256_SIZE]) {
    uint64_t bits = h->len * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
    add(h, "\x80", 1);
    while (h->len % BLOCK != BLOCK - sizeof length) add(h, "", 1);
    add(h, length, sizeof length);
    for (int i = 0; i < SHA256_SIZE; i++) {
        digest[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t mac[SHA256_SIZE]) {
    uint8_t inner[BLOCK] = {0}, outer[BLOCK];
    sha256_t h;
    if (key_len > BLOCK) {
        begin(&h);
        add(&h, key, key_len);
        finish(&h, inner);
    } else {
        memcpy(inner, key, key_len);
    }
    for (int i = 0; i < BLOCK; i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    begin(&h);
    add(&h, inner, BLOCK);
    add(&h, bytes, len);
    finish(&h, mac);
    begin(&h);
    add(&h, outer, BLOCK);
    add(&h, mac, SHA256_SIZE);
    finish(&h, mac);
}
