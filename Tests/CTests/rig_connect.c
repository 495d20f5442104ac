#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "rig_connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "str.h"
#include "ws_frame.h"

static void on_open(gale_ws_t *ws, void *data) {
    rig_dialed_t *d = data;
    gale_str_t chosen = gale_ws_answer_subprotocol(ws);
    d->opens++;
    rig_text_addf(&d->ws.log, "O %d %.*s;", gale_ws_answer_status(ws), (int)chosen.len,
                  chosen.len > 0 ? chosen.ptr : "");
    if (d->opened != NULL) d->opened(ws);
}

void rig_dialed_init(rig_dialed_t *d) {
    memset(d, 0, sizeof *d);
    d->options = gale_ws_connect_options();
    d->options.on_open = on_open;
}

int rig_dial(rig_t *rig, rig_dialed_t *d, const char *format, int port) {
    char url[256];
    gale_ws_handler_t h = rig_ws_handler();
    size_t at = strcspn(format, "%");
    bool has_port = format[at] == '%';
    snprintf(url, sizeof url, "%.*s", (int)at, format);
    if (has_port) snprintf(url + at, sizeof url - at, "%d%s", port, format + at + 2);
    return gale_ws_connect(rig->worker, gale_cstr(url), &h, d, &d->options, &d->ws.ws);
}

void rig_dialed_free(rig_dialed_t *d) {
    CHECK_EQ_UINT(d->ws.closes, 1);
    rig_text_free(&d->ws.log);
}

bool rig_dialed_open(rig_t *rig, rig_dialed_t *d) {
    RIG_TURN_TO(rig, d->opens > 0 || d->ws.closes > 0);
    return d->opens > 0;
}

bool rig_dialed_closed(rig_t *rig, rig_dialed_t *d) {
    RIG_TURN_TO(rig, d->ws.closes > 0);
    return d->ws.closes > 0;
}

/* ------------------------------------------------------------------------------- played by hand */

bool rig_fake_open(rig_fake_t *f) {
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t len = sizeof name;
    memset(f, 0, sizeof *f);
    f->fd = -1;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&name, sizeof name) < 0 ||
        listen(f->listener, 16) < 0 ||
        getsockname(f->listener, (struct sockaddr *)&name, &len) < 0) {
        test_fail(__FILE__, __LINE__, "no listener: %s", strerror(errno));
        return false;
    }
    f->port = ntohs(name.sin_port);
    return true;
}

void rig_fake_hang_up(rig_fake_t *f) {
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

void rig_fake_close(rig_fake_t *f) {
    rig_fake_hang_up(f);
    if (f->listener >= 0) close(f->listener);
    f->listener = -1;
}

static bool has_come(rig_fake_t *f) {
    if (f->fd < 0) f->fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (f->fd < 0) return false;
    size_t have = strlen(f->request);
    ssize_t n = recv(f->fd, f->request + have, sizeof f->request - 1 - have, 0);
    if (n > 0) f->request[have + (size_t)n] = '\0';
    return strstr(f->request, "\r\n\r\n") != NULL;
}

bool rig_fake_accept(rig_t *rig, rig_fake_t *f) {
    rig_fake_hang_up(f);
    f->request[0] = '\0';
    RIG_TURN_TO(rig, has_come(f));
    return strstr(f->request, "\r\n\r\n") != NULL;
}

void rig_fake_send(rig_fake_t *f, gale_str_t bytes) {
    ssize_t n = send(f->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    CHECK_EQ_INT(n, (long long)bytes.len);
}

long rig_fake_read(rig_fake_t *f, char *out, size_t size) {
    ssize_t n = recv(f->fd, out, size, 0);
    if (n > 0) return n;
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

void rig_fake_answer(const rig_fake_t *f, rig_text_t *out, const char *fields) {
    char accept[28];
    const char *key = strstr(f->request, "Sec-WebSocket-Key: ");
    bool good = key != NULL && gale__ws_accept_key(gale_str(key + 19, 24), accept);
    CHECK(good);
    rig_text_clear(out);
    rig_text_addf(out,
                  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Accept: %.*s\r\n%s\r\n",
                  28, good ? accept : "", fields);
}
