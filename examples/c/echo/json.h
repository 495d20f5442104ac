/* The answer of the echo server: the request as JSON. */
#ifndef ECHO_JSON_H
#define ECHO_JSON_H

#include <gale.h>

/* {"method": ..., "target": ..., "headers": [[name, value], ...], "body_b64": ...}; bytes above
 * ASCII as the latin-1 characters of the same number. ptr is null when memory ran out. */
gale_buf_t echo_json(const gale_req_t *req);

#endif
