/* Server-sent events as they go over the wire (WHATWG HTML 9.2.6). */
#ifndef GALE_CORE_SSE_H
#define GALE_CORE_SSE_H

#include <stdbool.h>

#include "gale.h"

/* Whether the event can be written: type and id hold no line end, the id no NUL. */
bool gale__sse_valid(const gale_sse_event_t *event);
/* Writes a valid event, at most `size` bytes of it; the length of all of it. */
size_t gale__sse_write(char *out, size_t size, const gale_sse_event_t *event);

#endif
