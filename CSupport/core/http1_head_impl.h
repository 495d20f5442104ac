/*
 * What the parts of the head parser share: the phases and flags within gale__head_t.state, the slow
 * paths in http1_head.c that the parser body calls, and the implementations by name. Nobody else
 * includes this.
 */
#ifndef GALE_CORE_HTTP1_HEAD_IMPL_H
#define GALE_CORE_HTTP1_HEAD_IMPL_H

#include "http1_head.h"

/* Where the parser is: the low byte of gale__head_t.state. */
enum {
    GALE__PHASE_START,  /* nothing taken: an empty line may come */
    GALE__PHASE_METHOD, /* in the method */
    GALE__PHASE_TARGET, /* method taken, in the target */
    GALE__PHASE_VERSION,
    GALE__PHASE_NAME, /* at the start of a field or the empty line, or in a name */
    GALE__PHASE_VALUE /* name stands in headers[header_count], colon passed */
};
#define GALE__PHASE(state) ((state)&0xffu)

/* What was seen so far: the bits above. */
enum {
    GALE__SAW_HOST = 1 << 8,
    GALE__SAW_LENGTH = 1 << 9,
    GALE__SAW_CODING = 1 << 10,
    GALE__SAW_CLOSE = 1 << 11,
    GALE__SAW_KEEP_ALIVE = 1 << 12,
    GALE__SAW_CONNECTION_UPGRADE = 1 << 13,
    GALE__SAW_UPGRADE = 1 << 14
};

enum { GALE__VERSION_LEN = 10 }; /* "HTTP/1.1\r\n" */

/* Notes why and gives -status. */
int gale__head_refuse(gale__head_t *head, int status, const char *error);
/* Refuses the line at whose byte the method or name could not go on. */
int gale__head_refuse_line(gale__head_t *head, uint8_t byte, bool empty);
/* Refuses a head that reached its limit in this phase. */
int gale__head_too_long(gale__head_t *head, uint32_t phase);
/* Checks any target that is not simply a path. 0 or negative. */
int gale__head_target(gale__head_t *head);
/* Checks what there is of the version and its line end: their length when they are complete, 0 when
 * more is wanted, or negative. */
int gale__head_version(gale__head_t *head, const gale__head_limits_t *limits, const char *bytes,
                       size_t len);
/* Takes note of the field that was added last, which may be one of those known here. 0 or
 * negative. */
int gale__head_field(gale__head_t *head, const gale__head_limits_t *limits);
/* Whether the line that begins with a blank may go on with the field before it; then the line end
 * between them has become blanks. */
bool gale__head_unfold(const gale__head_t *head, const gale__head_limits_t *limits,
                       const char *bytes, uint32_t line);
/* The end: what only the whole head can tell. `size` or negative. */
int gale__head_finish(gale__head_t *head, const gale__head_limits_t *limits, uint32_t size);

int gale__head_parse_avx512(gale__head_t *, const gale__head_limits_t *, const char *, size_t);
int gale__head_parse_avx2(gale__head_t *, const gale__head_limits_t *, const char *, size_t);
int gale__head_parse_sse42(gale__head_t *, const gale__head_limits_t *, const char *, size_t);
int gale__head_parse_neon(gale__head_t *, const gale__head_limits_t *, const char *, size_t);
int gale__head_parse_scalar(gale__head_t *, const gale__head_limits_t *, const char *, size_t);

#endif
