/*
 * WebSocket frames (RFC 6455 5): headers read and written, payloads masked, close codes and the
 * handshake's key.
 *
 * A header is judged byte by byte as it comes, so that a peer which breaks the protocol is told
 * so before it has sent the frame (WS-09, WS-10). For masks see vector.h.
 */
#include "ws_frame.h"

#include <stdatomic.h>
#include <string.h>

#include "sha1.h"
#include "str.h"
#include "vector.h"

enum {
    FIN = 0x80,
    RSV1 = 0x40,
    RSV2 = 0x20,
    RSV3 = 0x10,
    OPCODE = 0x0f,
    MASKED = 0x80,
    CONTROL = 8
};
_Static_assert((int)MASKED == (int)GALE__WS_FROM_SERVER, "see gale__ws_frame_parse");

static int refuse(const char **error, const char *why) {
    *error = why;
    return -1002;
}

/* First byte: FIN, RSV1-3, opcode. Null or what is wrong with it. */
static const char *first_byte_fault(uint8_t byte, bool allow_rsv1) {
    uint8_t opcode = byte & OPCODE;
    if ((byte & (RSV2 | RSV3)) != 0) return "reserved bits set";
    bool control = opcode >= CONTROL;
    if (control ? opcode > GALE__WS_PONG : opcode > GALE__WS_BINARY) return "unknown opcode";
    /* RFC 7692 6: the bit marks the first frame of a compressed message, never a later one or a
     * control frame. */
    if ((byte & RSV1) != 0 && (!allow_rsv1 || control || opcode == GALE__WS_CONT))
        return "reserved bit set";
    if (control && (byte & FIN) == 0) return "fragmented control frame";
    return NULL;
}

/* Big-endian length of `size` bytes of which `have` are there. Null or the fault that
 * these show. */
static const char *long_length(const uint8_t *p, size_t size, size_t have, uint64_t *length) {
    uint64_t value = 0;
    for (size_t i = 0; i < have; i++) value = value << 8 | p[i];
    *length = value;
    if (size == 2) return have == 2 && value < 126 ? "length not in its shortest form" : NULL;
    if (have > 0 && (p[0] & 0x80) != 0) return "length above 2^63";
    /* Six zero bytes at the front leave less than 65536 (RFC 6455 5.2). */
    if (have >= 6 && value >> 8 * (have - 6) == 0) return "length not in its shortest form";
    return NULL;
}

int gale__ws_frame_parse(gale__ws_frame_t *f, unsigned rules, const char *bytes, size_t len,
                         const char **error) {
    const uint8_t *p = (const uint8_t *)bytes;
    const char *fault;
    if (len == 0) return 0;
    fault = first_byte_fault(p[0], (rules & GALE__WS_ALLOW_RSV1) != 0);
    if (fault != NULL) return refuse(error, fault);
    if (len == 1) return 0;
    uint8_t opcode = p[0] & OPCODE, short_length = p[1] & 0x7f;
    uint8_t masked = p[1] & MASKED;
    if (((masked ^ rules) & MASKED) == 0) { /* RFC 6455 5.1 */
        return refuse(error, masked != 0 ? "a server's frame is masked" : "frame not masked");
    }
    if (opcode >= CONTROL && short_length > 125) return refuse(error, "control frame too long");
    size_t extra = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
    uint64_t length = short_length;
    if (extra > 0) {
        size_t have = len - 2 < extra ? len - 2 : extra;
        if ((fault = long_length(p + 2, extra, have, &length)) != NULL) return refuse(error, fault);
    }
    size_t head = 2 + extra + (masked != 0 ? 4 : 0);
    if (len < head) return 0;
    f->length = length;
    if (masked != 0) {
        memcpy(f->mask, p + 2 + extra, sizeof f->mask);
    } else {
        memset(f->mask, 0, sizeof f->mask);
    }
    f->opcode = opcode;
    f->fin = (p[0] & FIN) != 0;
    f->rsv1 = (p[0] & RSV1) != 0;
    return (int)head;
}

