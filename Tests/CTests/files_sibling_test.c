/* name.br, name.zst and name.gz in the place of name: which is sent to whom, under what fields, and
 * when none is. */
#include "files_site.h"

static int get(site_t *site, const char *target, const char *encodings) {
    char line[256];
    snprintf(line, sizeof line, "Accept-Encoding: %s\r\n", encodings);
    return ask(site, "GET", target, line);
}

static void put_siblings(const site_t *site) {
    put_file(site, "app.js", "plain", 5);
    put_file(site, "app.js.br", "BROTLI", 6);
    put_file(site, "app.js.gz", "GZIPPED", 7);
    put_file(site, "page.html", "plain page", 10);
    put_file(site, "page.html.zst", "ZSTANDARD", 9);
}

SITE_TEST(siblings_by_preference) {
    static const struct {
        const char *target, *accept, *encoding, *content, *type;
    } rows[] = {
        {"/s/app.js", "gzip, br", "br", "BROTLI", "text/javascript; charset=utf-8"},
        {"/s/app.js", "gzip", "gzip", "GZIPPED", "text/javascript; charset=utf-8"},
        {"/s/app.js", "gzip;q=1, br;q=0.5", "gzip", "GZIPPED", "text/javascript; charset=utf-8"},
        {"/s/app.js", "br;q=0, *", "gzip", "GZIPPED", "text/javascript; charset=utf-8"},
        {"/s/app.js", "zstd", NULL, "plain", "text/javascript; charset=utf-8"},
        {"/s/app.js", "gzip;q=0", NULL, "plain", "text/javascript; charset=utf-8"},
        {"/s/app.js", "identity", NULL, "plain", "text/javascript; charset=utf-8"},
        {"/s/page.html", "gzip, br, zstd", "zstd", "ZSTANDARD", "text/html; charset=utf-8"},
        {"/s/page.html", "gzip, br", NULL, "plain page", "text/html; charset=utf-8"},
    };
    put_siblings(site);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ_INT(get(site, rows[i].target, rows[i].accept), 200);
        CHECK_EQ_STRS(content(), gale_cstr(rows[i].content));
        CHECK_EQ_STRS(field("Content-Type"), gale_cstr(rows[i].type));
        CHECK_EQ_STR(field("Vary"), "Accept-Encoding");
        if (rows[i].encoding != NULL)
            CHECK_EQ_STRS(field("Content-Encoding"), gale_cstr(rows[i].encoding));
        else
            CHECK_MSG(absent("Content-Encoding"), "%s", rows[i].accept);
    }
    CHECK_EQ_INT(GET(site, "/s/app.js"), 200);
    CHECK_EQ_STR(content(), "plain");
    CHECK_EQ_STR(field("Vary"), "Accept-Encoding"); /* it would differ for others */
    CHECK_EQ_INT(get(site, "/s/hello.txt", "gzip"), 200);
    CHECK(absent("Vary"));
}

