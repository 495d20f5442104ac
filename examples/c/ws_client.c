/*
 * A WebSocket client for the terminal: sends the lines of standard input as messages, prints those
 * that come, and closes when the input ends. It has a server without a listener, whose one worker
 * runs on this program's own loop, beside the input.
 *
 *     cc ws_client.c $(pkg-config --cflags --libs gale libuv) && ./a.out [-z] ws://127.0.0.1:8080/ws
 */
#include <gale.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "arguments.h"

enum { LINE = 65536 };

static gale_server_t *server;
static gale_ws_t *socket_now; /* until it is closed */
static uv_pipe_t input;       /* or a terminal */
static int status = 1;

static char line[LINE];
static size_t line_len;

static void stop_input(void) {
    if (!uv_is_closing((uv_handle_t *)&input)) uv_close((uv_handle_t *)&input, NULL);
}

static void send_line(void) {
    /* 1: the server is slow. What is typed waits in the terminal meanwhile. */
    if (gale_ws_send(socket_now, GALE_WS_TEXT, gale_str(line, line_len)) == 1) {
        uv_read_stop((uv_stream_t *)&input);
    }
    line_len = 0;
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
    static char room[4096];
    *buf = uv_buf_init(room, sizeof room);
}

static void on_input(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
    if (socket_now == NULL) return;
    for (ssize_t i = 0; i < n; i++) {
        if (buf->base[i] == '\n' || line_len == LINE) send_line();
        if (buf->base[i] != '\n') line[line_len++] = buf->base[i];
    }
    if (n >= 0) return;
    if (line_len > 0) send_line();
    gale_ws_close(socket_now, 1000, gale_str(NULL, 0)); /* behind all that was sent */
    stop_input();
}

/* --------------------------------------------------------------------------------------- the socket */

static void on_open(gale_ws_t *ws, void *data) {
    gale_str_t subprotocol = gale_ws_answer_subprotocol(ws);
    fprintf(stderr, "open%s%.*s\n", subprotocol.len > 0 ? ", " : "", (int)subprotocol.len,
            subprotocol.ptr);
    if (uv_guess_handle(0) == UV_FILE || uv_pipe_open(&input, 0) < 0) {
        fprintf(stderr, "standard input cannot be waited for: try cat FILE | ws_client URL\n");
        gale_ws_close(ws, 1000, gale_str(NULL, 0));
        return;
    }
    uv_read_start((uv_stream_t *)&input, on_room, on_input);
}

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    if (kind == GALE_WS_TEXT) {
        printf("%.*s\n", (int)bytes.len, bytes.ptr);
    } else {
        printf("[%zu bytes]\n", bytes.len);
    }
    fflush(stdout);
}

static void on_drain(gale_ws_t *ws, void *data) {
    if (!uv_is_closing((uv_handle_t *)&input)) {
        uv_read_start((uv_stream_t *)&input, on_room, on_input);
    }
}

/* Below 0 it was never open. */
static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    fprintf(stderr, "%s %d%s%.*s\n", code < 0 ? gale_err_name(code) : "closed", code,
            reason.len > 0 ? ": " : "", (int)reason.len, reason.ptr);
    status = code != 1000 && code != 1005;
    socket_now = NULL;
    stop_input();
    gale_server_stop(server); /* and with the server its loop comes to an end */
}

static int connect_to(const char *url, bool compressed) {
    gale_ws_handler_t h = gale_ws_handler();
    h.on_message = on_message;
    h.on_drain = on_drain;
    h.on_close = on_close;
    gale_ws_connect_options_t o = gale_ws_connect_options();
    o.on_open = on_open;
    o.deflate = compressed ? 2 : 0;
    o.max_redirects = 5;
    o.ping_interval_ms = 30000;
    gale_worker_t *worker = gale_server_worker(server, 0);
    return gale_ws_connect(worker, gale_cstr(url), &h, NULL, &o, &socket_now);
}

/* Nothing is listened on, so there are no requests. */
static void on_request(gale_req_t *req, void *data) { gale_resp_abort(req); }

static const char usage[] = "usage: ws_client [-z] ws://HOST:PORT/PATH\n";

int main(int argc, char **argv) {
    bool compressed = argc > 1 && strcmp(argv[1], "-z") == 0;
    take_words("ws_client", usage, argc - compressed, argv + compressed, 1);
    if (argc != 2 + compressed) {
        fputs(usage, stderr);
        return 2;
    }
    uv_loop_t *loop = uv_default_loop();
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    uv_pipe_init(loop, &input, 0);
    if (gale_server_new(&server, NULL) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    if (gale_server_attach(server, loop) < 0) return 1;
    int err = connect_to(argv[argc - 1], compressed);
    if (err < 0) {
        fprintf(stderr, "%s: %s\n", argv[argc - 1], gale_strerror(err));
        stop_input();
        gale_server_stop(server);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    gale_server_free(server);
    uv_loop_close(loop);
    return status;
}
