/* Versions of static files: what they are, when they are made again, what ?v= does (STA-03, STA-04,
 * STA-05). */
#include <pthread.h>

#include "files_site.h"

/* Of "hello", and of nothing. */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb924"
#define FOREVER "public, max-age=31536000, immutable"

static int version(const site_t *site, const char *path, char out[33]) {
    memset(out, 'x', 32);
    return gale_files_version(site->files, gale_cstr(path), out);
}

SITE_TEST(STA_05_versions) { /* STA-05 */
    char out[33];
    CHECK_EQ_INT(version(site, "hello.txt", out), 0);
    CHECK_EQ_STR(gale_cstr(out), HELLO);
    CHECK_EQ_INT(version(site, "%68ello.txt", out), 0);
    CHECK_EQ_STR(gale_cstr(out), HELLO);
    CHECK_EQ_INT(version(site, "empty.css", out), 0);
    CHECK_EQ_STR(gale_cstr(out), EMPTY);
    CHECK_EQ_INT(version(site, "large.bin", out), 0); /* on no loop: however long it takes */
    CHECK_EQ_UINT(strlen(out), 32);
    CHECK_EQ_INT(version(site, "docs/", out), 0); /* of its index */
    static const struct {
        const char *path;
        int err;
    } rows[] = {{"none.txt", UV_ENOENT}, {"hello.txt/x", UV_ENOENT}, {"docs", UV_EACCES},
                {"../x", UV_EACCES},     {".env", UV_EACCES},        {"out", UV_EACCES},
                {"fifo", UV_EACCES},     {"a%00", UV_EINVAL},        {"/etc/passwd", UV_EACCES}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int err = version(site, rows[i].path, out);
        CHECK_MSG(err == rows[i].err && out[0] == '\0', "%s: %s", rows[i].path, gale_err_name(err));
    }
}

SITE_TEST(STA_04_versions_in_urls) { /* STA-04 */
    static const struct {
        const char *query;
        bool kept;
    } rows[] = {
        {"?v=" HELLO, true},
        {"?x=1&v=" HELLO, true},
        {"?v=" HELLO "&x=1", true},
        {"", false},
        {"?", false},
        {"?v", false},
        {"?v=", false},
        {"?v=1.2", true}, /* the application's own */
        {"?v=" HELLO "0", true},
        {"?v=2CF24DBA5FB0A30E26E83B2AC5B9E29E", true},
        {"?v=1&v=" HELLO, true},
        {"?v=" EMPTY, false},
        {"?xv=" HELLO, false},
        {"?x=v=" HELLO, false},
        {"?V=" HELLO, false},
        {"?w=" HELLO, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char target[128];
        snprintf(target, sizeof target, "/s/hello.txt%s", rows[i].query);
        CHECK_EQ_INT(GET(site, target), 200);
        CHECK_EQ_STR(content(), "hello");
        if (rows[i].kept)
            CHECK_EQ_STR(field("Cache-Control"), FOREVER);
        else
            CHECK_MSG(absent("Cache-Control") && absent("Expires"), "%s", target);
        CHECK(absent("Expires") == !rows[i].kept);
    }
    /* On a 304 as well (RFC 9110 15.4.5). */
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt?v=" HELLO, "If-None-Match: *\r\n"), 304);
    CHECK_EQ_STR(field("Cache-Control"), FOREVER);
    CHECK(!absent("Expires"));
}

/* STA-03: made again after an edit, even one that leaves size and time as they were. */
SITE_TEST(STA_03_versions_follow_the_file) { /* STA-03 */
    char out[33], from[256], to[256];
    CHECK_EQ_INT(version(site, "hello.txt", out), 0);
    put_file(site, "new.txt", "HELLO", 5);
    path_in(site, "new.txt", from);
    path_in(site, "hello.txt", to);
    REQUIRE(rename(from, to) == 0);
    CHECK_EQ_INT(version(site, "hello.txt", out), 0);
    CHECK(strcmp(out, HELLO) != 0 && strlen(out) == 32);
    CHECK_EQ_INT(GET(site, "/s/hello.txt?v=" HELLO), 200);
    CHECK(absent("Cache-Control"));
    char target[128];
    snprintf(target, sizeof target, "/s/hello.txt?v=%s", out);
    CHECK_EQ_INT(GET(site, target), 200);
    CHECK_EQ_STR(field("Cache-Control"), FOREVER);
}

/* A sibling goes under the version of what it stands for. */
SITE_TEST(versions_of_siblings) {
    put_file(site, "hello.txt.gz", "GZIPPED", 7);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt?v=" HELLO, "Accept-Encoding: gzip\r\n"), 200);
    CHECK_EQ_STR(content(), "GZIPPED");
    CHECK_EQ_STR(field("Cache-Control"), FOREVER);
}

SITE_TEST(versions_of_many_files) {
    enum { COUNT = 300 };
    char name[32], first[COUNT][33], out[33];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "many-%d", i);
            if (round == 0) put_file(site, name, name, strlen(name));
            CHECK_EQ_INT(version(site, name, out), 0);
            if (round == 0) strcpy(first[i], out);
            CHECK(strcmp(first[i], out) == 0);
            CHECK(i == 0 || strcmp(first[i], first[i - 1]) != 0);
        }
    }
}

