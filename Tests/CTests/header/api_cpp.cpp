/* gale.h compiles alone as C++17, and its functions link as C's. */
#include <gale.h>

static void on_request(gale_req_t *req, void *) {
    gale_respond_text(req, 200, "Hello, World!");
}

int gale_header_in_cpp(gale_server_t *&server);
int gale_header_in_cpp(gale_server_t *&server) {
    gale_config_t config = gale_config();
    gale_handler_t handler = gale_handler();
    handler.on_request = on_request;
    int status = gale_server_new(&server, &config);
    return status < 0 ? status : gale_server_handle(server, &handler, nullptr);
}
