/*
 * Static files through a whole server and an in-memory client: headers and conditions (STA-01 ...
 * STA-06, STA-12), what is refused (STA-10, STA-11), folders (STA-13), files small and large, and
 * the walk that stands in for openat2.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#endif

#include "files_site.h"

SITE_TEST(get_and_head) { /* STA-01, STA-02, STA-12 */
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    CHECK_EQ_STR(content(), "hello");
    CHECK_EQ_STR(field("Content-Type"), "text/plain");
    CHECK_EQ_STR(field("Content-Length"), "5");
    CHECK_EQ_STR(field("Last-Modified"), MTIME_TEXT);
    CHECK_EQ_STR(field("X-Content-Type-Options"), "nosniff");
    CHECK_EQ_STR(field("Accept-Ranges"), "bytes");
    CHECK(absent("Cache-Control") && absent("Vary") && absent("Content-Encoding"));
    gale_str_t etag = field("ETag");
    CHECK(etag.len > 4 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"');

    size_t head_len = reply.len - 5;
    char *head = malloc(head_len);
    REQUIRE(head != NULL);
    memcpy(head, reply.text, head_len);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/hello.txt", ""), 200);
    CHECK_EQ_STRS(gale_str(reply.text, reply.len), gale_str(head, head_len));
    free(head);
    CHECK_EQ_INT(ask(site, "POST", "/s/hello.txt", ""), 405);
    CHECK_EQ_INT(ask(site, "get", "/s/hello.txt", ""), 405);
}

/* What comes back when others have left is no fault of the file's. */
SITE_TEST(without_descriptors) {
    struct rlimit limit, none;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    none = limit;
    none.rlim_cur = 0;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 503);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
}

SITE_TEST(sizes) {
    static const struct {
        const char *target, *length;
    } rows[] = {{"/s/empty.css", "0"},
                {"/s/edge.js", "16384"},
                {"/s/over.js", "16385"},
                {"/s/large.bin", "300000"}};
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ_INT(GET(site, rows[i].target), 200);
        CHECK_EQ_STRS(field("Content-Length"), gale_cstr(rows[i].length));
        gale_str_t body = content();
        CHECK_EQ_UINT(body.len, (unsigned long long)atoll(rows[i].length));
        for (size_t k = 0; k < body.len; k++) {
            if (body.ptr[k] != (char)('a' + k % 23)) {
                test_fail(__FILE__, __LINE__, "%s: byte %zu", rows[i].target, k);
                break;
            }
        }
        CHECK_EQ_INT(ask(site, "HEAD", rows[i].target, ""), 200);
        CHECK_EQ_STRS(field("Content-Length"), gale_cstr(rows[i].length));
        CHECK_EQ_UINT(content().len, 0);
    }
}

SITE_TEST(names) {
    CHECK_EQ_INT(GET(site, "/s/a%20b%c3%a9.html"), 200);
    CHECK_EQ_STR(field("Content-Type"), "text/html; charset=utf-8");
    CHECK_EQ_INT(GET(site, "/s//hello.txt"), 403);
    CHECK_EQ_INT(GET(site, "/s/docs//page.html"), 200);
    CHECK_EQ_INT(GET(site, "/s/none.txt"), 404);
    CHECK_EQ_INT(GET(site, "/s/hello.txt/x"), 404);
    CHECK_EQ_INT(GET(site, "/s/hello.txt/"), 404);
    CHECK_EQ_INT(GET(site, "/s/a%00b"), 400);
    CHECK_EQ_INT(GET(site, "/s/%"), 400);
    char target[5000] = "/s/";
    memset(target + 3, 'n', 300);
    CHECK_EQ_INT(GET(site, target), 404); /* longer than a name can be */
    memset(target + 3, 'n', 4500);
    CHECK_EQ_INT(GET(site, target), 414);
}

static void check_refused(site_t *site) { /* STA-10, STA-11, Advisory A35 */
    static const char *const targets[] = {
        "/s/../x",        "/s/%2e%2e/x", "/s/..%2fx", "/s/docs/../hello.txt",
        "/s//etc/passwd", "/s/%2fetc",   "/s/..\\x",  "/s/.env",
        "/s/%2eenv",      "/s/out",      "/s/up/x",   "/s/up",
        "/s/loop",        "/s/fifo",     "/s/odd/",
    };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        CHECK_MSG(GET(site, targets[i]) == 403, "%s: %d", targets[i], site->result);
}

SITE_TEST(refused) {
    check_refused(site);
}

