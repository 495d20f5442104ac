/* Ranges and preconditions of static files and of gale_respond_file: fields and bytes of each answer
 * (STA-06 ... STA-09). What a Range means is range_test.c's. */
#include "files_site.h"

static int get(site_t *site, const char *target, const char *range) {
    char line[512];
    snprintf(line, sizeof line, "Range: %s\r\n", range);
    return ask(site, "GET", target, line);
}

/* "a26.txt" has the letters a to z. */
static void put_letters(const site_t *site) {
    put_file(site, "a26.txt", "abcdefghijklmnopqrstuvwxyz", 26);
}

SITE_TEST(STA_07_one_range) { /* STA-07, STA-08, STA-09 */
    static const struct {
        const char *range;
        int status;
        const char *content_range, *content;
    } rows[] = {
        {"bytes=0-9", 206, "bytes 0-9/26", "abcdefghij"},
        {"bytes=0-", 206, "bytes 0-25/26", "abcdefghijklmnopqrstuvwxyz"},
        {"bytes=-4", 206, "bytes 22-25/26", "wxyz"},
        {"bytes=-100", 206, "bytes 0-25/26", "abcdefghijklmnopqrstuvwxyz"},
        {"bytes=25-30", 206, "bytes 25-25/26", "z"},
        {"bytes=5-5", 206, "bytes 5-5/26", "f"},
        {"bytes=3-4,100-", 206, "bytes 3-4/26", "de"},
        {"bytes=3-4,4-9", 206, "bytes 3-9/26", "defghij"},
        {"bytes=-0", 416, "bytes */26", ""},
        {"bytes=26-", 416, "bytes */26", ""},
        {"bytes=26-,30-31", 416, "bytes */26", ""},
        {"bytes=10-3", 200, NULL, "abcdefghijklmnopqrstuvwxyz"},
        {"items=0-1", 200, NULL, "abcdefghijklmnopqrstuvwxyz"},
        {"bytes=a-b", 200, NULL, "abcdefghijklmnopqrstuvwxyz"},
        {"bytes=1_0-12", 200, NULL, "abcdefghijklmnopqrstuvwxyz"},
        {"bytes=0-1, x", 200, NULL, "abcdefghijklmnopqrstuvwxyz"},
    };
    put_letters(site);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char length[24];
        int status = get(site, "/s/a26.txt", rows[i].range);
        CHECK_MSG(status == rows[i].status, "%s: %d", rows[i].range, status);
        CHECK_EQ_STRS(content(), gale_cstr(rows[i].content));
        snprintf(length, sizeof length, "%zu", strlen(rows[i].content));
        CHECK_EQ_STRS(field("Content-Length"), gale_cstr(length));
        if (rows[i].content_range == NULL)
            CHECK_MSG(absent("Content-Range"), "%s", rows[i].range);
        else
            CHECK_EQ_STRS(field("Content-Range"), gale_cstr(rows[i].content_range));
        CHECK_EQ_STR(field("Accept-Ranges"), "bytes");
        CHECK(!absent("ETag") && !absent("Last-Modified"));
        CHECK(absent("Content-Type") == (status == 416));
    }
    CHECK(strncmp(reply.text, "HTTP/1.1 200", 12) == 0);
    get(site, "/s/a26.txt", "bytes=99-");
    CHECK(strncmp(reply.text, "HTTP/1.1 416 Range Not Satisfiable\r\n", 36) == 0); /* STA-08 */
}

SITE_TEST(STA_07_of_an_empty_file) { /* STA-07 */
    static const char *const ranges[] = {"bytes=0-0", "bytes=0-", "bytes=-1", "bytes=5-9"};
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ_INT(get(site, "/s/empty.css", ranges[i]), 416);
        CHECK_EQ_STR(field("Content-Range"), "bytes */0");
    }
    CHECK_EQ_INT(get(site, "/s/empty.css", "bytes=1-0"), 200);
}

SITE_TEST(ranges_are_for_get) { /* RFC 9110 14.2 */
    CHECK_EQ_INT(ask(site, "HEAD", "/s/hello.txt", "Range: bytes=0-1\r\n"), 200);
    CHECK_EQ_STR(field("Content-Length"), "5");
    CHECK(absent("Content-Range"));
    CHECK_EQ_INT(ask(site, "HEAD", "/s/hello.txt", "Range: bytes=9-\r\n"), 200);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "Range: bytes=0-1\r\nRange: bytes=3-\r\n"), 200);
}

/* One byte of every place around the sizes at which files go another way. */
SITE_TEST(ranges_of_large_files) {
    static const unsigned long from[] = {0, 1, 16383, 16384, 65535, 65536, 262143, 262144, 299999};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        for (unsigned long len = 1; len <= 100001; len += 50000) {
            char range[64], want[64];
            unsigned long last = from[i] + len - 1 < LARGE ? from[i] + len - 1 : LARGE - 1;
            snprintf(range, sizeof range, "bytes=%lu-%lu", from[i], from[i] + len - 1);
            snprintf(want, sizeof want, "bytes %lu-%lu/%d", from[i], last, LARGE);
            CHECK_EQ_INT(get(site, "/s/large.bin", range), 206);
            CHECK_EQ_STRS(field("Content-Range"), gale_cstr(want));
            gale_str_t got = content();
            CHECK_EQ_UINT(got.len, last - from[i] + 1);
            for (size_t k = 0; k < got.len; k++) {
                if (got.ptr[k] == (char)('a' + (from[i] + k) % 23)) continue;
                test_fail(__FILE__, __LINE__, "%s: byte %zu", range, k);
                break;
            }
        }
    }
}

