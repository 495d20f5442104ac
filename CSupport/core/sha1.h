/* SHA-1 (RFC 3174) and base64 (RFC 4648 4), for the WebSocket handshake only: not for secrets. */
#ifndef GALE_CORE_SHA1_H
#define GALE_CORE_SHA1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gale.h"

void gale__sha1(const void *bytes, size_t len, uint8_t out[20]);
/* Writes (len + 2) / 3 * 4 characters with padding, no NUL; gives their number. */
size_t gale__base64_encode(const void *bytes, size_t len, char *out);
/* Strict decoding with padding; out holds text.len / 4 * 3 bytes. False when malformed. */
bool gale__base64_decode(gale_str_t text, uint8_t *out, size_t *out_len);

#endif