#ifdef __linux__
/* From here on this process has no openat2, as on an old kernel or in a strict container. */
static bool forbid_openat2(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* number of the call */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void check_walk(site_t *site) {
    check_refused(site);
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    CHECK_EQ_STR(content(), "hello");
    CHECK_EQ_INT(GET(site, "/s/docs/page.html"), 200);
    CHECK_EQ_INT(GET(site, "/s/docs"), 301);
    CHECK_EQ_INT(GET(site, "/s/docs/"), 200);
    CHECK_EQ_INT(GET(site, "/s/in"), 403); /* no link at all is followed */
    CHECK_EQ_INT(GET(site, "/s/docs2/page.html"), 403);
    CHECK_EQ_INT(GET(site, "/s/hello.txt/x"), 404);
    CHECK_EQ_INT(GET(site, "/s/none/x"), 404);
}

/* The walk that stands in for openat2, in a process of its own because the filter can't be taken
 * back. */
TEST(files, without_openat2) {
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        site_t site;
        if (!forbid_openat2()) _exit(0); /* a sandbox within a sandbox: nothing to learn here */
        if (!site_begin(&site, NULL)) _exit(2);
        check_walk(&site);
        site_end(&site);
        fflush(NULL);
        _exit(test_failures() > 0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
#endif

/* Advisory A10, A35: neither a folder whose name begins as the root's nor any link to it, be it a
 * compressed sibling or an index, gives what is outside. */
SITE_TEST(a_folder_of_a_longer_name_is_outside) {
    char beside[80], secret[100], target[120], command[120];
    const char *name = strrchr(site->dir, '/') + 1;
    snprintf(beside, sizeof beside, "%s_more", site->dir);
    snprintf(secret, sizeof secret, "../%s_more/secret", name);
    REQUIRE(mkdir(beside, 0755) == 0);
    put_file(site, secret, "outside", 7);
    put_link(site, "relative", secret);
    put_link(site, "whole", beside);
    put_link(site, "hello.txt.gz", secret);
    put_link(site, "hello.txt.br", secret);
    put_link(site, "bare/index.html", "../../etc/passwd");
    snprintf(target, sizeof target, "/s/%s", secret);
    CHECK_EQ_INT(GET(site, target), 403);
    CHECK_EQ_INT(GET(site, "/s/relative"), 403);
    CHECK_EQ_INT(GET(site, "/s/whole/secret"), 403);
    CHECK_EQ_INT(GET(site, "/s/bare/"), 403);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "Accept-Encoding: gzip, br\r\n"), 200);
    CHECK_EQ_STR(content(), "hello");
    CHECK(absent("Content-Encoding"));
    snprintf(command, sizeof command, "rm -rf '%s'", beside);
    CHECK_EQ_INT(system(command), 0);
}

SITE_TEST(sockets_are_refused) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", site->dir);
    REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK_EQ_INT(GET(site, "/s/socket"), 403);
    close(fd);
}

SITE_TEST(links_inside) {                  /* STA-11 */
    if (GET(site, "/s/in") == 403) return; /* without openat2 no link is followed */
    CHECK_EQ_STR(content(), "hello");
    CHECK_EQ_INT(GET(site, "/s/docs2/"), 200);
    CHECK_EQ_STR(content(), "<h1>docs</h1>");
}

SITE_TEST(folders) { /* STA-13 */
    CHECK_EQ_INT(GET(site, "/s/docs"), 301);
    CHECK_EQ_STR(field("Location"), "/s/docs/");
    CHECK_EQ_INT(GET(site, "/s/docs?a=1&b"), 301);
    CHECK_EQ_STR(field("Location"), "/s/docs/?a=1&b");
    CHECK_EQ_INT(GET(site, "/s/docs/"), 200);
    CHECK_EQ_STR(content(), "<h1>docs</h1>");
    CHECK_EQ_STR(field("Content-Type"), "text/html; charset=utf-8");
    CHECK_EQ_INT(GET(site, "/s/bare/"), 404);
    CHECK_EQ_INT(GET(site, "/s/"), 404);
    CHECK_EQ_INT(GET(site, "/docs"), 301);
    CHECK_EQ_STR(field("Location"), "/docs/");
}

/* Advisory A13, A39, CVE-2023-28370: no Location that names another host. */
SITE_TEST(no_redirect_to_another_host) {
    static const char *const targets[] = {"//docs",  "/\\docs",  "//s/docs",
                                          "///docs", "/%2fdocs", "/%5cdocs"};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        CHECK_MSG(GET(site, targets[i]) == 403, "%s: %d", targets[i], site->result);
        CHECK(absent("Location"));
    }
}

SITE_TEST(conditions) { /* STA-06, WEB-26 */
    char line[256], etag[64];
    GET(site, "/s/hello.txt");
    snprintf(etag, sizeof etag, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    snprintf(line, sizeof line, "If-None-Match: \"x\", W/%s\r\n", etag);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 304);
    CHECK_EQ_STRS(field("ETag"), gale_cstr(etag));
    CHECK_EQ_STR(field("Last-Modified"), MTIME_TEXT);
    CHECK_EQ_STR(field("Accept-Ranges"), "bytes");
    CHECK(absent("Content-Type") && absent("Content-Length") && absent("X-Content-Type-Options"));
    CHECK_EQ_UINT(content().len, 0);
    CHECK_EQ_INT(ask(site, "HEAD", "/s/hello.txt", line), 304);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", "If-None-Match: *\r\n"), 304);
    snprintf(line, sizeof line, "If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", etag);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 304);
    /* If-None-Match alone decides. */
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt",
                     "If-None-Match: \"x\"\r\nIf-Modified-Since: " MTIME_TEXT "\r\n"),
                 200);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt",
                     "If-None-Match: \r\nIf-Modified-Since: " MTIME_TEXT "\r\n"),
                 200);
}

