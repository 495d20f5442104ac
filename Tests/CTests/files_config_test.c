/* Settings of a folder: index, dot-files, symlinks; settings that make no sense; gale_respond_file. */
#include "files_site.h"

static void with(const gale_files_config_t *config, void (*test)(site_t *site)) {
    site_t site;
    REQUIRE(site_begin(&site, config));
    test(&site);
    site_end(&site);
}

static void other_index(site_t *site) {
    CHECK_EQ_INT(GET(site, "/s/docs/"), 200);
    CHECK_EQ_STR(content(), "page");
    CHECK_EQ_INT(GET(site, "/s/docs"), 301);
    CHECK_EQ_INT(GET(site, "/s/"), 404);
}

static void no_index(site_t *site) {
    CHECK_EQ_INT(GET(site, "/s/docs/"), 404);
    CHECK_EQ_INT(GET(site, "/s/docs"), 403);
    CHECK_EQ_INT(GET(site, "/s/docs/index.html"), 200);
    CHECK_EQ_INT(GET(site, "/s/"), 404);
}

TEST(files, STA_13_index_of_choice) { /* STA-13 */
    gale_files_config_t config = gale_files_config();
    config.index = "page.html";
    with(&config, other_index);
    config.index = "";
    with(&config, no_index);
}

static void dotfiles(site_t *site) {
    put_folder(site, ".well-known");
    put_file(site, ".well-known/x", "known", 5);
    CHECK_EQ_INT(GET(site, "/s/.env"), 200);
    CHECK_EQ_STR(content(), "secret");
    CHECK_EQ_INT(GET(site, "/s/.well-known/x"), 200);
    static const char *const refused[] = {"/s/..",
                                          "/s/../x",
                                          "/s/.",
                                          "/s/./hello.txt",
                                          "/s/%2e%2e/x",
                                          "/s/docs/..",
                                          "/s/docs/../hello.txt",
                                          "/s/docs/."};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_MSG(GET(site, refused[i]) == 403, "%s: %d", refused[i], site->result);
}

TEST(files, dotfiles_allowed) {
    gale_files_config_t config = gale_files_config();
    config.dotfiles = 1;
    with(&config, dotfiles);
}

static void all_links(site_t *site) {
    CHECK_EQ_INT(GET(site, "/s/out"), 200); /* /etc/passwd */
    CHECK_EQ_INT(GET(site, "/s/in"), 200);
    CHECK_EQ_STR(content(), "hello");
    CHECK_EQ_INT(GET(site, "/s/docs2/page.html"), 200);
    CHECK_EQ_INT(GET(site, "/s/loop"), 403);
    CHECK_EQ_INT(GET(site, "/s/../x"), 403);
}

static void no_links(site_t *site) {
    static const char *const targets[] = {"/s/out", "/s/in", "/s/docs2/page.html", "/s/docs2/",
                                          "/s/loop"};
    for (size_t i = 0; i < 5; i++)
        CHECK_MSG(GET(site, targets[i]) == 403, "%s: %d", targets[i], site->result);
    CHECK_EQ_INT(GET(site, "/s/docs/page.html"), 200);
}

TEST(files, STA_11_links_of_choice) { /* STA-11, Advisory A37 */
    gale_files_config_t config = gale_files_config();
    config.symlinks = GALE_SYMLINKS_ALL;
    with(&config, all_links);
    config.symlinks = GALE_SYMLINKS_NONE;
    with(&config, no_links);
}

TEST(files, settings_that_make_no_sense) {
    char long_name[300];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const indexes[] = {"a/b", "..", ".", "/", long_name};
    gale_files_t *files;
    for (size_t i = 0; i < 5; i++) {
        gale_files_config_t config = gale_files_config();
        config.index = indexes[i];
        CHECK_EQ_INT(gale_files_open_with(&files, "/", &config), UV_EINVAL);
        CHECK(files == NULL);
    }
    gale_files_config_t config = gale_files_config();
    config.cache_control = "a\r\nb";
    CHECK_EQ_INT(gale_files_open_with(&files, "/", &config), UV_EINVAL);
    config.cache_control = NULL;
    config.symlinks = 3;
    CHECK_EQ_INT(gale_files_open_with(&files, "/", &config), UV_EINVAL);
    config.symlinks = 0;
    CHECK_EQ_INT(gale_files_open_with(&files, "/none", &config), UV_ENOENT);
}

/* Neither a dot nor a blank at the end of a name is anything but a letter of it. */
SITE_TEST(STA_10_names_that_end_oddly) { /* STA-10 */
    CHECK_EQ_INT(GET(site, "/s/hello.txt."), 404);
    CHECK_EQ_INT(GET(site, "/s/hello.txt%20"), 404);
    CHECK_EQ_INT(GET(site, "/s/hello.txt..."), 404);
    CHECK_EQ_INT(GET(site, "/s/hello.txt::$DATA"), 404);
    put_file(site, "dot.", "dot", 3);
    CHECK_EQ_INT(GET(site, "/s/dot."), 200);
}

/* --------------------------------------------------------------------------------- gale_respond_file */

static const char *target; /* of the file on_file opens */
static int result;

static void on_file(gale_req_t *req, void *data) {
    gale_header_t type = {GALE__LIT("Content-Type"), GALE__LIT("text/own")};
    char path[256];
    path_in(data, target, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    result = gale_respond_file(req, &type, 1, fd);
    if (result == 0) {
        int again = open(path, O_RDONLY | O_CLOEXEC);
        CHECK_EQ_INT(gale_respond_file(req, NULL, 0, again), GALE_ESTATE);
        CHECK(fcntl(again, F_GETFD) < 0);
    } else {
        CHECK(fd < 0 || fcntl(fd, F_GETFD) < 0);
        gale_respond_text(req, 500, "no file");
    }
}

TEST(files, respond_file) {
    site_t site;
    REQUIRE(site_begin_with(&site, NULL, on_file));
    target = "hello.txt";
    CHECK_EQ_INT(GET(&site, "/anything"), 200);
    CHECK_EQ_STR(content(), "hello");
    CHECK_EQ_STR(field("Content-Type"), "text/own");
    CHECK_EQ_STR(field("Last-Modified"), MTIME_TEXT);
    CHECK(!absent("ETag"));
    CHECK_EQ_INT(ask(&site, "GET", "/", "If-None-Match: *\r\n"), 304);
    CHECK_EQ_INT(ask(&site, "HEAD", "/", ""), 200);
    CHECK_EQ_STR(field("Content-Length"), "5");
    CHECK_EQ_INT(ask(&site, "GET", "/", "Range: bytes=1-2\r\n"), 206);
    CHECK_EQ_STR(content(), "el");
    CHECK_EQ_INT(ask(&site, "GET", "/", "Range: bytes=9-\r\n"), 416);
    CHECK_EQ_INT(ask(&site, "GET", "/", "If-Match: \"x\"\r\n"), 412);
    target = "large.bin";
    CHECK_EQ_INT(ask(&site, "GET", "/", "Range: bytes=0-0,-1\r\n"), 206);
    CHECK(strstr(content().ptr, "\r\nContent-Type: text/own\r\n") != NULL);
    CHECK_EQ_INT(GET(&site, "/"), 200);
    CHECK_EQ_UINT(content().len, LARGE);
    target = "docs";
    CHECK_EQ_INT(GET(&site, "/"), 500);
    CHECK_EQ_INT(result, UV_EINVAL);
    target = "none";
    CHECK_EQ_INT(GET(&site, "/"), 500);
    CHECK_EQ_INT(result, UV_EBADF);
    site_end(&site);
}
