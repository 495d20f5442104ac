/*
 * libFuzzer target of Range: the first eight bytes are the size of the file, the rest is the field.
 * Whatever it says, the parts lie within the file, neither overlap nor touch, and their number is
 * bounded; cut short or not, a byte beyond the field is never looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void check_text(const gale__range_t *r, uint64_t size) {
    char out[GALE__CONTENT_RANGE];
    MUST(gale__content_range(out, r, size) <= sizeof out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t file = 0;
    gale__range_t out[GALE__RANGES];
    if (size < sizeof file) return 0;
    memcpy(&file, data, sizeof file);
    file >>= 1; /* no file is longer than INT64_MAX */
    size -= sizeof file;
    char *copy = malloc(size > 0 ? size : 1);
    MUST(copy != NULL);
    memcpy(copy, data + sizeof file, size);
    int n = gale__range_parse(gale_str(copy, size), file, out);
    free(copy);
    MUST(n >= -1 && n <= GALE__RANGES);
    for (int i = 0; i < n; i++) {
        MUST(out[i].length > 0 && out[i].length <= file);
        MUST(out[i].first <= file - out[i].length);
        check_text(&out[i], file);
        for (int k = 0; k < i; k++)
            MUST(out[i].first + out[i].length < out[k].first ||
                 out[k].first + out[k].length < out[i].first);
    }
    check_text(NULL, file);
    return 0;
}
