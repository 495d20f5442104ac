/* Response heads of HTTP/1.x written into memory the caller provides: no allocation, no snprintf
 * (RFC 9112 4, 6). */
#ifndef GALE_CORE_HTTP1_RESPONSE_H
#define GALE_CORE_HTTP1_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "date.h"
#include "gale.h"

/* How the end of the body is told. UPGRADE is that of a 101, the only 1xx the check lets
 * pass: "Upgrade" with the new protocol and "Connection: Upgrade" are written for it. */
enum {
    GALE__BODY_NONE,
    GALE__BODY_LENGTH,
    GALE__BODY_CHUNKED,
    GALE__BODY_UNTIL_CLOSE,
    GALE__BODY_UPGRADE
};

/* "Server: gale\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second by the worker. */
typedef struct {
    char text[80];
    uint32_t server_len; /* bytes of the Server line at the start; 0 when it is off */
    uint32_t len;        /* of both lines; 0: not made yet */
    int64_t second;      /* the Unix time it stands for */
} gale__stamp_t;
/* Brings the stamp, zeroed at first, to `unix_seconds`; cheap when nothing changed. */
void gale__stamp_update(gale__stamp_t *stamp, int64_t unix_seconds, bool with_server);

typedef struct {
    int status;
    uint8_t
        minor; /* of the request: HTTP/1.0 clients get "Connection: keep-alive" when it is kept */
    bool keep_alive;
    uint8_t framing;    /* GALE__BODY_* */
    uint64_t length;    /* for GALE__BODY_LENGTH */
    gale_str_t upgrade; /* the protocol, for GALE__BODY_UPGRADE */
    const gale_header_t *headers;
    size_t header_count;
    const gale__stamp_t *stamp;
} gale__response_t;

/* Checks status and headers as gale.h says and gives an upper bound of the head's size, or a
 * negative GALE_E*. Uses status, framing, headers and stamp. A caller's Content-Length may stand
 * with GALE__BODY_NONE (HEAD, 304), not with 204. *close is set, to true or false, by whether the
 * headers ask for "Connection: close". */
int64_t gale__response_check(const gale__response_t *r, bool *close);
/* Writes the checked head with its final empty line to `out` and gives its exact size. 1xx, 204 and
 * 304 never get a Content-Length or Transfer-Encoding from it, whatever the framing says (RFC
 * 9110 8.6, RFC 9112 6.1). */
size_t gale__response_write(const gale__response_t *r, char *out);

/* Standard reason phrase; "Unknown" for a status that has none (WEB-09). */
const char *gale__reason(int status);
/* Size line of a chunk: "1f\r\n" into out (at most 18 bytes); gives its length. */
size_t gale__chunk_line(char *out, uint64_t size);

#endif
