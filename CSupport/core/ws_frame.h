/*
 * WebSocket framing (RFC 6455 5): headers in, headers out, masks. No memory, no message assembly;
 * io/ws.c does that.
 */
#ifndef GALE_CORE_WS_FRAME_H
#define GALE_CORE_WS_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum {
    GALE__WS_CONT = 0,
    GALE__WS_TEXT = 1,
    GALE__WS_BINARY = 2,
    GALE__WS_CLOSE = 8,
    GALE__WS_PING = 9,
    GALE__WS_PONG = 10
};

typedef struct {
    uint64_t length;
    uint8_t mask[4];
    uint8_t opcode;
    bool fin, rsv1;
} gale__ws_frame_t;

/* Reads the header of a client's frame. > 0: its bytes; 0: more wanted; < 0: minus the close code
 * (1002) and *error says why. Refuses RSV bits (rsv1 only when !allow_rsv1), unknown opcodes,
 * unmasked frames, lengths not in the shortest form or with the top bit, fragmented or over-long
 * control frames. Decides at the earliest byte that shows the fault. */
int gale__ws_frame_parse(gale__ws_frame_t *f, bool allow_rsv1, const char *bytes, size_t len,
                         const char **error);
/* Writes a server's (unmasked) header, at most 10 bytes; gives its size. */
size_t gale__ws_frame_write(char *out, int opcode, bool fin, bool rsv1, uint64_t length);
/* XORs in place with the key, whose byte (offset % 4) meets the first byte; vectors where there are
 * some (WS-18). */
void gale__ws_mask(char *bytes, size_t len, const uint8_t key[4], uint64_t offset);
/* Whether a close code may stand on the wire (RFC 6455 7.4). */
bool gale__ws_close_code_valid(int code);
/* Sec-WebSocket-Accept for a key: 28 bytes into out, no NUL. False when the key is not base64 of 16
 * bytes (WS-04). */
bool gale__ws_accept_key(gale_str_t key, char out[28]);

#endif