/* The boundary of a multipart reply; null if there is none. */
static const char *boundary(void) {
    static char text[64];
    gale_str_t type = field("Content-Type");
    static const char start[] = "multipart/byteranges; boundary=";
    size_t len = sizeof start - 1;
    if (type.len <= len || type.len - len >= sizeof text || memcmp(type.ptr, start, len) != 0)
        return NULL;
    memcpy(text, type.ptr + len, type.len - len);
    text[type.len - len] = '\0';
    return text;
}

SITE_TEST(several_ranges) { /* RFC 9110 14.6, 15.3.7.2 */
    char want[1024];
    put_letters(site);
    CHECK_EQ_INT(get(site, "/s/a26.txt", "bytes=20-21, 0-1, -2"), 206);
    const char *b = boundary();
    REQUIRE(b != NULL && strlen(b) == 32);
    CHECK(content().ptr < field("Content-Range").ptr); /* of the parts alone */
    snprintf(want, sizeof want,
             "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 20-21/26\r\n\r\nuv"
             "\r\n--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/26\r\n\r\nab"
             "\r\n--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 24-25/26\r\n\r\nyz"
             "\r\n--%s--\r\n",
             b, b, b, b);
    CHECK_EQ_STRS(content(), gale_cstr(want));
    snprintf(want, sizeof want, "%zu", content().len);
    CHECK_EQ_STRS(field("Content-Length"), gale_cstr(want));
    char first[64];
    strcpy(first, b);
    CHECK_EQ_INT(get(site, "/s/a26.txt", "bytes=20-21, 0-1, -2"), 206);
    CHECK(boundary() != NULL && strcmp(boundary(), first) != 0); /* nobody can foresee it */
}

SITE_TEST(several_ranges_of_a_large_file) {
    CHECK_EQ_INT(get(site, "/s/large.bin", "bytes=0-99999,150000-249999,-1"), 206);
    const char *b = boundary();
    REQUIRE(b != NULL);
    gale_str_t all = content();
    CHECK(all.len > 200001 && all.len < 200001 + 1000);
    CHECK(memcmp(all.ptr, "--", 2) == 0 && memcmp(all.ptr + all.len - 4, "--\r\n", 4) == 0);
    size_t letters = 0;
    const char *part = strstr(all.ptr, "Content-Range: bytes 150000-249999/300000\r\n\r\n");
    REQUIRE(part != NULL);
    part = strstr(part, "\r\n\r\n") + 4;
    while (letters < 100000 && part[letters] == (char)('a' + (150000 + letters) % 23)) letters++;
    CHECK_EQ_UINT(letters, 100000);
    CHECK(strncmp(part + letters, "\r\n--", 4) == 0);
}

/* The caller's Content-Type belongs to the parts. */
SITE_TEST(several_ranges_with_headers_of_the_caller) {
    gale_header_t own[] = {{GALE__LIT("content-type"), GALE__LIT("text/x")},
                           {GALE__LIT("X-Own"), GALE__LIT("1")}};
    put_letters(site);
    site->own = own;
    site->own_count = 2;
    CHECK_EQ_INT(get(site, "/s/a26.txt", "bytes=0-0,5-5"), 206);
    CHECK(boundary() != NULL && absent("content-type"));
    CHECK_EQ_STR(field("X-Own"), "1");
    CHECK(strstr(content().ptr, "\r\nContent-Type: text/x\r\n") != NULL);
    own[0] = (gale_header_t){GALE__LIT("A b"), GALE__LIT("1")};
    CHECK_EQ_INT(get(site, "/s/a26.txt", "bytes=0-0,5-5"), 500);
    CHECK_EQ_INT(site->result, GALE_EHEADER);
}

/* No request makes more of a file than it has (RFC 9110 17.15). */
SITE_TEST(ranges_without_end) {
    char range[4096] = "bytes=0-";
    for (int i = 0; i < 60; i++) strcat(range, ",0-");
    char line[4200];
    snprintf(line, sizeof line, "Range: %s\r\n", range);
    CHECK_EQ_INT(ask(site, "GET", "/s/large.bin", line), 206);
    CHECK_EQ_UINT(content().len, LARGE);
    for (int i = 0; i < 600; i++) strcat(range, ",0-");
    snprintf(line, sizeof line, "Range: %s\r\n", range);
    CHECK_EQ_INT(ask(site, "GET", "/s/large.bin", line), 200);
    CHECK_EQ_UINT(content().len, LARGE);
}