SITE_TEST(modified_since) { /* STA-06 */
    static const struct {
        const char *date;
        int status;
    } rows[] = {{MTIME_TEXT, 304},
                {"Tue, 14 Nov 2023 22:13:21 GMT", 304},
                {"Tue, 14 Nov 2023 22:13:19 GMT", 200},
                {"Tuesday, 14-Nov-23 22:13:20 GMT", 304},
                {"Tue Nov 14 22:13:20 2023", 304},
                {"yesterday", 200},
                {"", 200}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[100];
        snprintf(line, sizeof line, "If-Modified-Since: %s\r\n", rows[i].date);
        CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), rows[i].status);
    }
}

SITE_TEST(etag_changes) { /* STA-03: not stale after an edit */
    char first[64];
    GET(site, "/s/hello.txt");
    snprintf(first, sizeof first, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    put_file(site, "new.txt", "HELLO", 5); /* same size, same time */
    char from[256], to[256];
    path_in(site, "new.txt", from);
    path_in(site, "hello.txt", to);
    REQUIRE(rename(from, to) == 0);
    GET(site, "/s/hello.txt");
    CHECK_EQ_STR(content(), "HELLO");
    CHECK(!gale__eq(field("ETag"), gale_cstr(first)));
}

/* Written in place, and its time set back: cp -p, rsync -t --inplace, tar. */
SITE_TEST(etag_changes_in_place) { /* STA-03; RFC 9110 8.8.1 */
    char path[256], first[64], line[128];
    struct stat before, after;
    GET(site, "/s/hello.txt");
    snprintf(first, sizeof first, "%.*s", (int)field("ETag").len, field("ETag").ptr);
    path_in(site, "hello.txt", path);
    REQUIRE(stat(path, &before) == 0);
    do {
        put_file(site, "hello.txt", "HELLO", 5);
        REQUIRE(stat(path, &after) == 0);
    } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
             after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
    REQUIRE(after.st_ino == before.st_ino);
    snprintf(line, sizeof line, "If-None-Match: %s\r\n", first);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 200);
    CHECK_EQ_STR(content(), "HELLO");
    CHECK(!gale__eq(field("ETag"), gale_cstr(first)));
    snprintf(line, sizeof line, "Range: bytes=1-2\r\nIf-Range: %s\r\n", first);
    CHECK_EQ_INT(ask(site, "GET", "/s/hello.txt", line), 200);
}

SITE_TEST(modified_in_the_future) { /* RFC 9110 8.8.2.1 */
    char path[256];
    path_in(site, "hello.txt", path);
    struct timespec times[2] = {{4102444800, 0}, {4102444800, 0}};
    REQUIRE(utimensat(AT_FDCWD, path, times, 0) == 0);
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    CHECK_EQ_STRS(field("Last-Modified"), field("Date"));
}

SITE_TEST(headers_of_the_caller) {
    gale_header_t own[40] = {{GALE__LIT("cache-control"), GALE__LIT("no-cache")},
                             {GALE__LIT("content-type"), GALE__LIT("text/x")}};
    for (size_t i = 2; i < 40; i++) own[i] = (gale_header_t){GALE__LIT("X-More"), GALE__LIT("1")};
    site->own = own;
    site->own_count = 2;
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 200);
    CHECK_EQ_STR(field("cache-control"), "no-cache");
    CHECK_EQ_STR(field("content-type"), "text/x");
    CHECK(absent("Cache-Control") && absent("Content-Type"));
    site->own_count = 40;
    CHECK_EQ_INT(GET(site, "/s/large.bin"), 200);
    CHECK_EQ_UINT(content().len, LARGE);
    CHECK(!absent("X-More"));
    own[39] = (gale_header_t){GALE__LIT("bad name"), GALE__LIT("1")};
    CHECK_EQ_INT(GET(site, "/s/large.bin"), 500);
    CHECK_EQ_INT(site->result, GALE_EHEADER);
    CHECK_EQ_INT(GET(site, "/s/hello.txt"), 500);
    CHECK_EQ_INT(site->result, GALE_EHEADER);
}

TEST(files, roots_that_are_none) {
    gale_files_t *files = NULL;
    CHECK_EQ_INT(gale_files_open(&files, "/no/such/folder"), UV_ENOENT);
    CHECK(files == NULL);
    CHECK_EQ_INT(gale_files_open(&files, "/etc/passwd"), UV_ENOTDIR);
    gale_files_free(NULL);
}
