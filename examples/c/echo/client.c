#include "client.h"

#include <stdio.h>

void echo_client(gale_req_t *req) {
    char address[46], peer[46], json[1024];
    int port = gale_req_remote(req, address, sizeof address);
    gale_req_peer(req, peer, sizeof peer);
    gale_str_t scheme = gale_req_scheme(req), host = gale_req_host(req);
    if (host.len > 256) host.len = 256; /* valid, and so without quotes */
    int len =
        snprintf(json, sizeof json,
                 "{\"address\": \"%s\", \"port\": %d, \"peer\": \"%s\", \"scheme\": \"%.*s\", "
                 "\"host\": \"%.*s\", \"same_origin\": %s, \"worker\": %zu}",
                 address, port, peer, (int)scheme.len, scheme.ptr, (int)host.len,
                 host.ptr == NULL ? "" : host.ptr, gale_req_same_origin(req) ? "true" : "false",
                 gale_worker_index(gale_req_worker(req)));
    gale_header_t type = {gale_cstr("Content-Type"), gale_cstr("application/json")};
    gale_respond(req, 200, &type, 1, gale_str(json, (size_t)len));
}
