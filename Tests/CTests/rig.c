#include "rig.h"

#include <dirent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ----------------------------------------------------------------------------------------- text */

void rig_text_add(rig_text_t *t, gale_str_t bytes) {
    if (t->len + bytes.len + 1 > t->cap) {
        t->cap = (t->len + bytes.len + 1) * 2;
        t->text = realloc(t->text, t->cap);
        if (t->text == NULL) abort();
    }
    if (bytes.len > 0) memcpy(t->text + t->len, bytes.ptr, bytes.len);
    t->len += bytes.len;
    t->text[t->len] = '\0';
}

void rig_text_addf(rig_text_t *t, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    rig_text_add(t, gale_str(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
}

void rig_text_clear(rig_text_t *t) {
    t->len = 0;
    if (t->text != NULL) t->text[0] = '\0';
}

void rig_text_free(rig_text_t *t) {
    free(t->text);
    *t = (rig_text_t){0};
}

/* -------------------------------------------------------------------------------------- handler */

static void on_request(gale_req_t *req, void *data) {
    rig_t *rig = data;
    rig->requests++;
    rig->req = req;
    gale_str_t method = gale_req_method(req), target = gale_req_target(req);
    if (rig->keep_log) {
        rig_text_addf(&rig->log, "R %.*s %.*s %zu;", (int)method.len, method.ptr, (int)target.len,
                      target.ptr, gale_req_body(req).len);
    }
    if (rig->request != NULL) rig->request(rig, req);
}

static void on_body(gale_req_t *req, gale_str_t chunk, bool last, void *data) {
    rig_t *rig = data;
    rig->bodies++;
    rig->lasts += last;
    rig_text_add(&rig->in, chunk);
    if (rig->keep_log && last) rig_text_addf(&rig->log, "B %zu last;", rig->in.len);
    if (rig->body != NULL) rig->body(rig, req, chunk, last);
}

static void on_drain(gale_req_t *req, void *data) {
    rig_t *rig = data;
    rig->drains++;
    if (rig->drain != NULL) rig->drain(rig, req);
}

static void on_done(gale_req_t *req, int status, void *data) {
    rig_t *rig = data;
    rig->dones++;
    rig->last_status = status;
    if (rig->req == req) rig->req = NULL;
    if (rig->keep_log) rig_text_addf(&rig->log, "D %s;", gale_err_name(status));
    if (rig->done != NULL) rig->done(rig, req, status);
}

/* --------------------------------------------------------------------------------------- server */

void rig_init(rig_t *rig) {
    memset(rig, 0, sizeof *rig);
    rig->config = gale_config();
    rig->keep_log = true;
}

void rig_open(rig_t *rig) {
    gale_handler_t h = gale_handler();
    h.on_request = on_request;
    h.on_drain = on_drain;
    h.on_done = on_done;
    if (rig->streaming) h.on_body = on_body;
    CHECK_EQ_INT(uv_loop_init(&rig->loop), 0);
    CHECK_EQ_INT(gale_server_new(&rig->server, &rig->config), 0);
    CHECK_EQ_INT(gale_server_handle(rig->server, &h, rig), 0);
    if (rig->url != NULL) CHECK_EQ_INT(gale_server_listen(rig->server, rig->url), 0);
    CHECK_EQ_INT(gale_server_attach(rig->server, &rig->loop), 0);
    rig->worker = gale_server_worker(rig->server, 0);
}

/* One turn that waits for events, but no longer than to `end`. */
static void turn_until(rig_t *rig, uint64_t end) {
    uint64_t now = uv_hrtime() / 1000000;
    int wait = uv_backend_timeout(&rig->loop);
    if (wait < 0 || (uint64_t)wait > end - now) wait = now < end ? (int)(end - now) : 0;
    struct pollfd fd = {.fd = uv_backend_fd(&rig->loop), .events = POLLIN};
    if (wait > 0) poll(&fd, 1, wait);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

void rig_close(rig_t *rig) {
    gale_server_free(rig->server);
    uint64_t end = uv_hrtime() / 1000000 + 10000;
    while (uv_loop_alive(&rig->loop) && uv_hrtime() / 1000000 < end) turn_until(rig, end);
    CHECK_EQ_INT(uv_loop_close(&rig->loop), 0);
    CHECK_EQ_UINT(rig->dones, rig->requests);
    rig_text_free(&rig->log);
    rig_text_free(&rig->in);
}

void rig_turn(rig_t *rig, unsigned turns) {
    while (turns-- > 0) uv_run(&rig->loop, UV_RUN_NOWAIT);
}

bool rig_until(rig_t *rig, const unsigned *flag, unsigned want, unsigned ms) {
    uint64_t end = uv_hrtime() / 1000000 + ms;
    rig_turn(rig, 2);
    while (*flag != want && uv_hrtime() / 1000000 < end) turn_until(rig, end);
    return *flag == want;
}

void rig_wait(rig_t *rig, unsigned ms) {
    uint64_t end = uv_hrtime() / 1000000 + ms;
    do {
        turn_until(rig, end);
    } while (uv_hrtime() / 1000000 < end);
}

/* -------------------------------------------------------------------------------------- clients */

static void peer_data(gale_peer_t *peer, gale_str_t bytes, void *data) {
    rig_client_t *client = data;
    (void)peer;
    rig_text_add(&client->out, bytes);
}

static void peer_closed(gale_peer_t *peer, void *data) {
    rig_client_t *client = data;
    (void)peer;
    client->peer = NULL;
    client->closes++;
}

static void peer_end(gale_peer_t *peer, void *data) {
    rig_client_t *client = data;
    (void)peer;
    client->ends++;
}

void rig_connect(rig_t *rig, rig_client_t *client) {
    gale_peer_handler_t h = {
        .struct_size = sizeof h, .on_data = peer_data, .on_close = peer_closed, .on_end = peer_end};
    memset(client, 0, sizeof *client);
    rig_text_add(&client->out, gale_str("", 0));
    int err = gale_peer_open(rig->worker, &h, client, &client->peer);
    CHECK(err == 0 || (err == UV_ENOMEM && client->peer == NULL));
}

int rig_send_bytes(rig_client_t *client, const void *bytes, size_t len) {
    return client->peer == NULL ? GALE_EGONE : gale_peer_send(client->peer, gale_str(bytes, len));
}

int rig_send(rig_client_t *client, const char *text) {
    return rig_send_bytes(client, text, strlen(text));
}

gale_str_t rig_take(rig_client_t *client) {
    gale_str_t taken = gale_str(client->out.text, client->out.len);
    rig_mask_date(client->out.text, client->out.len);
    client->out.len = 0;
    return taken;
}

void rig_drop(rig_t *rig, rig_client_t *client) {
    if (client->peer != NULL) gale_peer_close(client->peer);
    for (int i = 0; i < 20 && client->closes == 0; i++) rig_turn(rig, 1);
    CHECK_EQ_UINT(client->closes, 1);
    rig_text_free(&client->out);
}

void rig_ask(rig_t *rig, const char *text, char *out, size_t size) {
    rig_client_t client;
    rig_connect(rig, &client);
    rig_send(&client, text);
    rig_turn(rig, 3);
    gale_str_t taken = rig_take(&client);
    size_t n = taken.len < size - 1 ? taken.len : size - 1;
    memcpy(out, taken.ptr, n);
    out[n] = '\0';
    rig_drop(rig, &client);
}

/* -------------------------------------------------------------------------------------- looking */

void rig_mask_date(char *bytes, size_t len) {
    static const char name[] = "\r\nDate: ";
    for (size_t i = 0; i + sizeof name - 1 + 29 <= len; i++) {
        if (memcmp(bytes + i, name, sizeof name - 1) != 0) continue;
        memset(bytes + i + sizeof name - 1, '*', 29);
    }
}

unsigned rig_count(gale_str_t text, const char *part) {
    size_t len = strlen(part);
    unsigned n = 0;
    for (size_t i = 0; i + len <= text.len; i++) n += memcmp(text.ptr + i, part, len) == 0;
    return n;
}

bool rig_has(gale_str_t text, const char *part) {
    return rig_count(text, part) > 0;
}

gale_str_t rig_body_of(gale_str_t response) {
    for (size_t i = 0; i + 4 <= response.len; i++) {
        if (memcmp(response.ptr + i, "\r\n\r\n", 4) == 0) {
            return gale_str(response.ptr + i + 4, response.len - i - 4);
        }
    }
    return gale_str(NULL, 0);
}

int rig_status_of(gale_str_t r) {
    if (r.len < 12 || memcmp(r.ptr, "HTTP/1.1 ", 9) != 0) return 0;
    return (r.ptr[9] - '0') * 100 + (r.ptr[10] - '0') * 10 + r.ptr[11] - '0';
}

static void count_free(void *arg) {
    unsigned *freed = arg;
    ++*freed;
}

gale_buf_t rig_buf(const void *bytes, size_t len, unsigned *freed) {
    return (gale_buf_t){bytes, len, count_free, freed};
}

const char *rig_pattern(size_t len) {
    enum { MOST = 16 << 20 };
    static char *bytes;
    if (bytes == NULL) {
        bytes = malloc(MOST);
        if (bytes == NULL) abort();
        uint32_t x = 1;
        for (size_t i = 0; i < MOST; i++) {
            x = x * 1664525u + 1013904223u;
            bytes[i] = (char)('a' + (x >> 24) % 26);
        }
    }
    return len <= MOST ? bytes : NULL;
}

unsigned rig_open_fds(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) return 0;
    unsigned n = 0;
    while (readdir(dir) != NULL) n++;
    closedir(dir);
    return n;
}
