/* SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104). A program that links a crypto library uses that
 * one. */
#ifndef CHAT_SHA256_H
#define CHAT_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

void hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t mac[SHA256_SIZE]);

#endif
