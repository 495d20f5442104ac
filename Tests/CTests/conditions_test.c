/* Preconditions in their order (RFC 9110 13.2.2), If-Range, fields that come twice. */
#include "conditions.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

#define DATE "Tue, 14 Nov 2023 22:13:20 GMT"
#define BEFORE "Tue, 14 Nov 2023 22:13:19 GMT"
#define AFTER "Tue, 14 Nov 2023 22:13:21 GMT"
enum { MODIFIED = 1700000000 };

typedef struct {
    const char *fields; /* "Name: value\n" ... */
    int status;
    const char *range; /* null: none that counts */
} row_t;

static int ask(const char *text, const gale__validators_t *v, gale_str_t *range) {
    gale_header_t fields[8];
    size_t count = 0;
    for (const char *line = text; *line != '\0'; count++) {
        const char *colon = strchr(line, ':'), *end = strchr(line, '\n');
        fields[count].name = gale_str(line, (size_t)(colon - line));
        fields[count].value = gale__trim(gale_str(colon + 1, (size_t)(end - colon - 1)));
        line = end + 1;
    }
    return gale__conditions(fields, count, v, range);
}

static void check(const row_t *rows, size_t count, const gale__validators_t *v) {
    for (size_t i = 0; i < count; i++) {
        gale_str_t range;
        int status = ask(rows[i].fields, v, &range);
        CHECK_MSG(status == rows[i].status, "%s: %d", rows[i].fields, status);
        if (rows[i].range == NULL)
            CHECK_MSG(range.ptr == NULL, "%s", rows[i].fields);
        else
            CHECK_EQ_STRS(range, gale_cstr(rows[i].range));
    }
}
#define CHECK_ROWS(rows, v) check(rows, sizeof rows / sizeof *rows, v)

TEST(conditions, order_STA_06) { /* STA-06, WEB-26 */
    static const row_t rows[] = {
        {"Host: x\n", 0, NULL},
        {"If-None-Match: \"x\"\n", 304, NULL},
        {"if-none-match: W/\"x\"\n", 304, NULL},
        {"If-None-Match: *\n", 304, NULL},
        {"If-None-Match: \"y\"\n", 0, NULL},
        {"If-None-Match: \"y\"\nIf-None-Match: \"x\"\n", 304, NULL},
        {"If-None-Match: \"y\"\nIf-Modified-Since: " DATE "\n", 0, NULL},
        {"If-Modified-Since: " BEFORE "\nIf-None-Match: \"x\"\n", 304, NULL},
        {"If-None-Match:\nIf-Modified-Since: " DATE "\n", 0, NULL},
        {"If-Modified-Since: " DATE "\n", 304, NULL},
        {"If-Modified-Since: " AFTER "\n", 304, NULL},
        {"If-Modified-Since: " BEFORE "\n", 0, NULL},
        {"If-Modified-Since: yesterday\n", 0, NULL},
        {"If-Match: \"x\"\n", 0, NULL},
        {"If-Match: *\n", 0, NULL},
        {"If-Match: \"y\", \"x\"\n", 0, NULL},
        {"If-Match: \"y\"\nIf-Match: \"x\"\n", 0, NULL},
        {"If-Match: \"y\"\n", 412, NULL},
        {"If-Match: W/\"x\"\n", 412, NULL},
        {"If-Match:\n", 412, NULL},
        {"If-Match: \"x\"\nIf-Unmodified-Since: " BEFORE "\n", 0, NULL},
        {"If-Match: \"y\"\nIf-Unmodified-Since: " DATE "\n", 412, NULL},
        {"If-Match: \"y\"\nIf-None-Match: \"x\"\n", 412, NULL},
        {"If-Match: \"x\"\nIf-None-Match: \"x\"\n", 304, NULL},
        {"If-Unmodified-Since: " BEFORE "\n", 412, NULL},
        {"If-Unmodified-Since: " DATE "\n", 0, NULL},
        {"If-Unmodified-Since: never\n", 0, NULL},
        /* RFC 9110 13.1.3, 13.1.4: more than one date is none. */
        {"If-Modified-Since: " AFTER "\nIf-Modified-Since: " BEFORE "\n", 0, NULL},
        {"If-Modified-Since: " AFTER "\nIf-Modified-Since: " AFTER "\n", 0, NULL},
        {"If-Modified-Since: x\nIf-Modified-Since: " AFTER "\n", 0, NULL},
        {"If-Unmodified-Since: " BEFORE "\nIf-Unmodified-Since: " BEFORE "\n", 0, NULL},
        {"If-Unmodified-Since: " BEFORE "\nIf-Unmodified-Since: x\n", 0, NULL},
        {"If-Unmodified-Since: " BEFORE "\nIf-None-Match: \"x\"\n", 412, NULL},
    };
    gale__validators_t v = {GALE__LIT("\"x\""), MODIFIED, MODIFIED + 100};
    CHECK_ROWS(rows, &v);
}

