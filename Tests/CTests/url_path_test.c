/* Paths of static files: what is decoded, what is refused and with which status
 * (STA-10, STA-13). */
#include "url_path.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

/* The path, or "!403" and the like. The input is an exact copy: ASan sees a read too far. */
static gale_str_t normal(gale_str_t encoded, size_t size) {
    static char out[256];
    char *in = malloc(encoded.len > 0 ? encoded.len : 1), *room = malloc(size > 0 ? size : 1);
    if (in == NULL || room == NULL) abort();
    if (encoded.len > 0) memcpy(in, encoded.ptr, encoded.len);
    int result = gale__path_normalize(gale_str(in, encoded.len), room, size, false);
    if (result >= 0) {
        CHECK(room[result] == '\0' && (size_t)result < size);
        memcpy(out, room, (size_t)result);
    } else {
        out[0] = '!';
        result = (int)(1 + gale__format_uint64(out + 1, (uint64_t)-result));
    }
    free(in);
    free(room);
    return gale_str(out, (size_t)result);
}
#define NORMAL(text) normal(gale_str(text, sizeof(text) - 1), 100)

TEST(url_path, decoded) {
    CHECK_EQ_STR(NORMAL(""), "");
    CHECK_EQ_STR(NORMAL("a"), "a");
    CHECK_EQ_STR(NORMAL("a/b.txt"), "a/b.txt");
    CHECK_EQ_STR(NORMAL("a%20b/%63%C3%A9"), "a b/c\xc3\xa9");
    CHECK_EQ_STR(NORMAL("a+b"), "a+b");
    CHECK_EQ_STR(NORMAL("\xc3\xa9"), "\xc3\xa9");
    CHECK_EQ_STR(NORMAL("a/"), "a/");
    CHECK_EQ_STR(NORMAL("a//b///c//"), "a/b/c/");
    CHECK_EQ_STR(NORMAL("a./b..c/d.."), "a./b..c/d..");
    CHECK_EQ_STR(NORMAL("%252e%252e/x"), "%2e%2e/x"); /* once, not twice */
}

TEST(url_path, leads_out) { /* STA-10, STA-13 */
    static const char *const bad[] = {
        "..",     "../",    "../x",       "a/../x",    "a/..",    "%2e%2e",      "%2E%2E/x",
        ".%2e/x", "%2e./x", "a/%2e%2e/x", "..%2f",     "..%2fx",  "a%2fb",       "a%2Fb",
        "..\\x",  "..%5cx", "a\\b",       "a%5Cb",     "/",       "/etc/passwd", "//host/",
        "//",     "%2fetc", "%2F%2Fhost", "a/..%2f..", "a//../b", "a/%2e%2e",    ".../x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ_STR(normal(gale_cstr(bad[i]), 100), "!403");
}

TEST(url_path, dot_files) {
    CHECK_EQ_STR(NORMAL("."), "!403");
    CHECK_EQ_STR(NORMAL("./a"), "!403");
    CHECK_EQ_STR(NORMAL(".env"), "!403");
    CHECK_EQ_STR(NORMAL("%2eenv"), "!403");
    CHECK_EQ_STR(NORMAL("a/.git/config"), "!403");
    CHECK_EQ_STR(NORMAL("a//.git"), "!403");
}

TEST(url_path, malformed) {
    CHECK_EQ_STR(NORMAL("a%00b"), "!400");
    CHECK_EQ_STR(NORMAL("a\0b"), "!400");
    CHECK_EQ_STR(NORMAL("%"), "!400");
    CHECK_EQ_STR(NORMAL("a%4"), "!400");
    CHECK_EQ_STR(NORMAL("a%g0"), "!400");
    CHECK_EQ_STR(NORMAL("a%0g"), "!400");
    CHECK_EQ_STR(NORMAL("a%+1"), "!400");
    CHECK_EQ_STR(NORMAL("%ff"), "!400");
    CHECK_EQ_STR(NORMAL("a%c3/b"), "!400");
    CHECK_EQ_STR(NORMAL("%c0%ae%c0%ae/x"), "!400"); /* overlong ".." */
    CHECK_EQ_STR(NORMAL("%ed%a0%80"), "!400");
}

TEST(url_path, too_long) {
    CHECK_EQ_STR(normal(GALE__LIT("abc"), 4), "abc");
    CHECK_EQ_STR(normal(GALE__LIT("abcd"), 4), "!414");
    CHECK_EQ_STR(normal(GALE__LIT("%61%62%63"), 4), "abc");
    CHECK_EQ_STR(normal(GALE__LIT(""), 1), "");
    CHECK_EQ_STR(normal(GALE__LIT("a"), 1), "!414");
    CHECK_EQ_STR(normal(GALE__LIT(""), 0), "!414");
}

TEST(url_path, dotfiles_where_they_are_allowed) {
    static const char *const rows[][2] = {
        {".env", ".env"},   {"a/.git/b", "a/.git/b"},
        {"%2eenv", ".env"}, {".../a", ".../a"},
        {"..a", "..a"},     {"a..", "a.."},
        {"a/b.", "a/b."},   {".", NULL},
        {"..", NULL},       {"./a", NULL},
        {"../a", NULL},     {"a/..", NULL},
        {"a/../b", NULL},   {"a/./b", NULL},
        {"a/.", NULL},      {"%2e%2e/a", NULL},
        {"a//..", NULL},    {".%2e", NULL},
        {"a/%2e", NULL},    {"..%2fa", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[32];
        gale_str_t in = gale_cstr(rows[i][0]);
        int len = gale__path_normalize(in, out, sizeof out, true);
        if (rows[i][1] == NULL)
            CHECK_MSG(len == -403, "%s: %d", rows[i][0], len);
        else
            CHECK_MSG(len >= 0 && strcmp(out, rows[i][1]) == 0, "%s: %d", rows[i][0], len);
    }
}

static void check_inside(const char *out, int len) {
    CHECK(strlen(out) == (size_t)len && out[0] != '/');
    CHECK(strstr(out, "//") == NULL && strchr(out, '\\') == NULL);
    for (const char *p = out; p != NULL; p = strchr(p, '/')) {
        if (*p == '/') p++;
        size_t n = strcspn(p, "/");
        CHECK((n != 1 && n != 2) || strspn(p, ".") != n);
    }
}

/* All texts of up to six of these pieces: what is let through never leads out. */
TEST(url_path, whatever_is_let_through_stays_inside) {
    static const char *const pieces[] = {".", "/", "%2e", "%2f",  "\\", "%5c",
                                         "a", "%", "%00", "\xc3", "2e"};
    enum { N = sizeof pieces / sizeof pieces[0] };
    size_t total = 1, passed = 0;
    for (int i = 0; i < 5; i++) total *= N;
    for (size_t v = 0; v < total; v++) {
        char text[32], out[32];
        size_t len = 0;
        for (size_t k = v, i = 0; i < 5; i++, k /= N) {
            size_t n = strlen(pieces[k % N]);
            memcpy(text + len, pieces[k % N], n);
            len += n;
        }
        int result = gale__path_normalize(gale_str(text, len), out, sizeof out, true);
        if (result >= 0) check_inside(out, result);
        result = gale__path_normalize(gale_str(text, len), out, sizeof out, false);
        if (result < 0) continue;
        passed++;
        check_inside(out, result);
        CHECK(out[0] != '.' && strstr(out, "/.") == NULL);
    }
    CHECK(passed > 0);
}
