#include "ws_deflate.h"

#include <string.h>

enum { TAIL = 4 };
/* An empty stored block, which a sender leaves away (RFC 7692 7.2.1). */
static const char tail[TAIL] = {0, 0, (char)0xff, (char)0xff};

/* zlib's own pair is 15 and 8. */
static unsigned mem_level(unsigned window_bits) {
    return window_bits - 7;
}

gale__deflate_t *gale__ws_deflate_new(unsigned window_bits, unsigned level,
                                      gale__budget_t *budget) {
    if (window_bits < 9 || window_bits > 15) return NULL;
    gale__deflate_params_t params = {.format = GALE__FORMAT_RAW,
                                     .window_bits = (uint8_t)window_bits,
                                     .mem_level = (uint8_t)mem_level(window_bits),
                                     .level = (uint8_t)level};
    return gale__deflate_new(&params, budget);
}

/* Beside what grows with the window: zlib's states and the blocks' headers. */
size_t gale__ws_deflate_cost(unsigned window_bits) {
    return ((size_t)4 << window_bits) + ((size_t)512 << mem_level(window_bits)) + 8192;
}
size_t gale__ws_inflate_cost(unsigned window_bits) {
    return ((size_t)1 << window_bits) + 8192 + 2048;
}

size_t gale__ws_deflate_message(gale__deflate_t *d, bool takeover, gale_str_t message, char *out) {
    if (!takeover) gale__deflate_reset(d);
    gale__coder_io_t io = {message.ptr, message.len, out, GALE__WS_DEFLATE_ROOM(message.len)};
    int result = gale__deflate_step(d, &io, GALE__CODER_FLUSH);
    size_t size = GALE__WS_DEFLATE_ROOM(message.len) - io.out_len;
    if (result == GALE__CODER_DONE && size > TAIL && size - TAIL < message.len) return size - TAIL;
    gale__deflate_reset(d);
    return 0;
}

/* A block with BFINAL ends a stream, and another may begin behind it (RFC 7692 7.2.3.4). Not every
 * sender puts the empty block there that ought to follow the last one. */
static bool ends_with_stream(gale__inflate_t *i, const gale__coder_io_t *io) {
    gale__inflate_reset(i);
    return io->in_len == 0;
}

int gale__ws_inflate_some(gale__inflate_t *i, gale__ws_inflating_t *s, char *out, size_t room,
                          size_t *made) {
    *made = 0;
    if (!s->begun && s->in.len == 0) return GALE__CODER_DONE;
    s->begun = true;
    gale__coder_io_t io = {s->in.ptr, s->in.len, out, room};
    int result;
    for (;;) {
        result = gale__inflate_step(i, &io);
        if (result == GALE__CODER_END) {
            if (!ends_with_stream(i, &io)) continue;
            result = GALE__CODER_DONE;
            break;
        }
        if (result != GALE__CODER_DONE) break;
        if (s->tail) {
            if (!gale__inflate_between_blocks(i)) result = GALE__CODER_BAD;
            break;
        }
        s->tail = true;
        io.in = tail;
        io.in_len = TAIL;
    }
    s->in = gale_str(io.in, io.in_len);
    *made = room - io.out_len;
    return result;
}
