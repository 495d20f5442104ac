/* What zlib refuses or ends at, as inflate tells it. */
#include "inflate.h"

#include "test.h"

#if GALE_WITH_ZLIB
static gale__budget_t budget = {0, SIZE_MAX};

TEST(inflate, ends_and_refusals) {
    static const struct {
        const char *what;
        gale__format_t format;
        const char *bytes;
        size_t len;
        int result;
        size_t left; /* of the input */
    } rows[] = {
        {"RFC 1951, a final block", GALE__FORMAT_RAW, "\x4b\x4c\x4a\x06\x00", 5, GALE__CODER_END,
         0},
        {"bytes behind it are left", GALE__FORMAT_RAW, "\x4b\x4c\x4a\x06\x00zz", 7, GALE__CODER_END,
         2},
        {"a block that is not final", GALE__FORMAT_RAW, "\x4a\x4c\x4a\x06\x00", 5, GALE__CODER_DONE,
         0},
        {"block type 3", GALE__FORMAT_RAW, "\x07", 1, GALE__CODER_BAD, 0},
        {"a distance before the start", GALE__FORMAT_RAW, "\x03\x02\x00", 3, GALE__CODER_BAD, 0},
        {"zlib", GALE__FORMAT_ZLIB, "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x27", 11,
         GALE__CODER_END, 0},
        {"zlib, a wrong sum", GALE__FORMAT_ZLIB, "\x78\x9c\x4b\x4c\x4a\x06\x00\x02\x4d\x01\x28", 11,
         GALE__CODER_BAD, 0},
        {"zlib, a preset dictionary", GALE__FORMAT_ZLIB, "\x78\xbb\x01\x02\x03\x04", 6,
         GALE__CODER_BAD, 0},
        {"raw is no zlib", GALE__FORMAT_ZLIB, "\x4b\x4c\x4a\x06\x00", 5, GALE__CODER_BAD, 3},
        {"zlib is no gzip", GALE__FORMAT_GZIP, "\x78\x9c\x4b\x4c\x4a\x06\x00", 7, GALE__CODER_BAD,
         5},
        {"gzip, another method", GALE__FORMAT_GZIP, "\x1f\x8b\x07\x00", 4, GALE__CODER_BAD, 0},
        {"gzip, reserved flags", GALE__FORMAT_GZIP, "\x1f\x8b\x08\xe0", 4, GALE__CODER_BAD, 0},
        {"gzip, with a name that goes on", GALE__FORMAT_GZIP, "\x1f\x8b\x08\x08\0\0\0\0\0\x03name",
         14, GALE__CODER_DONE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[64];
        gale__inflate_t *inflate = gale__inflate_new(rows[i].format, 15, &budget);
        REQUIRE(inflate != NULL);
        for (int again = 0; again < 2; again++) { /* a reset forgets all of it */
            gale__coder_io_t io = {rows[i].bytes, rows[i].len, out, sizeof out};
            int result = gale__inflate_step(inflate, &io);
            CHECK_MSG(result == rows[i].result, "%s: %d", rows[i].what, result);
            CHECK_MSG(result == GALE__CODER_BAD || io.in_len == rows[i].left, "%s: %zu left",
                      rows[i].what, io.in_len);
            gale__inflate_reset(inflate);
        }
        gale__inflate_free(inflate);
    }
    CHECK_EQ_UINT(budget.used, 0);
}

TEST(inflate, no_more_room) {
    char out[4];
    gale__inflate_t *inflate = gale__inflate_new(GALE__FORMAT_RAW, 15, &budget);
    REQUIRE(inflate != NULL);
    gale__coder_io_t io = {"\x4b\x4c\x4a\x06\x00", 5, out, 2};
    CHECK_EQ_INT(gale__inflate_step(inflate, &io), GALE__CODER_FULL);
    CHECK_EQ_MEM(out, "ab", 2);
    io.out_len = 2;
    CHECK_EQ_INT(gale__inflate_step(inflate, &io), GALE__CODER_END);
    CHECK(io.out_len == 1 && out[2] == 'c');
    gale__inflate_free(inflate);
}
#endif
