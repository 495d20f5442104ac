#include <gale.h>
#include <stdio.h>
static void hello(gale_req_t *req, void *data) { gale_respond_text(req, 200, "Hello, World!"); }

int main(void) {
    gale_handler_t handler = gale_handler();
    handler.on_request = hello;
    gale_server_t *server;
    if (gale_server_new(&server, NULL) || gale_server_handle(server, &handler, NULL)) return 1;
    int failed = gale_server_listen(server, "http://127.0.0.1:8080") || gale_server_run(server);
    if (failed) fprintf(stderr, "%s\n", gale_server_errmsg(server));
    gale_server_free(server);
    return failed;
}
