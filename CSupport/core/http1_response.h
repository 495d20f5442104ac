/* Response heads of HTTP/1.x written into memory the caller provides: no allocation, no snprintf (RFC 9112 4, 6). */
#ifndef GALE_CORE_HTTP1_RESPONSE_H
#define GALE_CORE_HTTP1_RESPONSE_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__BODY_NONE, GALE__BODY_LENGTH, GALE__BODY_CHUNKED, GALE__BODY_UNTIL_CLOSE };

/* "Server: gale\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second by the worker. */
typedef struct {
    char text[80];
    uint32_t server_len; /* bytes of the Server line at the start; 0 when it is off */
    uint32_t len;        /* of both lines */
    int64_t second;      /* the Unix time it stands for */
} gale__stamp_t;
/* Brings the stamp to `unix_seconds`; cheap when nothing changed. */
void gale__stamp_update(gale__stamp_t *stamp, int64_t unix_seconds, bool with_server);

typedef struct {
    int status;
    uint8_t minor;       /* of the request: HTTP/1.0 clients get "Connection: keep-alive" when it is kept */
    bool keep_alive;
    uint8_t framing;     /* GALE__BODY_* */
    uint64_t length;     /* for GALE__BODY_LENGTH */
    const gale_header_t *headers;
    size_t header_count;
    const gale__stamp_t *stamp;
} gale__response_t;

/* Checks status and headers as gale.h says and gives an upper bound of the head's size, or a negative GALE_E*.
 * *close is set when the headers ask for "Connection: close". */
int64_t gale__response_check(const gale__response_t *r, bool *close);
/* Writes the checked head with its final empty line to `out` and gives its exact size. */
size_t gale__response_write(const gale__response_t *r, char *out);

/* Standard reason phrase; "Unknown" for a status that has none (WEB-09). */
const char *gale__reason(int status);
/* Writes an IMF-fixdate (29 bytes, no NUL; RFC 9110 5.6.7). */
void gale__format_date(char *out, int64_t unix_seconds);
/* Reads any of the three HTTP-date forms; false when malformed. */
bool gale__parse_date(gale_str_t text, int64_t *unix_seconds);
/* Size line of a chunk: "1f\r\n" into out (at most 18 bytes); gives its length. */
size_t gale__chunk_line(char *out, uint64_t size);

#endif
