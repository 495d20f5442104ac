/*
 * libFuzzer target of the multipart parser: whole, cut in two, byte by byte and in random pieces it
 * must give the same parts and refuse for the same reason. The boundary is that of the body's first
 * line, as far as it can be one; the limits vary with the input's bytes, so that the files of the
 * corpus are plain bodies.
 */
#include "../multipart_feed.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

/* "--B" as far as B is valid. */
static void boundary_of(const char *bytes, size_t len, char out[GALE__BOUNDARY_MAX + 1]) {
    size_t n = 0;
    strcpy(out, "1234");
    while (2 + n < len && n < GALE__BOUNDARY_MAX && gale__is_boundary(gale_str(bytes + 2 + n, 1))) {
        n++;
    }
    if (n > 0 && gale__is_boundary(gale_str(bytes + 2, n))) {
        memcpy(out, bytes + 2, n);
        out[n] = '\0';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    char boundary[GALE__BOUNDARY_MAX + 1];
    uint32_t seed = 2166136261u;
    if (size > 8192) return -1;
    for (size_t i = 0; i < size; i++) seed = (seed ^ data[i]) * 16777619u;
    gale__multipart_limits_t limits = {8, 400, GALE__PART_HEADERS, 4096, 8192};
    if (seed % 8 == 1) limits.max_parts = seed / 8 % 4;
    if (seed % 8 == 2) limits.max_header_bytes = seed / 8 % 128;
    if (seed % 8 == 3) limits.max_headers = seed / 8 % 4;
    if (seed % 8 == 4) limits.max_part_bytes = seed / 8 % 64;
    if (seed % 8 == 5) limits.max_bytes = seed / 8 % 512;
    boundary_of(bytes, size, boundary);
    fed_form_t want, got;
    feed_form(&want, &limits, boundary, bytes, size, 0, FEED_WHOLE, 0);
    MUST(want.parts <= limits.max_parts && want.len <= 3 * size + 128);
    MUST(want.status == 0 || want.status == 400 || want.status == 413);
    for (int i = 0; i < 4; i++) {
        size_t first = i < 2 && size > 0 ? 1 + (seed >> 8) % size : 0;
        feed_form(&got, &limits, boundary, bytes, size, first, i % 3, seed + (uint32_t)i);
        MUST(gale__eq(gale_str(want.text, want.len), gale_str(got.text, got.len)));
        free(got.text);
    }
    free(want.text);
    return 0;
}
