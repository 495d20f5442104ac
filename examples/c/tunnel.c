/*
 * A proxy for CONNECT: clients reach the one address it was told, through a tunnel of plain bytes.
 * It shows gale_tunnel_t with everything a stream needs: an answer that comes later, back-pressure
 * and half-closing in both directions, and libuv's own handles on the worker's loop.
 *
 *     cc tunnel.c $(pkg-config --cflags --libs gale libuv) && ./a.out PORT TARGET_PORT
 *     curl --proxytunnel --proxy http://127.0.0.1:PORT http://127.0.0.1:TARGET_PORT/
 */
#include <gale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "arguments.h"

enum { FULL = 256 * 1024 };

/* One tunnel, and the connection at its other end. */
typedef struct {
    gale_req_t *req;       /* until it is answered, or the client has gone */
    gale_tunnel_t *tunnel; /* from then on, until it is closed */
    uv_tcp_t target;
    uv_connect_t connecting;
    uv_shutdown_t ending;
    bool target_waits; /* for the end of what the client sent, which is on its way */
    char room[65536];  /* for what the target sends */
} pipe_t;

typedef struct {
    uv_write_t req;
    char bytes[];
} chunk_t;

static gale_server_t *server;
static char
    target_name[32]; /* "127.0.0.1:80": the one that is allowed, or this were an open proxy */
static struct sockaddr_in target_address;

static void on_target_closed(uv_handle_t *h) { free(h->data); }

static void close_target(pipe_t *p) {
    uv_handle_t *h = (uv_handle_t *)&p->target;
    if (!uv_is_closing(h)) uv_close(h, on_target_closed);
}

/* ------------------------------------------------------------------------- from the client's side */

static void on_chunk_written(uv_write_t *req, int status) {
    pipe_t *p = req->handle->data;
    if (p->tunnel != NULL && status < 0) gale_tunnel_abort(p->tunnel);
    if (p->tunnel != NULL && uv_stream_get_write_queue_size(req->handle) == 0) {
        gale_tunnel_resume(p->tunnel);
    }
    free(req);
}

static void on_data(gale_tunnel_t *tunnel, gale_str_t bytes, void *data) {
    pipe_t *p = data;
    chunk_t *chunk = malloc(sizeof *chunk + bytes.len);
    if (chunk == NULL) {
        gale_tunnel_abort(tunnel);
        return;
    }
    memcpy(chunk->bytes, bytes.ptr, bytes.len);
    uv_buf_t buf = uv_buf_init(chunk->bytes, (unsigned)bytes.len);
    uv_stream_t *target = (uv_stream_t *)&p->target;
    if (uv_write(&chunk->req, target, &buf, 1, on_chunk_written) < 0) {
        free(chunk);
        gale_tunnel_abort(tunnel);
    } else if (uv_stream_get_write_queue_size(target) > FULL) {
        gale_tunnel_pause(tunnel);
    }
}

static void on_target_ended(uv_shutdown_t *req, int status) {
    pipe_t *p = req->handle->data;
    p->target_waits = false;
    if (p->tunnel == NULL) close_target(p);
}

static void on_end(gale_tunnel_t *tunnel, void *data) {
    pipe_t *p = data;
    uv_stream_t *target = (uv_stream_t *)&p->target;
    p->target_waits = uv_shutdown(&p->ending, target, on_target_ended) == 0;
    if (!p->target_waits) gale_tunnel_abort(tunnel);
}

static void on_close(gale_tunnel_t *tunnel, int status, void *data) {
    pipe_t *p = data;
    p->tunnel = NULL;
    if (status != GALE_OK || !p->target_waits) close_target(p);
}