/* Each is a representation of its own: tag, length, ranges, conditions. */
SITE_TEST(siblings_are_representations) {
    char plain[64], line[256];
    put_siblings(site);
    CHECK_EQ_INT(GET(site, "/s/app.js"), 200);
    snprintf(plain, sizeof plain, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/app.js", "Accept-Encoding: br\r\n"), 200);
    CHECK_EQ_STR(field("Content-Length"), "6");
    CHECK(!gale__eq(field("ETag"), gale_cstr(plain)));
    snprintf(line, sizeof line, "Accept-Encoding: br\r\nIf-None-Match: %s\r\n", plain);
    CHECK_EQ_INT(ask(site, "GET", "/s/app.js", line), 200);
    snprintf(line, sizeof line, "Accept-Encoding: br\r\nIf-None-Match: %.*s\r\n",
             (int)field("ETag").len, field("ETag").ptr);
    CHECK_EQ_INT(ask(site, "GET", "/s/app.js", line), 304);
    CHECK_EQ_STR(field("Vary"), "Accept-Encoding");
    CHECK_EQ_INT(ask(site, "GET", "/s/app.js", "Accept-Encoding: br\r\nRange: bytes=1-2\r\n"), 206);
    CHECK_EQ_STR(content(), "RO");
    CHECK_EQ_STR(field("Content-Range"), "bytes 1-2/6");
    CHECK_EQ_STR(field("Content-Encoding"), "br");
    CHECK_EQ_INT(ask(site, "GET", "/s/app.js", "Accept-Encoding: gzip\r\nRange: bytes=0-0,6-\r\n"),
                 206);
    CHECK(strstr(content().ptr, "Content-Type: text/javascript; charset=utf-8\r\n"
                                "Content-Range: bytes 6-6/7\r\n\r\nD\r\n") != NULL);
    CHECK_EQ_STR(field("Content-Encoding"), "gzip");
    CHECK_EQ_INT(ask(site, "GET", "/s/app.js", "Accept-Encoding: br\r\nRange: bytes=6-\r\n"), 416);
    CHECK_EQ_STR(field("Content-Range"), "bytes */6");
}

static void set_time(const site_t *site, const char *name, time_t seconds, long ns) {
    char path[256];
    path_in(site, name, path);
    struct timespec times[2] = {{seconds, ns}, {seconds, ns}};
    CHECK_EQ_INT(utimensat(AT_FDCWD, path, times, 0), 0);
}

SITE_TEST(siblings_that_do_not_count) {
    put_siblings(site);
    set_time(site, "app.js.br", MTIME, 123456788); /* a nanosecond too old */
    CHECK_EQ_INT(get(site, "/s/app.js", "br, gzip"), 200);
    CHECK_EQ_STR(content(), "GZIPPED");
    set_time(site, "app.js.gz", MTIME - 1, 999999999);
    CHECK_EQ_INT(get(site, "/s/app.js", "br, gzip"), 200);
    CHECK_EQ_STR(content(), "plain");
    CHECK(absent("Vary"));
    put_file(site, "a.css", "a", 1); /* a folder, and a link that leads out */
    put_folder(site, "a.css.gz");
    put_link(site, "a.css.br", "/etc/passwd");
    CHECK_EQ_INT(get(site, "/s/a.css", "br, gzip"), 200);
    CHECK_EQ_STR(content(), "a");
    /* What is asked for by its own name is what it is. */
    CHECK_EQ_INT(get(site, "/s/page.html.zst", "zstd"), 200);
    CHECK(absent("Content-Encoding") && absent("Vary"));
    put_file(site, "b.gz", "1", 1);
    put_file(site, "b.gz.br", "2", 1);
    CHECK_EQ_INT(get(site, "/s/b.gz", "br, gzip"), 200);
    CHECK_EQ_STR(content(), "1");
    CHECK_EQ_STR(field("Content-Type"), "application/gzip");
    /* Without the file itself there is nothing. */
    put_file(site, "c.css.gz", "1", 1);
    CHECK_EQ_INT(get(site, "/s/c.css", "gzip"), 404);
}

SITE_TEST(siblings_of_an_index) {
    put_file(site, "docs/index.html.gz", "INDEX", 5);
    CHECK_EQ_INT(get(site, "/s/docs/", "gzip"), 200);
    CHECK_EQ_STR(content(), "INDEX");
    CHECK_EQ_STR(field("Content-Type"), "text/html; charset=utf-8");
}

/* The caller's Vary stands beside the core's. */
SITE_TEST(siblings_and_vary_of_the_caller) {
    gale_header_t own = {GALE__LIT("Vary"), GALE__LIT("Origin")};
    put_siblings(site);
    site->own = &own;
    site->own_count = 1;
    CHECK_EQ_INT(get(site, "/s/app.js", "br"), 200);
    CHECK(strstr(reply.text, "\r\nVary: Accept-Encoding\r\n") != NULL);
    CHECK(strstr(reply.text, "\r\nVary: Origin\r\n") != NULL);
}

TEST(files, siblings_switched_off) {
    site_t site;
    gale_files_config_t config = gale_files_config();
    config.no_precompressed = 1;
    REQUIRE(site_begin(&site, &config));
    put_siblings(&site);
    CHECK_EQ_INT(get(&site, "/s/app.js", "br"), 200);
    CHECK_EQ_STR(content(), "plain");
    CHECK(absent("Vary"));
    site_end(&site);
}
