/*
 * Files in a worker's memory: that they are kept at all, and that no change to the file, to its
 * siblings or to the way to it is missed (STA-03). What changed just now is not kept, so these tests
 * begin with a wait until nothing has.
 */
#include <sys/wait.h>

#include "files_cache.h"
#include "files_site.h"

static gale_worker_t *worker_of(const site_t *site) {
    return gale_server_worker(site->server, 0);
}

/* As a request would look for it. */
static bool kept(site_t *site, const char *name) {
    struct stat st;
    gale_worker_t *w = worker_of(site);
    return gale__files_cached(w, site->files, name, strlen(name), &st) != NULL;
}

static void let_it_rest(site_t *site) {
    uint64_t end = uv_hrtime() + 3200000000;
    while (uv_hrtime() < end) {
        struct timespec some = {0, 50000000};
        nanosleep(&some, NULL);
        uv_run(&site->loop, UV_RUN_NOWAIT); /* the loop's clock, and with it the Date */
    }
}

static void get_twice(site_t *site, const char *target, const char *want) {
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(GET(site, target), 200);
        CHECK_EQ_STRS(content(), gale_cstr(want));
    }
}

/* Overwrites within the same size and sets the time of change back: only the kernel's own is new. */
static void check_edits(site_t *site) {
    get_twice(site, "/s/hello.txt", "hello");
    CHECK(kept(site, "hello.txt"));
    put_file(site, "hello.txt", "HELLO", 5);
    get_twice(site, "/s/hello.txt", "HELLO");
    CHECK(!kept(site, "hello.txt")); /* it has just changed */
}

static void check_renames(site_t *site) {
    char from[256], to[256];
    get_twice(site, "/s/docs/page.html", "page");
    CHECK(kept(site, "docs/page.html"));
    path_in(site, "other.html", from);
    path_in(site, "docs/page.html", to);
    CHECK_EQ_INT(rename(from, to), 0);
    get_twice(site, "/s/docs/page.html", "other");
    CHECK_EQ_INT(unlink(to), 0);
    CHECK_EQ_INT(GET(site, "/s/docs/page.html"), 404);
}

/* The file moves out of the folder and a link takes its place: the same file, but not to be had. */
static void check_links(site_t *site) {
    char from[256], to[256];
    get_twice(site, "/s/moved.txt", "moved");
    CHECK(kept(site, "moved.txt"));
    path_in(site, "moved.txt", from);
    snprintf(to, sizeof to, "%s-moved", site->dir);
    CHECK_EQ_INT(rename(from, to), 0);
    CHECK_EQ_INT(symlink(to, from), 0);
    CHECK_EQ_INT(GET(site, "/s/moved.txt"), 403);
    CHECK_EQ_INT(unlink(to), 0);
}

/* One that comes later is found, one that goes is not asked for. */
static void check_siblings(site_t *site) {
    char path[256];
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(ask(site, "GET", "/s/sub/a.css", "Accept-Encoding: gzip\r\n"), 200);
        CHECK(absent("Vary"));
    }
    put_file(site, "sub/a.css.gz", "GZIPPED", 7);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ_INT(ask(site, "GET", "/s/sub/a.css", "Accept-Encoding: gzip\r\n"), 200);
        CHECK_EQ_STR(content(), "GZIPPED");
        CHECK_EQ_INT(GET(site, "/s/sub/a.css"), 200);
        CHECK_EQ_STR(content(), "a");
        CHECK_EQ_STR(field("Vary"), "Accept-Encoding");
    }
    path_in(site, "sub/a.css.gz", path);
    CHECK_EQ_INT(unlink(path), 0);
    CHECK_EQ_INT(ask(site, "GET", "/s/sub/a.css", "Accept-Encoding: gzip\r\n"), 200);
    CHECK_EQ_STR(content(), "a");
    CHECK(absent("Vary"));
}

/* What memory holds is answered like what is read. */
static void check_answers(site_t *site) {
    char line[128], etag[64];
    CHECK_EQ_INT(GET(site, "/s/edge.js"), 200);
    snprintf(etag, sizeof etag, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    CHECK(kept(site, "edge.js"));
    CHECK_EQ_INT(GET(site, "/s/edge.js"), 200);
    CHECK_EQ_STRS(field("ETag"), gale_cstr(etag));
    CHECK_EQ_UINT(content().len, 16384);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/edge.js", ""), 200);
    CHECK_EQ_STR(field("Content-Length"), "16384");
    CHECK_EQ_INT(ask(site, "GET", "/s/edge.js", "Range: bytes=23-45\r\n"), 206);
    CHECK_EQ_STR(content(), "abcdefghijklmnopqrstuvw");
    CHECK_EQ_INT(ask(site, "GET", "/s/edge.js", "Range: bytes=0-0,23-23\r\n"), 206);
    CHECK(strstr(content().ptr, "bytes 23-23/16384\r\n\r\na\r\n--") != NULL);
    CHECK_EQ_INT(ask(site, "GET", "/s/edge.js", "Range: bytes=16384-\r\n"), 416);
    snprintf(line, sizeof line, "If-None-Match: %s\r\n", etag);
    CHECK_EQ_INT(ask(site, "GET", "/s/edge.js", line), 304);
    CHECK_EQ_INT(GET(site, "/s/empty.css"), 200);
    CHECK(kept(site, "empty.css"));
    CHECK_EQ_INT(GET(site, "/s/empty.css"), 200);
    CHECK_EQ_UINT(content().len, 0);
}

/* The least used go when there is no room. */
static void check_room(site_t *site) {
    char target[64];
    CHECK_EQ_INT(GET(site, "/s/edge.js"), 200);
    for (int i = 0; i < 80; i++) {
        snprintf(target, sizeof target, "/s/room-%d", i);
        CHECK_EQ_INT(GET(site, target), 200);
        CHECK_EQ_UINT(content().len, 65536);
        if (i % 20 == 0) CHECK_EQ_INT(GET(site, "/s/edge.js"), 200);
    }
    CHECK(kept(site, "edge.js") && kept(site, "room-79") && kept(site, "room-40"));
    CHECK(!kept(site, "room-0") && !kept(site, "large.bin"));
}

SITE_TEST(STA_03_in_memory) { /* STA-03 */
    static char bytes[65536];
    char name[32];
    put_file(site, "other.html", "other", 5);
    put_file(site, "moved.txt", "moved", 5);
    put_folder(site, "sub");
    put_file(site, "sub/a.css", "a", 1);
    for (int i = 0; i < 80; i++) {
        snprintf(name, sizeof name, "room-%d", i);
        put_file(site, name, bytes, sizeof bytes);
    }
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    CHECK(!kept(site, "hello.txt")); /* too young */
    let_it_rest(site);
    check_answers(site);
    check_edits(site);
    check_renames(site);
    check_links(site);
    check_siblings(site);
    check_room(site);
}
