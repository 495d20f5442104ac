/*
 * libFuzzer target of a whole connection: the input is a play for a client, its server and a handler
 * with every mode of answering. The first byte chooses the configuration; then each byte is a command,
 * with its arguments behind it (see `play`). Checked: every callback as often as gale.h promises, every
 * owned buffer freed once, nothing of the worker's left when the client has gone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "gale.h"
#include "worker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct {
    const uint8_t *data;
    size_t size, at;
    uv_loop_t loop;
    gale_server_t *server;
    gale_worker_t *worker;
    gale_peer_t *peer;
    gale_req_t *req; /* the open request */
    gale_ws_t *ws;
    gale_tunnel_t *tunnel;
    gale_ref_t ref;
    uint8_t mode; /* what on_request does */
    bool streaming, begun, got_last, stalled;
    unsigned tunnels_opened, tunnels_closed, tunnel_ends;
    unsigned requests, dones, bufs, freed, ws_opened, ws_closed, closes, posts, posted;
} fuzz_t;

static uint8_t next(fuzz_t *f) {
    return f->at < f->size ? f->data[f->at++] : 0;
}

static char pattern[300000];

static void count_free(void *arg) {
    ++*(unsigned *)arg;
}

static gale_buf_t buf(fuzz_t *f, size_t len) {
    f->bufs++;
    return (gale_buf_t){pattern, len, count_free, &f->freed};
}

static const size_t sizes[] = {0, 1, 100, 1024, 1025, 5000, 20000, 300000};
static size_t pick_size(fuzz_t *f) {
    return sizes[next(f) % 8];
}

/* ------------------------------------------------------------------------------------ WebSocket */

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *data) {
    fuzz_t *f = data;
    MUST(f->ws == ws && (kind == GALE_WS_TEXT || kind == GALE_WS_BINARY) && bytes.len <= 100000);
    if (f->mode & 1) gale_ws_send(ws, kind, bytes);
    if (f->mode & 2) gale_ws_pause(ws);
    if ((f->mode & 12) == 12) gale_ws_close(ws, 1000, bytes);
}

static void on_close(gale_ws_t *ws, int code, gale_str_t reason, void *data) {
    fuzz_t *f = data;
    MUST(f->ws == ws && reason.len <= 123);
    MUST(code >= 1000 && code < 5000);
    MUST(gale_ws_ref(ws).bits == 0);
    MUST(gale_ws_send(ws, GALE_WS_TEXT, gale_str("", 0)) < 0);
    f->ws_closed++;
    f->ws = NULL;
}

static void act_ws(fuzz_t *f) {
    gale_ws_t *ws = f->ws;
    if (ws == NULL) return;
    switch (next(f) % 8) {
    case 0:
        gale_ws_send(ws, GALE_WS_BINARY, gale_str(pattern, pick_size(f)));
        break;
    case 1:
        gale_ws_send_buf(ws, GALE_WS_TEXT, buf(f, pick_size(f)));
        break;
    case 2:
        gale_ws_close(ws, 1000 + next(f) % 20, gale_str(pattern, pick_size(f) % 200));
        break;
    case 3:
        gale_ws_ping(ws, gale_str(pattern, pick_size(f) % 200));
        break;
    case 4:
        gale_ws_pause(ws);
        break;
    case 5:
        gale_ws_resume(ws);
        break;
    case 6:
        gale_ref_send(f->server, gale_ws_ref(ws), 1 + next(f) % 3, buf(f, pick_size(f)));
        break;
    default:
        gale_ws_abort(ws);
    }
}

/* -------------------------------------------------------------------------------------- tunnels */

static void tunnel_data(gale_tunnel_t *t, gale_str_t bytes, void *data) {
    fuzz_t *f = data;
    MUST((f->tunnel == NULL || f->tunnel == t) && bytes.len > 0 && f->tunnel_ends == 0);
    if (f->mode & 1) gale_tunnel_write(t, bytes);
    if (f->mode & 2) gale_tunnel_pause(t);
    if ((f->mode & 12) == 12) gale_tunnel_end(t);
}

static void tunnel_end(gale_tunnel_t *t, void *data) {
    fuzz_t *f = data;
    MUST(f->tunnel == t && f->tunnel_ends++ == 0);
    if (f->mode & 4) gale_tunnel_write(t, gale_str(pattern, 1000));
    if (f->mode & 8) gale_tunnel_end(t);
}

static void tunnel_stop(gale_tunnel_t *t, void *data) {
    fuzz_t *f = data;
    MUST(f->tunnel == t);
    if (f->mode & 16) gale_tunnel_end(t);
}

