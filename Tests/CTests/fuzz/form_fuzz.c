/*
 * libFuzzer target of forms on a server: the input's first byte chooses kind and limits, the rest is
 * the body. Collected and given whole, and streamed in random pieces to a handler that pauses, with
 * files in memory or on disk, it must give the same parts, the same end and the same status. A
 * client that leaves at any byte gets one on_end, and nothing stays open.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "../http1_feed.h"
#include "gale.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

typedef struct {
    uint8_t kind;
    uint32_t seed;
    bool streaming, pausing, disk;
    uv_loop_t loop;
    gale_server_t *server;
    gale_worker_t *worker;
    gale_peer_t *peer;
    gale_req_t *req;
    unsigned ends, dones, requests, closes;
    int end, status; /* of on_end; of the response, 0: none yet */
    bool in_part;
    char log[65536];
    size_t len;
} run_t;

static void add(run_t *r, const char *bytes, size_t len) {
    MUST(r->len + len <= sizeof r->log);
    if (len > 0) memcpy(r->log + r->len, bytes, len);
    r->len += len;
}

static void perhaps_pause(run_t *r) {
    if (r->pausing && feed_random(&r->seed) % 3 == 0) gale_req_pause(r->req);
}

static int on_part(gale_form_t *form, gale_part_t *part, void *data) {
    run_t *r = data;
    gale_str_t name = gale_part_name(part), file = gale_part_filename(part);
    MUST(r->ends == 0 && !r->in_part && gale_form_req(form) == r->req);
    MUST(gale_part_size(part) == 0 && gale_part_fd(part) == -1);
    r->in_part = true;
    add(r, "<", 1);
    add(r, name.ptr, name.len);
    add(r, "|", 1);
    add(r, file.ptr, file.len);
    add(r, ">", 1);
    perhaps_pause(r);
    return r->kind >> 1 & 3;
}

static void on_data(gale_form_t *form, gale_part_t *part, gale_str_t bytes, void *data) {
    run_t *r = data;
    (void)form;
    MUST(r->ends == 0 && r->in_part && bytes.len > 0 && gale_part_size(part) >= bytes.len);
    add(r, bytes.ptr, bytes.len);
    perhaps_pause(r);
}

static void on_part_end(gale_form_t *form, gale_part_t *part, void *data) {
    run_t *r = data;
    (void)form;
    MUST(r->ends == 0 && r->in_part);
    gale_str_t bytes = gale_part_bytes(part);
    MUST(bytes.ptr == NULL || bytes.len == gale_part_size(part));
    if (gale_part_fd(part) >= 0) {
        uv_fs_t fs;
        MUST(uv_fs_fstat(NULL, &fs, gale_part_fd(part), NULL) == 0);
        MUST(fs.statbuf.st_size == gale_part_size(part));
        uv_fs_req_cleanup(&fs);
    }
    r->in_part = false;
    add(r, "</>", 3);
    perhaps_pause(r);
}

static void on_end(gale_form_t *form, int status, void *data) {
    run_t *r = data;
    MUST(r->ends == 0 && (status != GALE_OK || !r->in_part));
    bool explained = status == GALE_EPROTO || status == GALE_ELIMIT || status == UV_EINVAL;
    MUST((*gale_form_error(form) != '\0') == explained);
    /* Only a fate that on_part made up is nobody's but the handler's. */
    MUST(status != UV_EINVAL || (r->kind >> 1 & 3) == 3);
    for (gale_part_t *p = NULL; (p = gale_form_next(form, p)) != NULL;) {
        if (gale_part_filename(p).len > 0) continue;
        MUST(gale_form_value(form, gale_part_name(p)).ptr != NULL);
    }
    r->ends++;
    r->end = status;
    if (status == GALE_OK) gale_respond_text(r->req, 200, "ok");
}

static void on_request(gale_req_t *req, void *data) {
    run_t *r = data;
    gale_form_handler_t h = gale_form_handler();
    r->requests++;
    r->req = req;
    h.on_part = on_part;
    h.on_data = on_data;
    h.on_part_end = on_part_end;
    h.on_end = on_end;
    h.max_parts = 1 + (r->kind >> 3 & 7);
    h.max_fields = 1 + (r->kind >> 3 & 7);
    h.max_part_header_bytes = 300;
    h.max_field_bytes = r->kind & 64 ? 40 : 4096;
    h.max_file_bytes = r->kind & 128 ? 40 : 0;
    h.always_disk = r->disk;
    MUST(gale_form_read(req, &h, r) == 0);
}

