// The suite's server on libh2o with its own event loop.

#define _GNU_SOURCE
#define H2O_USE_LIBUV 0
#include "flags.h"

#include <h2o.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static h2o_globalconf_t config;
static h2o_context_t context;
static h2o_accept_ctx_t accept_context;

static int respond(h2o_req_t *request, h2o_iovec_t type, h2o_iovec_t bytes) {
    request->res.status = 200;
    request->res.reason = "OK";
    request->res.content_length = bytes.len; // else the body goes in chunks
    h2o_add_header(&request->pool, &request->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL, type.base,
                   type.len);
    h2o_send_inline(request, bytes.base, bytes.len);
    return 0;
}

static int hello(h2o_handler_t *self, h2o_req_t *request) {
    (void)self;
    return respond(request, h2o_iovec_init(H2O_STRLIT("text/plain")),
                   h2o_iovec_init(H2O_STRLIT("Hello, World!")));
}

static int body(h2o_handler_t *self, h2o_req_t *request) {
    (void)self;
    return respond(request, h2o_iovec_init(H2O_STRLIT("application/octet-stream")),
                   request->entity);
}

static void route(h2o_hostconf_t *host, const char *path,
                  int (*on_request)(h2o_handler_t *, h2o_req_t *)) {
    h2o_handler_t *handler =
        h2o_create_handler(h2o_config_register_path(host, path, 0), sizeof *handler);
    handler->on_req = on_request;
}

static void on_accept(h2o_socket_t *listener, const char *error) {
    if (error != NULL) {
        return;
    }
    // A few at a time, as the h2o server itself does.
    for (int i = 0; i < 16; i++) {
        h2o_socket_t *socket = h2o_evloop_socket_accept(listener);
        if (socket == NULL) {
            return;
        }
        h2o_accept(&accept_context, socket);
    }
}

int main(int argc, char **argv) {
    flags_t flags = flags_parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    h2o_config_init(&config);
    config.http1.req_timeout = 60 * 1000;
    h2o_hostconf_t *host =
        h2o_config_register_host(&config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    route(host, "/hello", hello);
    route(host, "/body", body);
    h2o_file_register(h2o_config_register_path(host, "/static", 0), flags.root, NULL, NULL, 0);
    h2o_context_init(&context, h2o_evloop_create(), &config);
    accept_context = (h2o_accept_ctx_t){.ctx = &context, .hosts = config.hosts};
    h2o_socket_t *listener =
        h2o_evloop_socket_create(context.loop, flags_listen(&flags), H2O_SOCKET_FLAG_DONT_READ);
    h2o_socket_read_start(listener, on_accept);
    while (h2o_evloop_run(context.loop, INT32_MAX) == 0) {
    }
    return 0;
}