TEST(conditions, ranges_STA_09) { /* STA-09: If-Range is honoured */
    static const row_t rows[] = {
        {"Range: bytes=0-1\n", 0, "bytes=0-1"},
        {"Range: bytes=0-1\nRange: bytes=2-3\n", 0, NULL},
        {"If-Range: \"x\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: \"x\"\n", 0, "bytes=0-1"},
        {"If-Range: \"x\"\nRange: bytes=0-1\n", 0, "bytes=0-1"},
        {"Range: bytes=0-1\nIf-Range: \"y\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: W/\"x\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: \"x\", \"y\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: *\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range:\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: wrong\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: " DATE "\n", 0, "bytes=0-1"},
        {"Range: bytes=0-1\nIf-Range: " AFTER "\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: " BEFORE "\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: \"x\"\nIf-Range: \"x\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-None-Match: \"x\"\n", 304, NULL},
        {"Range: bytes=0-1\nIf-Match: \"y\"\n", 412, NULL},
        {"Range: bytes=0-1\nIf-Match: \"x\"\n", 0, "bytes=0-1"},
    };
    gale__validators_t v = {GALE__LIT("\"x\""), MODIFIED, MODIFIED + 1};
    CHECK_ROWS(rows, &v);
}

TEST(conditions, weak_validators) {
    static const row_t tag[] = {
        {"Range: bytes=0-1\nIf-Range: W/\"x\"\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: \"x\"\n", 0, NULL},
        {"If-Match: W/\"x\"\n", 412, NULL},
        {"If-Match: \"x\"\n", 412, NULL},
        {"If-Match: *\n", 0, NULL},
        {"If-None-Match: \"x\"\n", 304, NULL},
    };
    gale__validators_t weak = {GALE__LIT("W/\"x\""), MODIFIED, MODIFIED + 1};
    CHECK_ROWS(tag, &weak);
    /* In the second of the change, another may follow under the same date. */
    static const row_t date[] = {{"Range: bytes=0-1\nIf-Range: " DATE "\n", 0, NULL},
                                 {"If-Modified-Since: " DATE "\n", 304, NULL}};
    gale__validators_t fresh = {GALE__LIT("\"x\""), MODIFIED, MODIFIED};
    CHECK_ROWS(date, &fresh);
}

TEST(conditions, without_validators) {
    static const row_t rows[] = {
        {"If-Match: \"x\"\n", 412, NULL},
        {"If-None-Match: \"x\"\n", 0, NULL},
        {"If-None-Match: *\n", 304, NULL},
        {"If-Modified-Since: " DATE "\n", 0, NULL},
        {"If-Unmodified-Since: " DATE "\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: " DATE "\n", 0, NULL},
        {"Range: bytes=0-1\nIf-Range: \"\"\n", 0, NULL},
    };
    gale__validators_t none = {{NULL, 0}, INT64_MIN, MODIFIED};
    CHECK_ROWS(rows, &none);
}
