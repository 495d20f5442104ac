#include <gale.h>
#include <stdio.h>

static void hello(gale_req_t *req, void *data) { gale_respond_text(req, 200, "Hello, World!"); }

int main(void) {
    gale_server_t *server;
    gale_handler_t handler = gale_handler();
    handler.on_request = hello;
    if (gale_server_new(&server, NULL) < 0) return 1;
    gale_server_handle(server, &handler, NULL);
    if (gale_server_listen(server, "http://127.0.0.1:8080") == 0) return gale_server_run(server);
    return fprintf(stderr, "%s\n", gale_server_errmsg(server)), 1;
}