static void on_body(gale_req_t *req, gale_str_t chunk, bool last, void *data) {
    (void)req, (void)chunk, (void)last, (void)data;
    MUST(false);
}

static void on_done(gale_req_t *req, int status, void *data) {
    run_t *r = data;
    (void)status;
    MUST(r->ends == 1 && r->req == req);
    r->req = NULL;
    r->dones++;
}

static void peer_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    run_t *r = data;
    (void)peer;
    if (r->status == 0 && bytes.len > 12) r->status = atoi(bytes.ptr + 9);
}

static void peer_closed(gale_peer_t *peer, void *data) {
    run_t *r = data;
    (void)peer;
    r->peer = NULL;
    r->closes++;
}

static void begin(run_t *r) {
    gale_handler_t h = gale_handler();
    gale_peer_handler_t p = {
        .struct_size = sizeof p, .on_data = peer_data, .on_close = peer_closed};
    h.on_request = on_request;
    h.on_done = on_done;
    if (r->streaming) h.on_body = on_body;
    MUST(uv_loop_init(&r->loop) == 0 && gale_server_new(&r->server, NULL) == 0);
    MUST(gale_server_handle(r->server, &h, r) == 0 && gale_server_attach(r->server, &r->loop) == 0);
    MUST(gale_peer_open(gale_server_worker(r->server, 0), &p, r, &r->peer) == 0);
}

static void turn(run_t *r) {
    uv_run(&r->loop, UV_RUN_NOWAIT);
    if (r->req != NULL && feed_random(&r->seed) % 2 == 0) gale_req_resume(r->req);
}

static void finish(run_t *r) {
    if (r->peer != NULL) gale_peer_close(r->peer);
    while (r->closes == 0) uv_run(&r->loop, UV_RUN_NOWAIT);
    gale_server_free(r->server);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    MUST(uv_loop_close(&r->loop) == 0);
    MUST(r->dones == r->requests && r->ends == r->requests);
}

/* Sends `size` bytes of the body, of which `announced` come, or don't. */
static void play(run_t *r, const uint8_t *body, size_t size, size_t announced) {
    char head[200];
    int n = snprintf(
        head, sizeof head,
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
        r->kind & 1 ? "application/x-www-form-urlencoded" : "multipart/form-data; boundary=B",
        announced);
    begin(r);
    MUST(gale_peer_send(r->peer, gale_str(head, (size_t)n)) == 0);
    for (size_t at = 0; at < size && r->peer != NULL;) {
        size_t step = feed_step(r->streaming ? FEED_RANDOM : FEED_WHOLE, size - at, &r->seed);
        char *piece = malloc(step);
        MUST(piece != NULL);
        memcpy(piece, body + at, step);
        gale_peer_send(r->peer, gale_str(piece, step));
        free(piece);
        at += step;
        turn(r);
    }
    for (int i = 0; size == announced && r->dones == 0; i++) {
        MUST(i < 1000000);
        turn(r);
    }
    uv_run(&r->loop, UV_RUN_NOWAIT);
    finish(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static run_t want, got;
    uint32_t seed = 2166136261u;
    if (size < 1 || size > 6000) return -1;
    for (size_t i = 0; i < size; i++) seed = (seed ^ data[i]) * 16777619u;
    memset(&want, 0, sizeof want);
    want.kind = data[0];
    play(&want, data + 1, size - 1, size - 1);
    for (int i = 0; i < 2; i++) {
        memset(&got, 0, sizeof got);
        got.kind = data[0];
        got.seed = seed + (uint32_t)i;
        got.streaming = true;
        got.pausing = i == 1;
        got.disk = seed % 8 == 0;
        play(&got, data + 1, size - 1, size - 1);
        MUST(got.end == want.end && got.status == want.status);
        MUST(gale__eq(gale_str(got.log, got.len), gale_str(want.log, want.len)));
    }
    memset(&got, 0, sizeof got);
    got.kind = data[0];
    got.seed = seed;
    got.streaming = true;
    got.disk = seed % 8 == 1;
    play(&got, data + 1, (seed >> 8) % size, size);
    return 0;
}
