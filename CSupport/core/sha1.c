/*
 * SHA-1 (RFC 3174, FIPS 180-4) and base64 (RFC 4648 4) for Sec-WebSocket-Accept (RFC 6455 4.2.2).
 *
 * SHA-1 is broken for signatures; here it only shows that the server speaks WebSocket. It runs once
 * a handshake on 60 bytes, so it is short rather than fast, and a build without OpenSSL has
 * WebSockets all the same.
 */
#include "sha1.h"

#include <string.h>

static uint32_t rotate_left(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

static uint32_t load_be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void sha1_block(uint32_t h[5], const uint8_t *block) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++) w[i] = load_be32(block + (size_t)i * 4);
    for (int i = 16; i < 80; i++)
        w[i] = rotate_left(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20) {
            f = (b & c) | (~b & d);
            k = 0x5a827999;
        } else if (i < 40) {
            f = b ^ c ^ d;
            k = 0x6ed9eba1;
        } else if (i < 60) {
            f = (b & c) | (b & d) | (c & d);
            k = 0x8f1bbcdc;
        } else {
            f = b ^ c ^ d;
            k = 0xca62c1d6;
        }
        uint32_t t = rotate_left(a, 5) + f + e + k + w[i];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = t;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void gale__sha1(const void *bytes, size_t len, uint8_t out[20]) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *p = bytes;
    size_t rest = len;
    for (; rest >= 64; rest -= 64, p += 64) sha1_block(h, p);
    /* The end: a 1 bit, zeros, and the length in bits, in one block or, when that has no room for
     * it, two. */
    uint8_t tail[128] = {0};
    if (rest > 0) memcpy(tail, p, rest);
    tail[rest] = 0x80;
    size_t tail_len = rest < 56 ? 64 : 128;
    uint64_t bits = (uint64_t)len * 8;
    for (size_t i = 0; i < 8; i++) tail[tail_len - 1 - i] = (uint8_t)(bits >> 8 * i);
    sha1_block(h, tail);
    if (tail_len == 128) sha1_block(h, tail + 64);
    for (size_t i = 0; i < 20; i++) out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t gale__base64_encode(const void *bytes, size_t len, char *out) {
    const uint8_t *p = bytes;
    char *o = out;
    for (; len >= 3; len -= 3, p += 3, o += 4) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        o[0] = alphabet[v >> 18];
        o[1] = alphabet[v >> 12 & 63];
        o[2] = alphabet[v >> 6 & 63];
        o[3] = alphabet[v & 63];
    }
    if (len > 0) {
        uint32_t v = (uint32_t)p[0] << 16 | (len == 2 ? (uint32_t)p[1] << 8 : 0);
        o[0] = alphabet[v >> 18];
        o[1] = alphabet[v >> 12 & 63];
        o[2] = len == 2 ? alphabet[v >> 6 & 63] : '=';
        o[3] = '=';
        o += 4;
    }
    return (size_t)(o - out);
}

/* Value of a character of the alphabet, or -1. */
static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bits of the last character that stand for no byte need not be zero: the sample key of RFC
 * 6455 4.1, "AQIDBAUGBwgJCgsMDQ4PEC==", has such bits, and clients that copied it exist. */
bool gale__base64_decode(gale_str_t text, uint8_t *out, size_t *out_len) {
    if (text.len % 4 != 0) return false;
    size_t padding = 0;
    if (text.len > 0 && text.ptr[text.len - 1] == '=')
        padding = 1 + (text.ptr[text.len - 2] == '=');
    uint8_t *o = out;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t chars = i + 4 == text.len ? 4 - padding : 4;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < chars ? base64_value(text.ptr[i + k]) : 0;
            if (value < 0) return false;
            v = v << 6 | (uint32_t)value;
        }
        *o++ = (uint8_t)(v >> 16);
        if (chars > 2) *o++ = (uint8_t)(v >> 8);
        if (chars > 3) *o++ = (uint8_t)v;
    }
    *out_len = (size_t)(o - out);
    return true;
}
