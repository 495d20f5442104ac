/* Range: Tornado's table with the RFC's word where they differ, merging, bounds, texts. */
#include "range.h"

#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "test.h"

/* "0-9 20-25", "ignored" or "none". */
static const char *parse(const char *value, uint64_t size) {
    static char text[1024];
    gale__range_t out[GALE__RANGES];
    size_t len = strlen(value), at = 0;
    char *copy = malloc(len > 0 ? len : 1); /* no byte more: an overread shows */
    if (copy == NULL) abort();
    memcpy(copy, value, len);
    int n = gale__range_parse(gale_str(copy, len), size, out);
    free(copy);
    if (n <= 0) return n == 0 ? "ignored" : "none";
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%llu-%llu", i > 0 ? " " : "",
                               (unsigned long long)out[i].first,
                               (unsigned long long)(out[i].first + out[i].length - 1));
    return text;
}

static void check_rows(const char *const rows[][2], size_t count, uint64_t size) {
    for (size_t i = 0; i < count; i++) {
        const char *got = parse(rows[i][0], size);
        CHECK_MSG(strcmp(got, rows[i][1]) == 0, "%s of %llu: %s, not %s", rows[i][0],
                  (unsigned long long)size, got, rows[i][1]);
    }
}
#define CHECK_ROWS(rows, size) check_rows(rows, sizeof rows / sizeof *rows, size)

/* The file of Tornado's table has 26 bytes. It answers "0-", several ranges and a long suffix with
 * the whole file, "10-3" with 416; RFC 9110 14.1.2 and 14.2 say otherwise. */
TEST(range, STA_07_one_range) { /* STA-07, STA-09 */
    static const char *const rows[][2] = {
        {"bytes=0-9", "0-9"},        {"bytes=0-", "0-25"},       {"bytes=-4", "22-25"},
        {"bytes=-0", "none"},        {"bytes=26-", "none"},      {"bytes=25-30", "25-25"},
        {"bytes=5-5", "5-5"},        {"bytes=0-25", "0-25"},     {"bytes=-26", "0-25"},
        {"bytes=-27", "0-25"},       {"bytes=26-26", "none"},    {"bytes=10-3", "ignored"},
        {"items=0-1", "ignored"},    {"bytes=", "ignored"},      {"bytes=-", "ignored"},
        {"bytes=a-b", "ignored"},    {"bytes", "ignored"},       {"", "ignored"},
        {"bytes=1_0-12", "ignored"}, {"bytes=+1-2", "ignored"},  {"bytes=1-+2", "ignored"},
        {"bytes=1 -2", "ignored"},   {"bytes=1- 2", "ignored"},  {"bytes =1-2", "ignored"},
        {"bytes=--1", "ignored"},    {"bytes=1--2", "ignored"},  {"bytes=-1-", "ignored"},
        {"bytes=1-2-3", "ignored"},  {"bytes=0x1-2", "ignored"}, {"bytes=1", "ignored"},
        {"bytes=1.0-2", "ignored"},  {"bytes:0-1", "ignored"},   {"bytes=0-1;", "ignored"},
        {"BYTES=0-4", "0-4"},        {" bytes=0-4\t", "0-4"},    {"bytes= 0-4 ", "0-4"},
    };
    CHECK_ROWS(rows, 26);
}

TEST(range, STA_07_empty_file) { /* STA-07 */
    static const char *const rows[][2] = {
        {"bytes=0-0", "none"}, {"bytes=0-", "none"},     {"bytes=-1", "none"},
        {"bytes=-0", "none"},  {"bytes=3-1", "ignored"}, {"bytes=0-,-5", "none"},
    };
    CHECK_ROWS(rows, 0);
}

TEST(range, several) { /* RFC 9110 14.1.2, 14.2, 15.3.7.2 */
    static const char *const rows[][2] = {
        {"bytes=0-0,-1", "0-0 9999-9999"},
        {"bytes= 0-999, 4500-5499, -1000", "0-999 4500-5499 9000-9999"},
        {"bytes=500-600,601-999", "500-999"},
        {"bytes=500-700,601-999", "500-999"},
        {"bytes=9-9,0-0,5-5", "9-9 0-0 5-5"}, /* in the order of the request */
        {"bytes=0-1,10000-", "0-1"},
        {"bytes=10000-,20000-", "none"},
        {"bytes=0-1,5-4", "ignored"},
        {"bytes=0-1,x", "ignored"},
        {"bytes=,0-1,, ,\t3-4,", "0-1 3-4"},
        {"bytes=,,", "ignored"},
        {"bytes=0-,1-,2-,3-,4-", "0-9999"},
        {"bytes=4-,3-,2-,1-,0-", "0-9999"},
        {"bytes=0-1,4-5,8-9,2-7", "0-9"}, /* the last joins the others */
        {"bytes=8-9,0-1,20-21,4-5,2-3", "8-9 0-5 20-21"},
        {"bytes=0-10,5-7,6-6", "0-10"},
        {"bytes=30-31,10-11,20-21,12-19", "30-31 10-21"},
        {"bytes=0-1,3-4", "0-1 3-4"},
    };
    CHECK_ROWS(rows, 10000);
}