static void tunnel_close(gale_tunnel_t *t, int status, void *data) {
    fuzz_t *f = data;
    MUST(f->tunnel == t && status <= 0 && gale_tunnel_ref(t).bits == 0);
    MUST(gale_tunnel_write(t, gale_str("x", 1)) < 0 && gale_tunnel_end(t) < 0);
    f->tunnels_closed++;
    f->tunnel = NULL;
}

static void accept_tunnel(fuzz_t *f, gale_req_t *req) {
    gale_tunnel_handler_t h = gale_tunnel_handler();
    bool upgrade = gale_req_wants_upgrade(req, gale_cstr("raw"));
    h.on_data = tunnel_data;
    h.on_end = f->mode & 32 ? tunnel_end : NULL;
    h.on_stop = tunnel_stop;
    h.on_close = tunnel_close;
    f->tunnel_ends = 0;
    if (gale_tunnel_accept(req, upgrade ? gale_cstr("raw") : gale_str(NULL, 0), &h, f, NULL, 0,
                           &f->tunnel) == 0) {
        MUST(f->req == NULL);
        f->tunnels_opened++;
    }
}

static void act_tunnel(fuzz_t *f) {
    gale_tunnel_t *t = f->tunnel;
    switch (next(f) % 8) {
    case 0:
        gale_tunnel_write(t, gale_str(pattern, pick_size(f)));
        break;
    case 1:
        gale_tunnel_write_buf(t, buf(f, pick_size(f)));
        break;
    case 2:
        gale_tunnel_end(t);
        break;
    case 3:
    case 4:
        gale_tunnel_pause(t);
        break;
    case 5:
        gale_tunnel_resume(t);
        break;
    case 6:
        gale_ref_write(f->server, gale_tunnel_ref(t), buf(f, pick_size(f)));
        break;
    default:
        gale_tunnel_abort(t);
    }
}

/* ------------------------------------------------------------------------------------- requests */

static void posted(gale_server_t *s, gale_ref_t ref, void *arg) {
    fuzz_t *f = arg;
    gale_req_t *req = gale_ref_req(s, ref);
    MUST(req == NULL || req == f->req);
    f->posted++;
}

static void begin(fuzz_t *f, gale_req_t *req) {
    static const int statuses[] = {200, 204, 304, 404};
    gale_header_t h[2] = {{gale_cstr("X-Test"), gale_cstr("value")},
                          {gale_cstr("Connection"), gale_cstr("close")}};
    uint8_t how = next(f);
    int64_t length = how & 4 ? (int64_t)pick_size(f) : -1;
    bool before = gale_resp_begun(req);
    int err = gale_resp_begin(req, statuses[how & 3], h, how >> 6 == 3 ? 2 : how >> 7, length);
    MUST(!before || err < 0);
}

static void send_file(fuzz_t *f, gale_req_t *req) {
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) gale_resp_file(req, 200, NULL, 0, fd, next(f), (int64_t)pick_size(f));
}

static void act(fuzz_t *f, gale_req_t *req, uint8_t what) {
    static const gale_header_t trailer = {{"T", 1}, {"v", 1}};
    gale_ws_handler_t h = gale_ws_handler();
    h.on_message = on_message;
    h.on_close = on_close;
    switch (what % 16) {
    case 0:
        if (gale_req_expects_continue(req)) gale_req_pause(req);
        break; /* later */
    case 1:
        gale_respond(req, 200, NULL, 0, gale_str(pattern, pick_size(f)));
        break;
    case 2:
        gale_respond_buf(req, 200, NULL, 0, buf(f, pick_size(f)));
        break;
    case 3:
        begin(f, req);
        break;
    case 4:
        gale_resp_write(req, gale_str(pattern, pick_size(f)));
        break;
    case 5:
        gale_resp_write_buf(req, buf(f, pick_size(f)));
        break;
    case 6:
        gale_resp_end(req, &trailer, next(f) & 1);
        break;
    case 7:
        gale_resp_flush(req);
        break;
    case 8:
        gale_resp_abort(req);
        break;
    case 9:
        gale_req_pause(req);
        break;
    case 10:
        gale_req_resume(req);
        break;
    case 11:
        gale_req_collect(req, pick_size(f));
        break;
    case 12:
        gale_req_set_max_body(req, pick_size(f));
        break;
    case 13:
        if (!gale_req_wants_websocket(req)) {
            accept_tunnel(f, req);
        } else if (gale_ws_accept(req, &h, f, NULL, 0, &f->ws) == 0) {
            f->ws_opened++;
        }
        break;
    case 14:
        send_file(f, req);
        break;
    default:
        f->ref = gale_req_ref(req);
        f->posts += gale_ref_post(f->server, f->ref, posted, f) == 0;
        if (next(f) & 1) gale_ref_respond(f->server, f->ref, 200, NULL, 0, buf(f, pick_size(f)));
    }
}