/* ------------------------------------------------------------------------- from the target's side */

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
    pipe_t *p = h->data;
    *buf = uv_buf_init(p->room, sizeof p->room);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
    pipe_t *p = s->data;
    if (p->tunnel == NULL) return;
    if (n > 0) {
        if (gale_tunnel_write(p->tunnel, gale_str(buf->base, (size_t)n)) == 1) uv_read_stop(s);
    } else if (n == UV_EOF) {
        gale_tunnel_end(p->tunnel);
    } else if (n < 0) {
        gale_tunnel_abort(p->tunnel);
    }
}

static void on_drain(gale_tunnel_t *tunnel, void *data) {
    pipe_t *p = data;
    uv_read_start((uv_stream_t *)&p->target, on_room, on_read);
}

/* ----------------------------------------------------------------------------------- the beginning */

static void on_connected(uv_connect_t *req, int status) {
    pipe_t *p = req->handle->data;
    if (p->req == NULL) return; /* the client has left, and the target is being closed */
    gale_tunnel_handler_t h = gale_tunnel_handler();
    h.on_data = on_data;
    h.on_end = on_end;
    h.on_drain = on_drain;
    h.on_close = on_close;
    gale_req_t *r = p->req;
    if (status < 0) {
        gale_respond_text(r, 502, "the target does not answer\n");
    } else if (gale_tunnel_accept(r, gale_str(NULL, 0), &h, p, NULL, 0, &p->tunnel) < 0) {
        gale_respond_text(r, 503, "no tunnel\n");
    } else {
        uv_read_start((uv_stream_t *)&p->target, on_room, on_read);
    }
}

static void on_request(gale_req_t *req, void *data) {
    gale_str_t target = gale_req_target(req);
    if (target.len != strlen(target_name) || memcmp(target.ptr, target_name, target.len) != 0) {
        gale_respond_text(req, 403, "only CONNECT, and only to one place\n");
        return;
    }
    pipe_t *p = calloc(1, sizeof *p);
    if (p == NULL) {
        gale_respond_text(req, 503, "no memory\n");
        return;
    }
    uv_tcp_init(gale_worker_loop(gale_req_worker(req)), &p->target);
    p->target.data = p;
    p->req = req;
    gale_req_set_data(req, p);
    const struct sockaddr *address = (const struct sockaddr *)&target_address;
    if (uv_tcp_connect(&p->connecting, &p->target, address, on_connected) < 0) {
        gale_respond_text(req, 502, "no connection to the target\n");
    }
}

/* Whatever became of the request: only a tunnel still needs the target. */
static void on_done(gale_req_t *req, int status, void *data) {
    pipe_t *p = gale_req_data(req);
    if (p == NULL) return;
    p->req = NULL;
    if (status != GALE_EUPGRADED) close_target(p);
}

static void on_signal(int number) {
    gale_server_stop(server); /* tunnels have shutdown_grace_ms to end by themselves */
}

static const char usage[] = "usage: tunnel PORT TARGET_PORT\n";

int main(int argc, char **argv) {
    take_words("tunnel", usage, argc, argv, 2);
    if (argc != 3) {
        fputs(usage, stderr);
        return 2;
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%s", take_port("tunnel", argv[1]));
    snprintf(target_name, sizeof target_name, "127.0.0.1:%s", take_port("tunnel", argv[2]));
    uv_ip4_addr("127.0.0.1", atoi(argv[2]), &target_address);

    gale_config_t config = gale_config();
    config.shutdown_grace_ms = 1000;
    config.tunnel_idle_timeout_ms = 600000;
    config.allow_half_close = 1; /* also of a client that says all before it is answered */
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    handler.on_done = on_done;
    if (gale_server_new(&server, &config) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    int status = gale_server_listen(server, url);
    if (status == 0) {
        printf("http://127.0.0.1:%d tunnels to %s\n", gale_server_port(server, 0), target_name);
        fflush(stdout);
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        status = gale_server_run(server);
    }
    if (status < 0) fprintf(stderr, "tunnel: %s\n", gale_server_errmsg(server));
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    gale_server_free(server);
    return status < 0;
}
