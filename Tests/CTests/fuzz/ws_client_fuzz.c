/*
 * libFuzzer target of a WebSocket that this process opens: the input is what the server says. The
 * first byte chooses whether the right answer to the handshake goes before it, what is offered, and
 * in how many pieces it comes. Whatever it is, on_close comes once, behind everything else; what the
 * client sends are masked frames.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "gale.h"
#include "ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { ANSWERED = 1, DEFLATE = 2, PIECES = 4, REDIRECTS = 8, LIMIT = 20000 };

static uv_loop_t loop;
static gale_server_t *server;
static int listener;
static char url[64];
static unsigned opens, closes;
static char got[65536];
static size_t got_len;

static void on_request(gale_req_t *req, void *data) {
    (void)data;
    gale_resp_abort(req);
}

static void on_open(gale_ws_t *ws, void *data) {
    (void)data;
    MUST(opens++ == 0 && closes == 0 && gale_ws_answer_status(ws) == 101);
}

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    (void)data;
    MUST(opens == 1 && closes == 0 && bytes.len <= LIMIT);
    gale_ws_send(ws, kind, bytes);
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    (void)ws, (void)data;
    MUST(closes++ == 0 && (code < 0) == (opens == 0));
    MUST(code > 0 || reason.len > 0);
}

static void set_up(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(url, sizeof url, "ws+unix:@gale-client-fuzz-%d:/", (int)getpid());
    size_t len = strlen(url) - strlen("ws+unix:@:/");
    memcpy(name.sun_path + 1, url + strlen("ws+unix:@"), len);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t name_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
    MUST(bind(listener, (struct sockaddr *)&name, name_len) == 0 && listen(listener, 8) == 0);
    gale_handler_t h = gale_handler();
    h.on_request = on_request;
    MUST(uv_loop_init(&loop) == 0 && gale_server_new(&server, NULL) == 0);
    MUST(gale_server_handle(server, &h, NULL) == 0 && gale_server_attach(server, &loop) == 0);
}

static void turn(int times) {
    for (int i = 0; i < times; i++) uv_run(&loop, UV_RUN_NOWAIT);
}

/* What the client has sent meanwhile. */
static void take(int fd) {
    for (ssize_t n = 1; n > 0 && got_len < sizeof got;) {
        n = recv(fd, got + got_len, sizeof got - got_len, MSG_DONTWAIT);
        if (n > 0) got_len += (size_t)n;
    }
}

static int next_client(void) {
    int fd = -1;
    for (int i = 0; i < 20 && fd < 0; i++) {
        turn(1);
        fd = accept(listener, NULL, NULL);
    }
    return fd;
}

/* Gives where the frames begin in `got`; 0 without an answer. */
static size_t answer(int fd) {
    char accept_key[28], text[256];
    for (int i = 0; i < 20 && memmem(got, got_len, "\r\n\r\n", 4) == NULL; i++) {
        turn(1);
        take(fd);
    }
    const char *key = memmem(got, got_len, "Sec-WebSocket-Key: ", 19);
    MUST(key != NULL && gale__ws_accept_key(gale_str(key + 19, 24), accept_key));
    bool offered = memmem(got, got_len, "permessage-deflate", 18) != NULL;
    int len =
        snprintf(text, sizeof text,
                 "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %.*s\r\n%s\r\n",
                 28, accept_key, offered ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    MUST(send(fd, text, (size_t)len, MSG_NOSIGNAL) == len);
    turn(2);
    MUST(opens == 1);
    return got_len;
}

/* All of them, as far as they have come. */
static void check_frames(size_t at) {
    while (at < got_len) {
        gale__ws_frame_t f;
        const char *error = NULL;
        int head = gale__ws_frame_parse(&f, GALE__WS_ALLOW_RSV1, got + at, got_len - at, &error);
        MUST(head >= 0);
        if (head == 0 || f.length > got_len - at - (size_t)head) break;
        at += (size_t)head + (size_t)f.length;
    }
}

static gale_ws_t *open_client(uint8_t choice) {
    gale_ws_t *ws = NULL;
    gale_ws_handler_t h = gale_ws_handler();
    gale_ws_connect_options_t o = gale_ws_connect_options();
    h.on_message = on_message;
    h.on_close = on_close;
    o.on_open = on_open;
    o.deflate = (choice & DEFLATE) != 0 ? 2 : 0;
    o.deflate_window_bits = 15;
    o.max_message_bytes = LIMIT;
    o.max_redirects = (choice & REDIRECTS) != 0 ? 2 : 0;
    MUST(gale_ws_connect(gale_server_worker(server, 0), gale_cstr(url), &h, NULL, &o, &ws) == 0);
    return ws;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    if (server == NULL) set_up();
    opens = closes = 0;
    got_len = 0;
    gale_ws_t *ws = open_client(data[0]);
    int fd = next_client();
    MUST(fd >= 0);
    size_t frames = (data[0] & ANSWERED) != 0 ? answer(fd) : 0;
    size_t step = (data[0] & PIECES) != 0 ? 1 + data[0] / 16 : size;
    for (size_t at = 1; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        if (send(fd, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
        turn(1);
        take(fd);
    }
    turn(3);
    take(fd);
    if (frames > 0) check_frames(frames);
    if (closes == 0 && (data[0] & 128) != 0) gale_ws_abort(ws);
    close(fd);
    for (int i = 0; i < 50 && closes == 0; i++) {
        turn(1);
        fd = accept(listener, NULL, NULL); /* it was led elsewhere, and there is nobody */
        if (fd >= 0) close(fd);
    }
    MUST(closes == 1);
    turn(2);
    return 0;
}
