/*
 * libFuzzer target of conditional requests: lines of the input are fields of the seven kinds, told
 * by their first byte. Entity tags and dates are read by every branch there is; the answer is one of
 * three, and a failed condition never leaves a range.
 */
#include <stdlib.h>
#include <string.h>

#include "conditions.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Range",    "Host"};
    static const gale__validators_t kinds[] = {{{"\"x\"", 3}, 784111777, 784111778},
                                               {{"W/\"x\"", 5}, 784111777, 784111777},
                                               {{NULL, 0}, INT64_MIN, 0}};
    gale_header_t fields[16];
    char *values[16];
    size_t count = 0;
    for (size_t at = 0; at < size && count < 16; count++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t len = end != NULL ? (size_t)(end - data) - at : size - at;
        const char *name = names[len > 0 ? data[at] % 7 : 6];
        size_t value = len > 0 ? len - 1 : 0;
        values[count] = malloc(value > 0 ? value : 1);
        MUST(values[count] != NULL);
        if (value > 0) memcpy(values[count], data + at + 1, value);
        fields[count] = (gale_header_t){gale_cstr(name), gale_str(values[count], value)};
        at += len + 1;
    }
    for (size_t i = 0; i < 3; i++) {
        gale_str_t range;
        int status = gale__conditions(fields, count, &kinds[i], &range);
        MUST(status == 0 || status == 304 || status == 412);
        MUST(range.ptr == NULL || status == 0);
    }
    for (size_t i = 0; i < count; i++) free(values[i]);
    return 0;
}
