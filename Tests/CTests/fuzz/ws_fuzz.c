/*
 * libFuzzer target of a WebSocket: the input is what a client sends, as frames: a first byte, a
 * length of one byte (255: two more), the payload; 0xff as first byte: the rest as it is. It is
 * sent whole and in pieces: the handler must see the same. What the server sends must be frames
 * that a client with a window as agreed on can read, and be what the handler sent. The first byte
 * chooses the configuration.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "ws_coders.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { LIMIT = 20000 };

typedef struct {
    char *bytes;
    size_t len;
} text_t;

static void add(text_t *t, const void *bytes, size_t len) {
    if (len == 0) return;
    t->bytes = realloc(t->bytes, t->len + len);
    MUST(t->bytes != NULL);
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static void clear(text_t *t) {
    free(t->bytes);
    *t = (text_t){0};
}

typedef struct {
    gale_ws_t *ws;
    text_t seen; /* by the handler */
    text_t sent; /* messages it has echoed, one behind the other */
    text_t got;  /* by the client */
    unsigned closes, leaves;
    int code;
} play_t;

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    play_t *p = data;
    char line[40];
    MUST(p->closes == 0 && bytes.len <= LIMIT && (kind == GALE_WS_TEXT || kind == GALE_WS_BINARY));
    add(&p->seen, line, (size_t)snprintf(line, sizeof line, "M%d %zu ", kind, bytes.len));
    add(&p->seen, bytes.ptr, bytes.len);
    if (gale_ws_send(ws, kind, bytes) >= 0) add(&p->sent, bytes.ptr, bytes.len);
}

static void on_ping(gale_ws_t *ws, gale_str_t payload, void *data) {
    play_t *p = data;
    add(&p->seen, "P", 1);
    add(&p->seen, payload.ptr, payload.len);
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    play_t *p = data;
    p->closes++;
    p->code = code;
    add(&p->seen, "C", 1);
    add(&p->seen, reason.ptr, reason.len);
    p->ws = NULL;
}

static void on_request(gale_req_t *req, void *data) {
    gale_ws_handler_t h = gale_ws_handler();
    h.on_message = on_message;
    h.on_ping = on_ping;
    h.on_close = on_close;
    MUST(gale_ws_accept(req, &h, data, NULL, 0, &((play_t *)data)->ws) == 0);
}

static void peer_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    add(&((play_t *)data)->got, bytes.ptr, bytes.len);
}

static void peer_closed(gale_peer_t *peer, void *data) {
    ((play_t *)data)->leaves++;
}

/* ----------------------------------------------------------------------------- the client's side */

static text_t framed(const uint8_t *data, size_t size) {
    text_t out = {0};
    for (size_t at = 0; at + 1 < size;) {
        uint8_t first = data[at++];
        if (first == 0xff) {
            add(&out, data + at, size - at);
            break;
        }
        size_t len = data[at++];
        if (len == 255 && at + 1 < size) {
            len = (size_t)data[at] << 8 | data[at + 1];
            at += 2;
        }
        if (len > size - at) len = size - at;
        uint8_t head[8] = {first, (uint8_t)(0x80 | len)};
        size_t n = 2;
        if (len >= 126) {
            head[1] = 0x80 | 126;
            head[n++] = (uint8_t)(len >> 8);
            head[n++] = (uint8_t)len;
        }
        add(&out, head, n + 4); /* a key of zeros */
        add(&out, data + at, len);
        at += len;
    }
    return out;
}

static void inflate_one(gale__inflate_t *i, gale_str_t payload, text_t *to) {
    char out[1000];
    size_t made;
    int result;
    gale__ws_inflating_t s = {.in = payload};
    do {
        result = gale__ws_inflate_some(i, &s, out, sizeof out, &made);
        add(to, out, made);
    } while (result == GALE__CODER_FULL);
    MUST(result == GALE__CODER_DONE);
}

