/* gale.h compiles alone, first and twice, in strict C11, and its inline functions and macros can be
 * used. */
#include <gale.h>

int gale_header_in_c(gale_req_t *req);
int gale_header_in_c(gale_req_t *req) {
    gale_config_t config = gale_config();
    gale_handler_t handler = gale_handler();
    gale_ws_handler_t ws = gale_ws_handler();
    gale_header_t header = {gale_cstr("Content-Type"), gale_str("text/plain", 10)};
    gale_buf_t body = {"x", 1, NULL, NULL};
    gale_ref_t none = {0};
    _Static_assert(GALE_EGONE == -5001, "codes are part of the ABI");
    _Static_assert(offsetof(gale_config_t, struct_size) == 0, "struct_size comes first");
    _Static_assert(offsetof(gale_handler_t, struct_size) == 0, "struct_size comes first");
    _Static_assert(offsetof(gale_ws_handler_t, struct_size) == 0, "struct_size comes first");
    switch (gale_respond_buf(req, 200, &header, 1, body)) {
#define XX(name, value, text) case name:
        GALE_ERRNO_MAP(XX)
#undef XX
        return -1;
    default:
        return (int)config.workers + (handler.on_request != NULL) + (ws.on_message != NULL) +
               (none.bits != 0);
    }
}
