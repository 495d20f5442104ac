/* What fields say about coding a body, and what becomes of them. */
#include "coded_fields.h"

#include <stdlib.h>

#include "rig.h"

enum { NO_LENGTH = -7 };

/* "Name: value" lines as fields. */
static size_t fields_of(const char *lines, gale_header_t *h) {
    size_t n = 0;
    while (*lines != '\0') {
        const char *end = strchr(lines, '\n'), *colon = strchr(lines, ':');
        if (end == NULL) end = lines + strlen(lines);
        h[n].name = gale_str(lines, (size_t)(colon - lines));
        const char *value = colon[1] == ' ' ? colon + 2 : colon + 1;
        h[n++].value = gale_str(value, (size_t)(end - value));
        lines = *end == '\n' ? end + 1 : end;
    }
    return n;
}

TEST(coded_fields, fit) { /* GZ-01 */
    static const struct {
        int status;
        const char *lines;
        gale__coded_fit_t want;
        int64_t length;
    } rows[] = {
        {200, "Content-Type: text/html", GALE__CODED_GLADLY, NO_LENGTH},
        {404, "content-type: text/html", GALE__CODED_GLADLY, NO_LENGTH},
        {500, "X: y\nContent-Type: application/json", GALE__CODED_GLADLY, NO_LENGTH},
        {200, "", GALE__CODED_FOREIGN, NO_LENGTH},
        {200, "Content-Type: image/png", GALE__CODED_FOREIGN, NO_LENGTH},
        {200, "Content-Type: text/html\nContent-Length: 12", GALE__CODED_GLADLY, 12},
        {200, "Content-Type: text/html\nContent-Length: x", GALE__CODED_NEVER, NO_LENGTH},
        {101, "Content-Type: text/html", GALE__CODED_NEVER, NO_LENGTH},
        {204, "Content-Type: text/html", GALE__CODED_NEVER, NO_LENGTH},
        {205, "Content-Type: text/html", GALE__CODED_NEVER, NO_LENGTH},
        {206, "Content-Type: text/html", GALE__CODED_NEVER, NO_LENGTH},
        {304, "", GALE__CODED_GLADLY, NO_LENGTH},
        {304, "Content-Type: image/png", GALE__CODED_FOREIGN, NO_LENGTH},
        {304, "Content-Encoding: br", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nContent-Encoding: gzip", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nContent-Encoding: identity", GALE__CODED_NEVER, NO_LENGTH},
        {416, "Content-Type: text/html\nCONTENT-RANGE: bytes */5", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nCache-Control: no-transform", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Cache-Control: public, No-Transform, max-age=1\nContent-Type: text/html",
         GALE__CODED_NEVER, NO_LENGTH},
        {200, "Cache-Control: no-transformer\nContent-Type: text/html", GALE__CODED_GLADLY,
         NO_LENGTH},
        {200, "Content-Type: text/html\nDigest: sha-256=x", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nContent-Digest: sha-256=:x:", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nRepr-Digest: sha-256=:x:", GALE__CODED_NEVER, NO_LENGTH},
        {200, "Content-Type: text/html\nContent-MD5: x", GALE__CODED_NEVER, NO_LENGTH},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale_header_t h[8];
        int64_t length = NO_LENGTH;
        size_t n = fields_of(rows[i].lines, h);
        gale__coded_fit_t got = gale__coded_fit(rows[i].status, h, n, &length);
        CHECK_MSG(got == rows[i].want, "%d %s: %d", rows[i].status, rows[i].lines, got);
        CHECK_MSG(got == GALE__CODED_NEVER || length == rows[i].length, "%s", rows[i].lines);
    }
    /* A length nobody can have is not read. */
    gale_header_t huge = {{"Cache-Control", 13}, {"x", SIZE_MAX}};
    int64_t length;
    CHECK_EQ_INT(gale__coded_fit(200, &huge, 1, &length), GALE__CODED_NEVER);
}

