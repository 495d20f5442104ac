/*
 * libFuzzer target of header parameters: each value that is found can be asked for by its name, is
 * never longer than the field, needs just its length of room, and comes out again when it is quoted
 * anew.
 */
#include <stdlib.h>

#include "header_params.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static char *room(size_t size) {
    char *mem = malloc(size > 0 ? size : 1);
    MUST(mem != NULL);
    return mem;
}

/* `x; n="..."` holds the same value. */
static void check_again(gale_str_t value, unsigned flags) {
    char *field = room(value.len * 2 + 8), *out = room(value.len);
    size_t len = 6;
    memcpy(field, "x; n=\"", 6);
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\') field[len++] = '\\';
        field[len++] = value.ptr[i];
    }
    field[len++] = '"';
    int got = gale__param_get(gale_str(field, len), GALE__LIT("N"), flags, out, value.len);
    MUST(got >= 0 && gale__eq(gale_str(out, (size_t)got), value));
    free(field);
    free(out);
}

static void check_name(gale_str_t field, gale_str_t name, unsigned flags) {
    char *out = room(field.len);
    int len = gale__param_get(field, name, flags, out, field.len);
    MUST(len != GALE__PARAM_FULL && (len < 0 || (size_t)len <= field.len));
    if (len >= 0) {
        char *exact = room((size_t)len);
        MUST(gale__param_get(field, name, flags, exact, (size_t)len) == len);
        MUST(memcmp(exact, out, (size_t)len) == 0);
        if (len > 0) {
            MUST(gale__param_get(field, name, flags, exact, (size_t)len - 1) == GALE__PARAM_FULL);
        }
        check_again(gale_str(exact, (size_t)len), flags);
        free(exact);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = room(size);
    if (size > 0) memcpy(copy, data, size);
    gale_str_t field = gale_str(copy, size), rest = field, main;
    gale__param_t p;
    if (size <= 2048 && gale__params_begin(&rest, &main)) {
        int more, count = 0;
        while ((more = gale__params_next(&rest, &p)) > 0 && count++ < 64) {
            gale_str_t base = p.name;
            const char *star = memchr(p.name.ptr, '*', p.name.len);
            if (star != NULL) base.len = (size_t)(star - p.name.ptr);
            check_name(field, p.name, 0);
            check_name(field, base, 0);
            check_name(field, base, GALE__PARAM_FORM);
        }
        MUST(more < 0 || count >= 64 || rest.len == 0);
    }
    free(copy);
    return 0;
}
