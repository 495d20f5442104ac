/* gale_sse_*: a streamed response whose pieces are events. */
#include "../core/sse.h"

#include <uv.h>

#include "../io/connection.h"
#include "config.h"
#include "given.h"
#include "mem.h"
#include "str.h"

enum {
    HEARTBEAT_MS = 15000,
    OWN_HEADERS = 3,
    MAX_HEADERS = 64 /* of the caller */
};

int gale_sse_begin(gale_req_t *r, uint32_t heartbeat_ms, const gale_header_t *headers,
                   size_t count) {
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    if (count > MAX_HEADERS) return GALE_ELIMIT;
    if (gale__fields_lack(headers, count)) return UV_EINVAL;
    gale_header_t all[OWN_HEADERS + MAX_HEADERS] = {
        {GALE__LIT("Content-Type"), GALE__LIT("text/event-stream; charset=utf-8")},
        {GALE__LIT("Cache-Control"), GALE__LIT("no-store")},
        {GALE__LIT("X-Accel-Buffering"), GALE__LIT("no")}, /* nginx would hold events back */
    };
    for (size_t i = 0; i < count; i++) all[OWN_HEADERS + i] = headers[i];
    int err = gale__exchange_begin(r, 200, all, OWN_HEADERS + count, -1);
    if (err < 0) return err;
    r->heartbeat_ms = heartbeat_ms > 0 ? heartbeat_ms : HEARTBEAT_MS;
    return 0;
}

static int take(gale_sse_event_t *to, const gale_sse_event_t *from) {
    enum { FIRST = offsetof(gale_sse_event_t, retry_ms) + sizeof to->retry_ms };
    int err = gale__struct_take(to, sizeof *to, from, FIRST);
    if (err < 0) return err;
    if (gale__str_lacks(to->data) || gale__str_lacks(to->event) || gale__str_lacks(to->id)) {
        return UV_EINVAL;
    }
    return gale__sse_valid(to) ? 0 : GALE_EHEADER;
}

int gale_sse_send(gale_req_t *r, const gale_sse_event_t *event) {
    gale_sse_event_t e = {0};
    if (!gale__on_loop(r->worker)) return GALE_ETHREAD;
    int err = take(&e, event);
    if (err < 0) return err;
    size_t len = gale__sse_write(NULL, 0, &e);
    char *text = gale__malloc(len);
    if (text == NULL) return UV_ENOMEM;
    gale__sse_write(text, len, &e);
    gale_buf_t buf = {text, len, gale__free, text};
    return gale__exchange_write_buf(r, buf);
}

int64_t gale_sse_format(char *out, size_t size, const gale_sse_event_t *event) {
    gale_sse_event_t e = {0};
    int err = gale__lacks(out, size) ? UV_EINVAL : take(&e, event);
    return err < 0 ? err : (int64_t)gale__sse_write(out, size, &e);
}

gale_str_t gale_sse_last_id(const gale_req_t *r) {
    return gale_req_header(r, GALE__LIT("Last-Event-ID"));
}