/* Reads what came as a client would: messages behind one another, and the close code. */
static void read_all(const play_t *p, bool takeover, unsigned bits) {
    static gale__budget_t budget = {0, SIZE_MAX};
    gale__inflate_t *i = gale__inflate_new(GALE__FORMAT_RAW, bits, &budget);
    size_t head = 0;
    while (head + 4 < p->got.len && memcmp(p->got.bytes + head, "\r\n\r\n", 4) != 0) head++;
    text_t messages = {0};
    MUST(i != NULL && head + 4 <= p->got.len);
    const uint8_t *b = (const uint8_t *)p->got.bytes + head + 4,
                  *end = (const uint8_t *)p->got.bytes + p->got.len;
    int closed = 0;
    while (b < end) {
        MUST(end - b >= 2 && (b[0] & 0xb0) == 0x80 && (b[1] & 0x80) == 0 && closed == 0);
        size_t n = b[1] < 126 ? 2 : b[1] == 126 ? 4 : 10, len = n == 2 ? b[1] : 0;
        MUST((size_t)(end - b) >= n);
        for (size_t k = 2; k < n; k++) len = len << 8 | b[k];
        MUST((size_t)(end - b) - n >= len);
        gale_str_t payload = gale_str((const char *)b + n, len);
        if ((b[0] & 0x40) != 0) {
            MUST((b[0] & 15) == 1 || (b[0] & 15) == 2);
            if (!takeover) gale__inflate_reset(i);
            inflate_one(i, payload, &messages);
        } else if ((b[0] & 15) < 8) {
            add(&messages, payload.ptr, payload.len);
        } else if ((b[0] & 15) == 8) {
            closed = len >= 2 ? b[n] << 8 | b[n + 1] : 1005;
        }
        b += n + len;
    }
    MUST(messages.len == p->sent.len);
    MUST(messages.len == 0 || memcmp(messages.bytes, p->sent.bytes, messages.len) == 0);
    MUST(p->code == 1006 || closed == p->code); /* never without a word */
    clear(&messages);
    gale__inflate_free(i);
}

/* -------------------------------------------------------------------------------------- running */

static gale_server_t *open_server(uv_loop_t *loop, uint8_t how, play_t *p) {
    gale_config_t c = gale_config();
    gale_handler_t h = gale_handler();
    gale_server_t *s;
    c.ws_max_message_bytes = LIMIT;
    c.ws_deflate = how % 3;
    c.ws_deflate_min_bytes = 1;
    c.ws_deflate_window_bits = how & 4 ? 9 : 0;
    h.on_request = on_request;
    MUST(uv_loop_init(loop) == 0);
    MUST(gale_server_new(&s, &c) == 0 && gale_server_handle(s, &h, p) == 0);
    MUST(gale_server_attach(s, loop) == 0);
    return s;
}

static void turn(uv_loop_t *loop, const play_t *p) {
    for (int k = 0; k < 8 && p->leaves == 0; k++) uv_run(loop, UV_RUN_NOWAIT);
}

static play_t play(uint8_t how, const text_t *input, size_t step) {
    static const char upgrade[] =
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    play_t p = {0};
    uv_loop_t loop;
    gale_peer_t *peer;
    gale_peer_handler_t ph = {
        .struct_size = sizeof ph, .on_data = peer_data, .on_close = peer_closed};
    gale_server_t *s = open_server(&loop, how, &p);
    MUST(gale_peer_open(gale_server_worker(s, 0), &ph, &p, &peer) == 0);
    gale_peer_send(peer, gale_cstr(upgrade));
    MUST(p.ws != NULL);
    for (size_t at = 0; at < input->len && p.leaves == 0; at += step) {
        size_t n = step < input->len - at ? step : input->len - at;
        gale_peer_send(peer, gale_str(input->bytes + at, n));
        if (step > 64) turn(&loop, &p);
    }
    turn(&loop, &p);
    if (p.leaves == 0) gale_peer_close(peer);
    for (int k = 0; k < 50 && p.leaves == 0; k++) uv_run(&loop, UV_RUN_NOWAIT);
    MUST(p.leaves == 1 && p.closes == 1);
    gale_server_free(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    MUST(uv_loop_close(&loop) == 0);
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    uint8_t how = data[0];
    text_t input = framed(data + 1, size - 1);
    play_t whole = play(how, &input, input.len > 0 ? input.len : 1);
    play_t pieces = play(how, &input, 1 + (how >> 3) % 7 * 3);
    MUST(whole.seen.len == pieces.seen.len && whole.code == pieces.code);
    MUST(memcmp(whole.seen.bytes, pieces.seen.bytes, whole.seen.len) == 0);
    bool takeover = how % 3 == 2;
    read_all(&whole, takeover, how & 4 ? 9 : takeover ? 12 : 15);
    read_all(&pieces, takeover, how & 4 ? 9 : takeover ? 12 : 15);
    clear(&input);
    for (int k = 0; k < 2; k++) {
        play_t *p = k == 0 ? &whole : &pieces;
        clear(&p->seen);
        clear(&p->sent);
        clear(&p->got);
    }
    return 0;
}