static void check_fields(int status, gale__coding_t coding, const char *lines, const char *want) {
    gale_header_t h[8], *out;
    size_t n = fields_of(lines, h), text_len = gale__coded_text(h, n);
    char *text = malloc(text_len + 1);
    out = malloc((n + 2) * sizeof *out); /* exactly what is asked for: a write too far shows */
    REQUIRE(text != NULL && out != NULL);
    size_t count = gale__coded_fields(status, h, n, coding, out, text);
    rig_text_t got = {0};
    for (size_t i = 0; i < count; i++) {
        rig_text_addf(&got, "%s%.*s: %.*s", i == 0 ? "" : "\n", (int)out[i].name.len,
                      out[i].name.ptr, (int)out[i].value.len, out[i].value.ptr);
    }
    CHECK_MSG(got.len == strlen(want) && memcmp(got.text, want, got.len) == 0,
              "from\n%s\nwant\n%s\ngot\n%s", lines, want, got.text);
    rig_text_free(&got);
    free(text);
    free(out);
}

TEST(coded_fields, of_a_coded_response_GZ_02) {
    static const char *const rows[][2] = {
        {"Content-Type: text/html",
         "Content-Type: text/html\nContent-Encoding: gzip\nVary: Accept-Encoding"},
        {"A: 1\nVary: Cookie\nB: 2",
         "A: 1\nVary: Cookie, Accept-Encoding\nB: 2\nContent-Encoding: gzip"},
        {"Vary: Cookie, User-Agent\nVary: Accept",
         "Vary: Cookie, User-Agent, Accept-Encoding\nVary: Accept\nContent-Encoding: gzip"},
        {"Vary: Cookie\nVary: accept-encoding",
         "Vary: Cookie\nVary: accept-encoding\nContent-Encoding: gzip"},
        {"vary: *", "vary: *\nContent-Encoding: gzip"},
        {"Vary:", "Vary: Accept-Encoding\nContent-Encoding: gzip"},
        {"Vary: X-Accept-Encoding",
         "Vary: X-Accept-Encoding, Accept-Encoding\nContent-Encoding: gzip"},
        {"ETag: \"abc\"", "ETag: W/\"abc\"\nContent-Encoding: gzip\nVary: Accept-Encoding"},
        {"etag: W/\"abc\"", "etag: W/\"abc\"\nContent-Encoding: gzip\nVary: Accept-Encoding"},
        {"ETag: odd", "ETag: odd\nContent-Encoding: gzip\nVary: Accept-Encoding"},
        {"Accept-Ranges: bytes\nContent-Length: 5\nC: 3",
         "C: 3\nContent-Encoding: gzip\nVary: Accept-Encoding"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_fields(200, GALE__GZIP, rows[i][0], rows[i][1]);
    }
    check_fields(200, GALE__BROTLI, "", "Content-Encoding: br\nVary: Accept-Encoding");
    check_fields(200, GALE__ZSTD, "", "Content-Encoding: zstd\nVary: Accept-Encoding");
    check_fields(200, GALE__DEFLATE, "", "Content-Encoding: deflate\nVary: Accept-Encoding");
}

TEST(coded_fields, of_one_that_stayed_plain_and_of_a_304) {
    check_fields(200, GALE__IDENTITY, "ETag: \"a\"\nAccept-Ranges: bytes\nContent-Length: 5",
                 "ETag: \"a\"\nAccept-Ranges: bytes\nContent-Length: 5\nVary: Accept-Encoding");
    check_fields(200, GALE__IDENTITY, "Vary: Origin", "Vary: Origin, Accept-Encoding");
    check_fields(304, GALE__GZIP, "ETag: \"a\"", "ETag: W/\"a\"\nVary: Accept-Encoding");
    check_fields(304, GALE__IDENTITY, "ETag: \"a\"", "ETag: \"a\"\nVary: Accept-Encoding");
}
