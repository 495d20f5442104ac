/* SHA-256 (FIPS 180-4), for the versions of static files. */
#ifndef GALE_CORE_SHA256_H
#define GALE_CORE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t h[8];
    uint64_t len; /* bytes so far */
    uint8_t block[64];
} gale__sha256_t;

void gale__sha256_init(gale__sha256_t *s);
void gale__sha256_add(gale__sha256_t *s, const void *bytes, size_t len);
void gale__sha256_end(gale__sha256_t *s, uint8_t out[32]);

#endif
