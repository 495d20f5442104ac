#include "broadcast.h"

#define EVERYBODY gale_cstr("everybody")

static void on_message(gale_ws_t *ws, int kind, gale_str_t bytes, void *server) {
    if (gale_publish(server, EVERYBODY, kind, bytes) < 0) {
        gale_ws_close(ws, 1011, gale_cstr("out of memory"));
    }
}

void broadcast_join(gale_req_t *req, gale_server_t *server) {
    gale_ws_handler_t handler = gale_ws_handler();
    handler.on_message = on_message;
    gale_ws_t *ws;
    if (gale_ws_accept(req, &handler, server, NULL, 0, &ws) < 0) return; /* and is answered */
    if (gale_ws_subscribe(ws, EVERYBODY) < 0) gale_ws_close(ws, 1011, gale_cstr("out of memory"));
}
