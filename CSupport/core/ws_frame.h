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

/* How a frame's header is read. */
enum {
    GALE__WS_ALLOW_RSV1 = 1,
    GALE__WS_FROM_SERVER = 0x80 /* and so it has not this bit, which says that it is masked */
};

/* Reads the header of a frame. > 0: its bytes; 0: more wanted; < 0: minus the close code (1002) and
 * *error says why. Refuses RSV bits (RSV1 unless it is allowed), unknown opcodes, a client's frames
 * that are not masked and a server's that are (whose mask is 0 else), lengths not in the shortest
 * form or with the top bit, fragmented or over-long control frames. Decides at the earliest byte
 * that shows the fault. */
int gale__ws_frame_parse(gale__ws_frame_t *f, unsigned rules, const char *bytes, size_t len,
                         const char **error);
/* Writes a server's (unmasked) header, at most 10 bytes; gives its size. */
size_t gale__ws_frame_write(char *out, int opcode, bool fin, bool rsv1, uint64_t length);
/* Makes a header that was written a client's: with the mask bit, and behind it the key, for which
 * there is room. Gives its size. */
size_t gale__ws_frame_add_mask(char *head, size_t size, const uint8_t key[4]);
/* XORs in place with the key, whose byte (offset % 4) meets the first byte; vectors where there are
 * some (WS-18). */
void gale__ws_mask(char *bytes, size_t len, const uint8_t key[4], uint64_t offset);
/* Copies, and XORs on the way; the first byte with the key's first. They do not overlap. */
void gale__ws_mask_copy(char *out, gale_str_t bytes, const uint8_t key[4]);
/* Whether a close code may stand on the wire (RFC 6455 7.4). */
bool gale__ws_close_code_valid(int code);
/* Sec-WebSocket-Accept for a key: 28 bytes into out, no NUL. False when the key is not base64 of 16
 * bytes (WS-04). */
bool gale__ws_accept_key(gale_str_t key, char out[28]);

#endif