size_t gale__ws_frame_write(char *out, int opcode, bool fin, bool rsv1, uint64_t length) {
    out[0] = (char)((fin ? FIN : 0) | (rsv1 ? RSV1 : 0) | (opcode & OPCODE));
    if (length < 126) {
        out[1] = (char)length;
        return 2;
    }
    size_t size = length < 65536 ? 2 : 8;
    out[1] = size == 2 ? 126 : 127;
    for (size_t i = 0; i < size; i++) out[2 + i] = (char)(uint8_t)(length >> 8 * (size - 1 - i));
    return 2 + size;
}

size_t gale__ws_frame_add_mask(char *head, size_t size, const uint8_t key[4]) {
    head[1] = (char)(head[1] | MASKED);
    memcpy(head + size, key, 4);
    return size + 4;
}

/* The key from `offset` on, as a word; by shifts, since bytes stored one by one and then loaded as
 * a word would stall the load for longer than a short message takes. */
static uint32_t turned(const uint8_t key[4], uint64_t offset) {
    unsigned turn = (unsigned)(offset & 3) * 8;
    uint32_t quad;
    memcpy(&quad, key, sizeof quad);
    if (turn == 0) return quad;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? quad >> turn | quad << (32 - turn)
                                                     : quad << turn | quad >> (32 - turn);
}

#if GALE__HAS_VECTORS_AVX2
typedef void (*mask_fn)(char *bytes, size_t len, uint32_t quad);
static void mask_first(char *bytes, size_t len, uint32_t quad);

/* Several threads may choose at the same time: they choose the same. */
static _Atomic(mask_fn) mask_long = mask_first;

static void mask_first(char *bytes, size_t len, uint32_t quad) {
    mask_fn fn = gale__cpu_avx2() ? gale__mask_avx2 : gale__mask_plain;
    atomic_store_explicit(&mask_long, fn, memory_order_relaxed);
    fn(bytes, len, quad);
}
#endif

void gale__ws_mask(char *bytes, size_t len, const uint8_t key[4], uint64_t offset) {
    uint32_t quad = turned(key, offset);
#if GALE__HAS_VECTORS_AVX2
    enum { LONG = 256 }; /* below it the choice costs as much as it gains */
    if (len >= LONG) {
        atomic_load_explicit(&mask_long, memory_order_relaxed)(bytes, len, quad);
        return;
    }
#endif
    gale__mask_plain(bytes, len, quad);
}

void gale__ws_mask_copy(char *out, gale_str_t bytes, const uint8_t key[4]) {
    enum { PIECE = 4096 }; /* while it is in the cache */
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        size_t n = bytes.len - at < PIECE ? bytes.len - at : PIECE;
        memcpy(out + at, bytes.ptr + at, n);
        gale__ws_mask(out + at, n, key, 0);
    }
}

bool gale__ws_close_code_valid(int code) {
    /* RFC 6455 7.4.2: 3000-4999 are of libraries and applications. Of 1000-2999 only what IANA has
     * registered for the wire: 1004 is reserved, 1005, 1006 and 1015 stand for closings without
     * such a code. */
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

bool gale__ws_accept_key(gale_str_t key, char out[28]) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
    enum { KEY = 24, GUID = sizeof guid - 1 };
    uint8_t decoded[KEY / 4 * 3], digest[20];
    size_t decoded_len;
    key = gale__trim(key);
    if (key.len != KEY || !gale__base64_decode(key, decoded, &decoded_len) || decoded_len != 16)
        return false;
    char text[KEY + GUID];
    memcpy(text, key.ptr, KEY); /* as it was sent, not as it would be encoded */
    memcpy(text + KEY, guid, GUID);
    gale__sha1(text, sizeof text, digest);
    return gale__base64_encode(digest, sizeof digest, out) == 28;
}
