/*
 * libFuzzer target of what is made of small pieces: urlencoded pairs, cookies, file names. Pairs
 * must be the same from one text and in pieces, whatever their size; cookies end and never grow; a
 * safe name is one, and is its own safe name.
 */
#include <stdlib.h>

#include "../http1_feed.h"
#include "cookie.h"
#include "file_name.h"
#include "str.h"
#include "urlencoded.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static char *copy_of(const void *bytes, size_t len) {
    char *mem = malloc(len > 0 ? len : 1);
    MUST(mem != NULL);
    if (len > 0) memcpy(mem, bytes, len);
    return mem;
}

/* The next raw pair of `rest` is this decoded one. */
static void check_pair(gale_str_t *rest, gale_str_t name, gale_str_t value) {
    gale_str_t raw_name, raw_value;
    MUST(gale__pairs_next(rest, &raw_name, &raw_value));
    MUST(gale__form_equals(raw_name, name) && gale__form_equals(raw_value, value));
}

static void check_pairs(gale_str_t text, int mode, uint32_t seed) {
    gale__urlencoded_t u;
    gale_str_t rest = text, name, value;
    char *room = copy_of(text.ptr, text.len);
    int result = 0;
    gale__urlencoded_init(&u, room, text.len, UINT32_MAX);
    for (size_t given = 0; given < text.len;) {
        size_t step = feed_step(mode, text.len - given, &seed), pos = 0;
        char *piece = copy_of(text.ptr + given, step);
        given += step;
        while ((result = gale__urlencoded_next(&u, gale_str(piece, step), &pos, given == text.len,
                                               &name, &value)) > 0) {
            check_pair(&rest, name, value);
        }
        MUST(result == GALE__URLENCODED_MORE && pos == step);
        free(piece);
    }
    MUST(!gale__pairs_next(&rest, &name, &value));
    free(room);
}

static void check_cookies(gale_str_t field) {
    gale_str_t name, value;
    size_t left = field.len + 1;
    while (gale__cookie_next(&field, &name, &value)) {
        MUST(field.len < left);
        left = field.len;
        char *out = copy_of(value.ptr, value.len);
        size_t len = gale__cookie_unquote(value, out);
        MUST(len <= value.len);
        if (!gale__cookie_escaped(&value)) MUST(gale__eq(value, gale_str(out, len)));
        free(out);
    }
}

static void check_name(gale_str_t name) {
    char out[GALE__FILE_NAME_MAX], again[GALE__FILE_NAME_MAX];
    size_t len = gale__safe_file_name(name, out);
    MUST(len > 0 && len <= sizeof out && out[0] != '.' && gale__utf8_valid(out, len));
    MUST(memchr(out, '/', len) == NULL && memchr(out, '\\', len) == NULL);
    MUST(memchr(out, '\0', len) == NULL);
    if (len == sizeof out) return; /* one byte is kept for a device's '_' */
    MUST(gale__eq(gale_str(again, gale__safe_file_name(gale_str(out, len), again)),
                  gale_str(out, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = copy_of(data, size);
    gale_str_t text = gale_str(copy, size);
    for (int mode = FEED_WHOLE; mode <= FEED_RANDOM; mode++) {
        check_pairs(text, mode, (uint32_t)size * 2654435761u);
    }
    check_cookies(text);
    check_name(text);
    free(copy);
    return 0;
}