SITE_TEST(STA_09_if_range) { /* STA-09 */
    char line[256], etag[64];
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    snprintf(etag, sizeof etag, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    const struct {
        const char *value;
        int status;
    } rows[] = {{etag, 206},
                {MTIME_TEXT, 206},
                {"\"other\"", 200},
                {"Tue, 14 Nov 2023 22:13:21 GMT", 200},
                {"nonsense", 200}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(line, sizeof line, "Range: bytes=1-2\r\nIf-Range: %s\r\n", rows[i].value);
        int status = ask(site, "GET", "/s/hello.txt", line);
        CHECK_MSG(status == rows[i].status, "%s: %d", rows[i].value, status);
        CHECK_EQ_STRS(content(), status == 206 ? GALE__LIT("el") : GALE__LIT("hello"));
        snprintf(line, sizeof line, "Range: bytes=9-\r\nIf-Range: %s\r\n", rows[i].value);
        CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), status == 206 ? 416 : 200);
    }
    snprintf(line, sizeof line, "Range: bytes=1-2\r\nIf-Range: W/%s\r\n", etag);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 200);
}

SITE_TEST(preconditions_that_fail) { /* RFC 9110 13.1.1, 13.1.4 */
    char line[256];
    GET(site, "/s/hello.txt");
    snprintf(line, sizeof line, "If-Match: \"x\", %.*s\r\n", (int)field("ETag").len,
             field("ETag").ptr);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 200);
    static const char *const fail[] = {
        "If-Match: \"x\"\r\n", "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n",
        "If-Match: \"x\"\r\nRange: bytes=0-0\r\n", "If-Match: \"x\"\r\nIf-None-Match: *\r\n"};
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", fail[i]), 412);
        CHECK_EQ_UINT(content().len, 0);
        CHECK(!absent("ETag") && absent("Content-Range"));
    }
    CHECK_EQ_INT(ask(site, "GET", "/s/none.txt", fail[0]), 404);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/hello.txt", fail[0]), 412);
}

/* The caller's validators are those that count. */
SITE_TEST(validators_of_the_caller) {
    gale_header_t own[] = {
        {GALE__LIT("etag"), GALE__LIT("\"mine\"")},
        {GALE__LIT("Last-Modified"), GALE__LIT("Sun, 06 Nov 1994 08:49:37 GMT")}};
    site->own = own;
    site->own_count = 2;
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "If-None-Match: \"mine\"\r\n"), 304);
    CHECK_EQ_STR(field("etag"), "\"mine\"");
    CHECK(absent("ETag"));
    CHECK_EQ_INT(
        ask(site, "GET", "/s/hello.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
        304);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "Range: bytes=0-0\r\nIf-Range: \"mine\"\r\n"),
                 206);
    own[1].value = GALE__LIT("never");
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "If-Modified-Since: " MTIME_TEXT "\r\n"), 200);
}

/* --------------------------------------------------------------------------------- with compression */

static void compressing(gale_req_t *req, void *data) {
    site_t *site = data;
    gale_str_t path = gale_req_path(req);
    gale_req_set_compression(req, GALE_CODING_GZIP);
    site->result = gale_files_serve(site->files, req, gale_str(path.ptr + 3, path.len - 3),
                                    site->own, site->own_count);
}

/* What a 200 depends on all other answers about the file name too (RFC 9110 15.3.7; STA-07). */
TEST(files, vary_beside_200) {
    static const struct {
        const char *target, *extra;
        int status;
        bool varies;
    } rows[] = {
        {"/s/edge.js", "", 200, true},
        {"/s/edge.js", "Range: bytes=0-4\r\n", 206, true},
        {"/s/edge.js", "Range: bytes=0-0,9-9\r\n", 206, true},
        {"/s/edge.js", "Accept-Encoding: gzip\r\nRange: bytes=0-4\r\n", 206, true},
        {"/s/edge.js", "Range: bytes=99999-\r\n", 416, true},
        {"/s/edge.js", "If-Match: \"x\"\r\n", 412, true},
        {"/s/edge.js", "If-None-Match: *\r\n", 304, true},
        {"/s/large.bin", "", 200, false},
        {"/s/large.bin", "Range: bytes=0-4\r\n", 206, false},
        {"/s/large.bin", "If-Match: \"x\"\r\n", 412, false},
        {"/s/hello.txt", "Range: bytes=0-1\r\n", 206, false}, /* too short to be coded */
    };
    if (!(gale_codings() & GALE_CODING_GZIP)) return; /* nothing varies */
    site_t site;
    REQUIRE(site_begin_with(&site, NULL, compressing));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ_INT(ask(&site, "GET", rows[i].target, rows[i].extra), rows[i].status);
        CHECK_MSG(absent("Vary") != rows[i].varies, "row %zu", i);
        if (rows[i].varies) CHECK_EQ_STR(field("Vary"), "Accept-Encoding");
    }
    gale_header_t own = {GALE__LIT("Cache-Control"), GALE__LIT("no-transform")};
    site.own = &own;
    site.own_count = 1;
    CHECK_EQ_INT(ask(&site, "GET", "/s/edge.js", "Range: bytes=0-4\r\n"), 206);
    CHECK(absent("Vary"));
    site_end(&site);
}