static void on_request(gale_req_t *req, void *data) {
    fuzz_t *f = data;
    MUST(f->req == NULL);
    const gale_header_t *h;
    size_t n = gale_req_headers(req, &h);
    for (size_t i = 0; i < n; i++) MUST(gale_req_header(req, h[i].name).ptr != NULL);
    MUST(gale_req_method(req).len > 0 && gale_req_path(req).len <= gale_req_target(req).len + 1);
    f->requests++;
    f->req = req;
    f->got_last = false;
    for (uint8_t mode = f->mode; f->req == req; mode >>= 4) {
        act(f, req, mode);
        if (mode < 16) break;
    }
}

static void on_body(gale_req_t *req, gale_str_t chunk, bool last, void *data) {
    fuzz_t *f = data;
    MUST(f->req == req && !f->got_last && gale_req_has_body(req));
    MUST(chunk.len == 0 ||
         chunk.ptr[chunk.len - 1] == *(volatile const char *)&chunk.ptr[chunk.len - 1]);
    f->got_last = last;
    if (last || f->mode & 64) act(f, req, f->mode >> 4);
}

static void on_drain(gale_req_t *req, void *data) {
    fuzz_t *f = data;
    MUST(f->req == req);
    if (f->mode & 128) gale_resp_end(req, NULL, 0);
}

static void on_done(gale_req_t *req, int status, void *data) {
    fuzz_t *f = data;
    MUST(f->req == req && status <= 0);
    MUST(gale_respond(req, 200, NULL, 0, gale_str("", 0)) < 0);
    MUST(gale_req_ref(req).bits == 0);
    f->dones++;
    f->req = NULL;
}

/* --------------------------------------------------------------------------------------- client */

static void peer_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    fuzz_t *f = data;
    MUST(f->peer == peer && bytes.len > 0);
}

static void peer_end(gale_peer_t *peer, void *data) {
    fuzz_t *f = data;
    MUST(f->peer == peer);
}

static void peer_closed(gale_peer_t *peer, void *data) {
    fuzz_t *f = data;
    MUST(f->peer == peer);
    f->closes++;
    f->peer = NULL;
}

#define H " HTTP/1.1\r\nHost: h\r\n"
static const char *const canned[] = {
    "GET /" H "\r\n",
    "GET /a" H "\r\nGET /b" H "\r\nGET /c" H "\r\n",
    "HEAD /" H "Connection: close\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "POST /" H "Content-Length: 5\r\n\r\nhello",
    "POST /" H "Content-Length: 3000\r\n\r\n",
    "POST /" H "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    "POST /" H "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "GET /" H "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "\x81\x85\x01\x02\x03\x04iako~",
    "\x01\x81\x01\x01\x01\x01i",
    "\x88\x82\x01\x01\x01\x01\x02\xe9",
    "\x82\xfe\x0b\xb8\x01\x01\x01\x01",
    "CONNECT h:80" H "\r\nearly",
    "GET /" H "Upgrade: raw\r\nConnection: Upgrade\r\n\r\n",
    "GET /" H "Accept-Encoding: *, identity;q=0\r\n\r\n",
    "GET /" H "Accept-Encoding: gzip, identity;q=0\r\n\r\n",
    "POST /" H "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST /" H "Content-Encoding: br\r\nContent-Length: 100\r\n\r\n",
    "POST /" H "Content-Encoding: zstd\r\nContent-Length: 60\r\n\r\n",
    "GET /" H "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "\xc1\x8b\x02\x02\x02\x02\xc8\x4a\xcf\xcb\xcb\x55\xca\x42\x25\x03\x02",
    "POST / HTTP/1.1\nA: b\r\n c\n\td\nContent-Length: 5\r\nContent-Length: 5\n\nhello",
};

