/*
 * libFuzzer target of WebSocket frames: a stream of them. Each header, given one byte more at a
 * time in exact-size memory, must come to the verdict of the whole, at the earliest byte, and
 * written anew be the same bytes; each payload must be unmasked as byte by byte, whole or cut in
 * two. Bit 0 of the first byte allows RSV1.
 */
#include <stdlib.h>
#include <string.h>

#include "ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static char *exact_copy(const char *bytes, size_t len) {
    char *copy = malloc(len > 0 ? len : 1);
    MUST(copy != NULL);
    if (len > 0) memcpy(copy, bytes, len);
    return copy;
}

static int parse_exact(gale__ws_frame_t *f, bool rsv1, const char *bytes, size_t len) {
    const char *error = NULL;
    char *copy = exact_copy(bytes, len);
    int result = gale__ws_frame_parse(f, rsv1, copy, len, &error);
    MUST((result < 0) == (error != NULL));
    MUST(result == 0 || result == -1002 || (result >= 6 && result <= 14 && (size_t)result <= len));
    free(copy);
    return result;
}

/* The verdict never changes once it is there, and falls at the header's last byte or before. */
static int parse_growing(gale__ws_frame_t *f, bool rsv1, const char *bytes, size_t len) {
    int first = 0;
    size_t most = len < 20 ? len : 20;
    for (size_t n = 0; n <= most; n++) {
        int result = parse_exact(f, rsv1, bytes, n);
        MUST(first == 0 || result == first);
        if (first == 0 && result > 0) MUST((size_t)result == n);
        first = result;
    }
    return first;
}

static void check_header(const gale__ws_frame_t *f, const char *bytes, size_t head) {
    char again[14];
    size_t len = gale__ws_frame_write(again, f->opcode, f->fin, f->rsv1, f->length);
    MUST(len + 4 == head);
    again[1] = (char)(again[1] | 0x80);
    memcpy(again + len, f->mask, 4);
    MUST(memcmp(again, bytes, head) == 0);
    MUST(f->length <= INT64_MAX && (f->opcode < 8 || (f->fin && f->length <= 125)));
}

static void check_mask(const gale__ws_frame_t *f, const char *bytes, size_t len) {
    char *whole = exact_copy(bytes, len), *cut = exact_copy(bytes, len);
    size_t at = len > 0 ? f->mask[0] % len : 0;
    uint64_t offset = f->length;
    gale__ws_mask(whole, len, f->mask, offset);
    gale__ws_mask(cut, at, f->mask, offset);
    gale__ws_mask(cut + at, len - at, f->mask, offset + at);
    for (size_t i = 0; i < len; i++) {
        MUST((uint8_t)whole[i] == ((uint8_t)bytes[i] ^ f->mask[(offset + i) % 4]));
        MUST(whole[i] == cut[i]);
    }
    free(whole);
    free(cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const char *bytes = (const char *)data + 1;
    size_t len = size - 1;
    bool rsv1 = (data[0] & 1) != 0;
    char key_out[28];
    gale__ws_accept_key(gale_str(bytes, len), key_out);
    for (size_t pos = 0; pos < len;) {
        gale__ws_frame_t f;
        int head = parse_growing(&f, rsv1, bytes + pos, len - pos);
        if (head <= 0) break;
        check_header(&f, bytes + pos, (size_t)head);
        pos += (size_t)head;
        size_t payload = f.length < len - pos ? (size_t)f.length : len - pos;
        check_mask(&f, bytes + pos, payload);
        pos += payload;
    }
    return 0;
}