TEST(range, numbers_of_any_length) {
    static const char *const rows[][2] = {
        {"bytes=0-18446744073709551615", "0-9"},
        {"bytes=0-18446744073709551616", "0-9"},
        {"bytes=0-99999999999999999999999999999999999999", "0-9"},
        {"bytes=18446744073709551616-", "none"},
        {"bytes=18446744073709551617-18446744073709551616", "none"},
        {"bytes=-18446744073709551616", "0-9"},
        {"bytes=000000000000000000000000000000000001-2", "1-2"},
        {"bytes=-00000000000000000000000000000", "none"},
    };
    CHECK_ROWS(rows, 10);
    static const char *const large[][2] = {
        {"bytes=9223372036854775806-", "9223372036854775806-9223372036854775806"},
        {"bytes=-1", "9223372036854775806-9223372036854775806"},
        {"bytes=0-", "0-9223372036854775806"},
        {"bytes=0-0,9223372036854775806-9223372036854775807",
         "0-0 9223372036854775806-9223372036854775806"},
    };
    CHECK_ROWS(large, INT64_MAX);
}

/* A thousand ranges of everything, or crumbs (RFC 9110 17.15). */
TEST(range, abuse) {
    char text[8192] = "bytes=";
    for (int i = 0; i < 600; i++) strcat(text, i > 0 ? ",0-" : "0-");
    CHECK(strcmp(parse(text, 1000), "ignored") == 0);
    strcpy(text, "bytes=");
    for (int i = 0; i < 64; i++) strcat(text, i > 0 ? ",0-" : "0-");
    CHECK(strcmp(parse(text, 1000), "0-999") == 0);
    size_t at = (size_t)sprintf(text, "bytes=0-0");
    for (int i = 1; i < 16; i++) at += (size_t)sprintf(text + at, ",%d-%d", 2 * i, 2 * i);
    CHECK(strncmp(parse(text, 1000), "0-0 2-2", 7) == 0);
    sprintf(text + at, ",100-100");
    CHECK(strcmp(parse(text, 1000), "ignored") == 0);
    sprintf(text + at, ",0-50");
    CHECK(strcmp(parse(text, 1000), "0-50") == 0);
}

TEST(range, texts) { /* STA-08 */
    char out[GALE__CONTENT_RANGE], part[512];
    gale__range_t r = {22, 4}, most = {UINT64_MAX - 1, 1};
    CHECK_EQ_STR(gale_str(out, gale__content_range(out, &r, 26)), "bytes 22-25/26");
    CHECK_EQ_STR(gale_str(out, gale__content_range(out, NULL, 26)), "bytes */26");
    CHECK_EQ_UINT(gale__content_range(out, &most, UINT64_MAX), GALE__CONTENT_RANGE);
    static const char boundary[] = "0123456789abcdef0123456789abcdef";
    for (size_t i = 0; i < 2; i++) {
        gale_str_t type = i == 0 ? GALE__LIT("text/plain") : gale_str(NULL, 0);
        size_t len = gale__range_part(NULL, i, boundary, type, &r, 26);
        CHECK_EQ_UINT(gale__range_part(part, i, boundary, type, &r, 26), len);
        gale_str_t got = gale_str(part, len);
        if (i == 0)
            CHECK_EQ_STR(got, "--0123456789abcdef0123456789abcdef\r\nContent-Type: "
                              "text/plain\r\nContent-Range: bytes 22-25/26\r\n\r\n");
        else
            CHECK_EQ_STR(got, "\r\n--0123456789abcdef0123456789abcdef\r\n"
                              "Content-Range: bytes 22-25/26\r\n\r\n");
    }
    size_t len = gale__range_end(NULL, boundary);
    CHECK_EQ_UINT(gale__range_end(part, boundary), len);
    CHECK_EQ_STR(gale_str(part, len), "\r\n--0123456789abcdef0123456789abcdef--\r\n");
}
