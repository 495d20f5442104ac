/*
 * Request heads of HTTP/1.x: request line and fields, parsed where they lie (RFC 9112 2-3, 5-7).
 *
 * The parser is resumable by line: a call on a longer version of the same bytes goes on at the
 * first line that was not complete, and within it at the byte up to which it had looked, so that
 * the cost is linear however the bytes arrive. Strict: CRLF line ends only, no obs-fold, no blank
 * before the colon, one Content-Length of digits only, not together with Transfer-Encoding, exactly
 * one valid Host in HTTP/1.1, which the authority of an http URL as target replaces, in the table as
 * well.
 */
#ifndef GALE_CORE_HTTP1_HEAD_H
#define GALE_CORE_HTTP1_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

/* What a head says of the message's framing and the connection. */
typedef struct {
    gale_str_t method, target;
    gale_header_t *headers; /* the caller's table */
    uint32_t header_count;
    uint8_t minor;   /* 0 or 1 */
    bool keep_alive; /* by version and Connection (RFC 9112 9.3) */
    bool chunked;
    bool expect_continue;   /* Expect: 100-continue in HTTP/1.1 */
    bool upgrade;           /* Connection: upgrade together with an Upgrade field */
    int64_t content_length; /* 0 when there is none; meaningless when chunked */
    bool has_content_length;
    gale_str_t host;
    const char *error; /* after a refusal: one sentence for the client and the log */

    /* Where the next call goes on. Private to the parser. */
    uint32_t line;    /* offset of the first line not yet taken */
    uint32_t scanned; /* offset up to which that line has been looked at */
    uint32_t state;
} gale__head_t;

/* What is taken that RFC 9112 has a server refuse, or lets it (gale.h says what each opens). */
enum {
    GALE__LENIENT_BARE_LF = 1,  /* LF ends a line as CRLF does */
    GALE__LENIENT_OBS_FOLD = 2, /* a line that begins with a blank goes on with the one before */
    GALE__LENIENT_NO_HOST = 4,
    GALE__LENIENT_LENGTHS = 8 /* equal values of Content-Length are one */
};

typedef struct {
    uint32_t max_bytes;   /* request line, fields and the empty line */
    uint32_t max_headers; /* size of the table */
    uint32_t lenient;     /* GALE__LENIENT_* */
} gale__head_limits_t;

/* Makes `head` ready for a new message with this table. */
void gale__head_init(gale__head_t *head, gale_header_t *table);

/* Parses bytes[0..len). Result > 0: bytes of the head, all fields of `head` are set and point into
 * `bytes`. 0: more bytes are wanted (and len < max_bytes). < 0: minus the status to refuse with:
 * 400, 414, 417, 431, 501, 505; `error` is set. One empty line before the request line is skipped (RFC
 * 9112 2.2), and counts as part of the head. Only with GALE__LENIENT_OBS_FOLD are bytes written to:
 * the line end within a folded value becomes blanks. */
int gale__head_parse(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                     size_t len);

/* The bytes moved from `from` to `to` between two calls (a buffer grew): adjusts what points into
 * them. */
void gale__head_rebase(gale__head_t *head, const char *from, const char *to);

/* The implementations behind gale__head_parse, for differential tests. Unavailable ones
 * are null. */
typedef int (*gale__head_parse_fn)(gale__head_t *, const gale__head_limits_t *, const char *,
                                   size_t);
typedef struct {
    const char *name; /* "avx512", "avx2", "sse42", "neon", "scalar" */
    gale__head_parse_fn parse;
} gale__head_impl_t;
/* In order of preference; *count of them run on this CPU; the scalar one is last. */
const gale__head_impl_t *gale__head_impls(size_t *count);

#endif