static void *ask_for_all(void *arg) {
    const site_t *site = arg;
    static const char *const names[] = {"hello.txt", "large.bin", "edge.js", "over.js"};
    char out[33];
    for (int i = 0; i < 400; i++) {
        int err = version(site, names[i % 4], out);
        CHECK(err == 0 && (i % 4 != 0 || strcmp(out, HELLO) == 0));
    }
    return NULL;
}

SITE_TEST(versions_on_any_thread) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, ask_for_all, site) == 0);
    for (int i = 0; i < 20; i++) CHECK_EQ_INT(GET(site, "/s/hello.txt?v=" HELLO), 200);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

/* In a callback a long file is left to the pool (STA-03: the first look at one stalls no loop). */
typedef struct {
    site_t *site;
    gale_timer_t *timer;
    unsigned asked;
    int err;
    char out[33];
} asking_t;

static void ask_again(void *data) {
    asking_t *a = data;
    a->err = gale_files_version(a->site->files, GALE__LIT("long.bin"), a->out);
    a->asked++;
    if (a->err == UV_EAGAIN) return;
    gale_timer_stop(a->timer);
    a->timer = NULL;
}

SITE_TEST(STA_03_long_files_on_a_loop) { /* STA-03 */
    size_t size = 3 << 20;
    char *bytes = calloc(1, size), target[128];
    REQUIRE(bytes != NULL);
    put_file(site, "long.bin", bytes, size);
    free(bytes);
    asking_t a = {.site = site};
    a.timer = gale_timer_start(gale_server_worker(site->server, 0), 0, 1, ask_again, &a);
    REQUIRE(a.timer != NULL);
    while (a.timer != NULL) uv_run(&site->loop, UV_RUN_ONCE);
    CHECK(a.asked > 1);
    CHECK_EQ_INT(a.err, 0);
    CHECK_EQ_STR(gale_cstr(a.out), "bbd05cf6097ac9b1f89ea29d2542c1b7");
    snprintf(target, sizeof target, "/s/long.bin?v=%s", a.out);
    CHECK_EQ_INT(ask(site, "HEAD", target, ""), 200);
    CHECK_EQ_STR(field("Cache-Control"), FOREVER);
}

/* The server goes while the pool is at it. */
SITE_TEST(a_stop_meets_a_long_hash) {
    char path[256];
    path_in(site, "sparse.bin", path);
    put_file(site, "sparse.bin", "", 0);
    REQUIRE(truncate(path, (off_t)64 << 30) == 0);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/sparse.bin?v=" HELLO, ""), 200);
    CHECK(absent("Cache-Control"));
}

TEST(files, max_age_and_cache_control) {
    site_t site;
    gale_files_config_t config = gale_files_config();
    char control[] = "no-cache";
    config.version_max_age = 60;
    config.cache_control = control;
    REQUIRE(site_begin(&site, &config));
    control[0] = 'x'; /* it was copied */
    CHECK_EQ_INT(GET(&site, "/s/hello.txt"), 200);
    CHECK_EQ_STR(field("Cache-Control"), "no-cache");
    CHECK(absent("Expires"));
    CHECK_EQ_INT(GET(&site, "/s/hello.txt?v=" HELLO), 200);
    CHECK_EQ_STR(field("Cache-Control"), "public, max-age=60, immutable");
    gale_header_t own = {GALE__LIT("cache-control"), GALE__LIT("private")};
    site.own = &own;
    site.own_count = 1;
    CHECK_EQ_INT(GET(&site, "/s/hello.txt?v=" HELLO), 200);
    CHECK_EQ_STR(field("cache-control"), "private");
    CHECK(absent("Cache-Control") && absent("Expires"));
    site_end(&site);
}
