/*
 * libFuzzer target of server-sent events: what is written for an event must be read back as that
 * event, and no more than one, by a reader made after WHATWG HTML 9.2.6. The input is four texts
 * with their lengths before them: data, event, id, and digits that make the retry time; a length of
 * 255 is a text that isn't there.
 */
#include <stdlib.h>
#include <string.h>

#include "sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

enum { DATA_MAX = 4096 };

/* What a browser has understood. */
typedef struct {
    char data[DATA_MAX];
    size_t data_len;
    gale_str_t event, id;
    uint64_t retry;
    unsigned dispatched; /* blank lines */
    bool has_data, has_id, has_retry;
} reader_t;

static bool is(gale_str_t text, const char *word) {
    return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

static void take_field(reader_t *r, gale_str_t name, gale_str_t value) {
    MUST(r->dispatched == 0);
    if (is(name, "event")) {
        r->event = value;
    } else if (is(name, "id")) {
        MUST(value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL);
        r->id = value;
        r->has_id = true;
    } else if (is(name, "retry")) {
        r->has_retry = true;
        for (size_t i = 0; i < value.len; i++) {
            MUST(value.ptr[i] >= '0' && value.ptr[i] <= '9');
            r->retry = r->retry * 10 + (uint64_t)(value.ptr[i] - '0');
        }
    } else {
        MUST(is(name, "data"));
        if (r->has_data) r->data[r->data_len++] = '\n';
        MUST(r->data_len + value.len < DATA_MAX);
        if (value.len > 0) memcpy(r->data + r->data_len, value.ptr, value.len);
        r->data_len += value.len;
        r->has_data = true;
    }
}

static void take_line(reader_t *r, gale_str_t line) {
    if (line.len == 0) {
        r->dispatched++;
        return;
    }
    const char *colon = memchr(line.ptr, ':', line.len);
    MUST(colon != NULL && colon != line.ptr); /* neither a field without a value nor a comment */
    gale_str_t value = gale_str(colon + 1, line.len - (size_t)(colon + 1 - line.ptr));
    if (value.len > 0 && value.ptr[0] == ' ') value = gale_str(value.ptr + 1, value.len - 1);
    take_field(r, gale_str(line.ptr, (size_t)(colon - line.ptr)), value);
}

static void read_back(reader_t *r, const char *bytes, size_t len) {
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n' && bytes[i] != '\r') continue;
        take_line(r, gale_str(bytes + start, i - start));
        if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n') i++;
        start = i + 1;
    }
    MUST(start == len);
}

static gale_str_t next_text(const uint8_t **at, size_t *left) {
    if (*left == 0 || **at == 255) {
        *left -= *left > 0;
        *at += *left > 0;
        return gale_str(NULL, 0);
    }
    size_t len = **at, room = *left - 1;
    const char *text = (const char *)*at + 1;
    if (len > room) len = room;
    *at += 1 + len;
    *left -= 1 + len;
    return gale_str(text, len);
}

/* Whether the reader's data is the event's, whose line ends are one LF each. */
static void same_data(const reader_t *r, gale_str_t data) {
    size_t k = 0;
    for (size_t i = 0; i < data.len; i++, k++) {
        char c = data.ptr[i];
        if (c == '\r') {
            if (i + 1 < data.len && data.ptr[i + 1] == '\n') i++;
            c = '\n';
        }
        MUST(k < r->data_len && r->data[k] == c);
    }
    MUST(k == r->data_len);
}

static bool same(gale_str_t a, gale_str_t b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    gale_sse_event_t e = gale_sse_event(next_text(&bytes, &size));
    e.event = next_text(&bytes, &size);
    e.id = next_text(&bytes, &size);
    gale_str_t retry = next_text(&bytes, &size);
    for (size_t i = 0; i < retry.len && i < 4; i++) {
        e.retry_ms = e.retry_ms << 8 | (uint8_t)retry.ptr[i];
    }
    if (!gale__sse_valid(&e)) return 0;

    size_t len = gale__sse_write(NULL, 0, &e);
    char *out = malloc(len); /* exact, for AddressSanitizer; a blank line at least */
    MUST(out != NULL && gale__sse_write(out, len, &e) == len);
    reader_t *r = calloc(1, sizeof *r);
    MUST(r != NULL);
    read_back(r, out, len);
    MUST(r->dispatched == 1 && same(r->event, e.event));
    MUST(r->has_id == (e.id.ptr != NULL) && same(r->id, e.id));
    MUST(r->has_retry == (e.retry_ms > 0) && r->retry == e.retry_ms);
    MUST(r->has_data == (e.data.ptr != NULL));
    same_data(r, e.data);
    free(r);
    free(out);
    return 0;
}
