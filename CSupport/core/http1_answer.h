/*
 * Response heads of HTTP/1.x, as a client reads them: status line and fields (RFC 9112 4-5), parsed
 * where they lie. The fields are those of a request's head, found by the same code and by the same
 * rules; what of them frames the message is judged as strictly.
 */
#ifndef GALE_CORE_HTTP1_ANSWER_H
#define GALE_CORE_HTTP1_ANSWER_H

#include "http1_head.h"

typedef struct {
    gale__head_t head; /* its fields, minor, upgrade, framing, error; it has no method or target */
    gale_str_t reason; /* behind the status; may be empty */
    int status;        /* 100-599 */
} gale__answer_t;

/* Makes `a` ready for a new head with this table. */
void gale__answer_init(gale__answer_t *a, gale_header_t *table);

/* Parses bytes[0..len), and goes on where the last call on a shorter version of them ended. > 0:
 * bytes of the head. 0: more are wanted (and len < max_bytes). < 0: it is none, or too long;
 * a->head.error says why. Of the limits `lenient` does not count. */
int gale__answer_parse(gale__answer_t *a, const gale__head_limits_t *limits, const char *bytes,
                       size_t len);

/* As gale__head_rebase. */
void gale__answer_rebase(gale__answer_t *a, const char *from, const char *to);

#endif
