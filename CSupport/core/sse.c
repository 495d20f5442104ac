#include "sse.h"

#include <string.h>

#include "str.h"

typedef struct {
    char *at;
    size_t room;
    size_t len; /* of all, written or not */
} out_t;

static void put(out_t *out, gale_str_t text) {
    size_t n = text.len < out->room ? text.len : out->room;
    if (n > 0) memcpy(out->at, text.ptr, n);
    if (n > 0) out->at += n;
    out->room -= n;
    out->len += text.len;
}

static void put_field(out_t *out, gale_str_t name, gale_str_t value) {
    put(out, name);
    put(out, value);
    put(out, GALE__LIT("\n"));
}

static void put_number(out_t *out, gale_str_t name, uint32_t value) {
    char digits[10];
    size_t n = sizeof digits;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    put_field(out, name, gale_str(digits + n, sizeof digits - n));
}

/* A field for each line; CRLF, CR and LF end one alike. */
static void put_lines(out_t *out, gale_str_t text) {
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\n' && text.ptr[i] != '\r') continue;
        put_field(out, GALE__LIT("data: "), gale_str(text.ptr + start, i - start));
        if (text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n') i++;
        start = i + 1;
    }
    put_field(out, GALE__LIT("data: "),
              gale_str(text.len > 0 ? text.ptr + start : "", text.len - start));
}

static bool is_line(gale_str_t text) {
    return text.len == 0 ||
           (memchr(text.ptr, '\n', text.len) == NULL && memchr(text.ptr, '\r', text.len) == NULL);
}

bool gale__sse_valid(const gale_sse_event_t *e) {
    return is_line(e->event) && is_line(e->id) &&
           (e->id.len == 0 || memchr(e->id.ptr, '\0', e->id.len) == NULL);
}

size_t gale__sse_write(char *buffer, size_t size, const gale_sse_event_t *e) {
    out_t out = {buffer, size, 0};
    if (e->event.len > 0) put_field(&out, GALE__LIT("event: "), e->event);
    if (e->id.ptr != NULL) put_field(&out, GALE__LIT("id: "), e->id);
    if (e->retry_ms > 0) put_number(&out, GALE__LIT("retry: "), e->retry_ms);
    if (e->data.ptr != NULL) put_lines(&out, e->data);
    put(&out, GALE__LIT("\n"));
    return out.len;
}