static void play(fuzz_t *f) {
    uint8_t command = next(f);
    size_t n;
    if (f->peer == NULL) return;
    switch (command % 16) {
    case 0:
    case 1: /* the next bytes of the input */
        n = command % 16 == 0 ? 1 : next(f);
        if (n > f->size - f->at) n = f->size - f->at;
        gale_peer_send(f->peer, gale_str((const char *)f->data + f->at, n));
        f->at += n;
        break;
    case 2:
    case 3: /* a canned request or frame */
        n = next(f) % (sizeof canned / sizeof canned[0]);
        gale_peer_send(f->peer, gale_cstr(canned[n]));
        break;
    case 4:
        gale_peer_send(f->peer, gale_str(pattern, pick_size(f)));
        break;
    case 5:
        gale_peer_stall(f->peer, f->stalled = !f->stalled);
        break;
    case 6:
        if (next(f) == 6) gale_peer_shutdown(f->peer);
        break;
    case 7:
        if (next(f) == 7) gale_peer_close(f->peer);
        break;
    case 8:
    case 9:
        f->mode = next(f);
        break;
    case 10:
    case 11:
        if (f->req != NULL) act(f, f->req, next(f));
        break;
    case 12:
        if (f->tunnel != NULL) {
            act_tunnel(f);
        } else {
            act_ws(f);
        }
        break;
    case 13:
        if (next(f) == 13) gale_server_stop(f->server);
        break;
    default:
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

/* -------------------------------------------------------------------------------------- running */

static void open_server(fuzz_t *f) {
    gale_config_t c = gale_config();
    gale_handler_t h = gale_handler();
    gale_peer_handler_t p = {
        .struct_size = sizeof p, .on_data = peer_data, .on_close = peer_closed};
    uint8_t how = next(f);
    if (how & 16) p.on_end = peer_end;
    c.max_body_bytes = 100000;
    c.ws_max_message_bytes = 100000;
    c.allow_half_close = how & 2;
    if (how & 4) c.max_headers = 3, c.max_header_bytes = 256;
    if (how & 8) c.write_high_water = 2000, c.write_low_water = 500, c.write_limit = 150000;
    if ((how & 12) == 12) c.max_requests_per_connection = 3;
    if (how & 32) c.compress = GALE_CODING_ALL, c.compress_min_bytes = 1;
    if (how & 64) c.decompress = GALE_CODING_ALL, c.decompress_ratio = 5;
    if (how & 128) c.coding_memory = 300000;
    c.ws_deflate = how & 32 ? 2 : how & 64 ? 1 : 0;
    if (how & 128) c.ws_ping_interval_ms = c.ws_idle_timeout_ms = 1;
    c.allow_bare_lf = c.allow_obs_fold = c.allow_missing_host = c.allow_repeated_length =
        (how >> 4) & 1;
    h.on_request = on_request;
    h.on_done = on_done;
    h.on_drain = on_drain;
    if (how & 1) h.on_body = on_body;
    MUST(uv_loop_init(&f->loop) == 0);
    MUST(gale_server_new(&f->server, &c) == 0 && gale_server_handle(f->server, &h, f) == 0);
    MUST(gale_server_attach(f->server, &f->loop) == 0);
    f->worker = gale_server_worker(f->server, 0);
    MUST(gale_peer_open(f->worker, &p, f, &f->peer) == 0);
}

/* When the client has gone, and what it caused has been done. */
static void check_left(const fuzz_t *f) {
    const gale_worker_t *w = f->worker;
    MUST(f->closes == 1 && f->dones == f->requests && f->ws_closed == f->ws_opened);
    MUST(f->tunnels_closed == f->tunnels_opened);
    MUST(f->posted == f->posts);
    MUST(gale__counted(&w->counters, GALE__N_OPEN) == 0);
    MUST(gale__counted(&w->counters, GALE__N_WEBSOCKETS) == 0);
    MUST(gale__counted(&w->counters, GALE__N_REQUESTS) >= f->requests);
    if (w->state != GALE__WORKER_RUNNING) return; /* pools may be gone */
    MUST(w->conns == NULL && w->conn_count == 0 && w->dirty == NULL);
    MUST(w->wheel.count == (w->beat.deadline != 0));
    MUST(w->blocks.pinned == 0 && (w->blocks.current == NULL || w->blocks.current->refs == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_t f = {.data = data, .size = size};
    if (pattern[0] == '\0') memset(pattern, 'p', sizeof pattern);
    open_server(&f);
    while (f.at < f.size) play(&f);
    if (f.peer != NULL) gale_peer_close(f.peer);
    for (int i = 0; i < 50 && f.closes == 0; i++) uv_run(&f.loop, UV_RUN_NOWAIT);
    uv_run(&f.loop, UV_RUN_NOWAIT);
    check_left(&f);
    gale_server_free(f.server);
    uv_run(&f.loop, UV_RUN_DEFAULT); /* reads of files may be under way; -timeout is the bound */
    MUST(uv_loop_close(&f.loop) == 0);
    MUST(f.freed == f.bufs);
    return 0;
}
