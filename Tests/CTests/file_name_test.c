/* Names of uploaded files made safe (HU-17). */
#include "file_name.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"
#include "utf8.h"

static gale_str_t safe(gale_str_t name) {
    static char out[GALE__FILE_NAME_MAX];
    char *in = malloc(name.len > 0 ? name.len : 1);
    if (in == NULL) abort();
    if (name.len > 0) memcpy(in, name.ptr, name.len);
    gale_str_t got = gale_str(out, gale__safe_file_name(gale_str(in, name.len), out));
    free(in);
    return got;
}

TEST(file_name, table_HU_17) {
    static const struct {
        const char *name, *want;
    } rows[] = {
        {"a.txt", "a.txt"},
        {"my file (1).txt", "my file (1).txt"},
        {"\xe6\xb5\x8b\xe8\xaf\x95.txt", "\xe6\xb5\x8b\xe8\xaf\x95.txt"},
        {"../../etc/passwd", "passwd"},
        {"/etc/passwd", "passwd"},
        {"C:\\dir\\a.txt", "a.txt"},
        {"a/b\\c", "c"},
        {"..", "file"},
        {".", "file"},
        {"", "file"},
        {"...", "file"},
        {"a/", "file"},
        {"a/..", "file"},
        {".htaccess", "htaccess"},
        {". .x", "x"},
        {"a.txt. .", "a.txt"},
        {"a:b|c?d*e\"f<g>h", "a_b_c_d_e_f_g_h"},
        {"a\nb\x7f", "a_b_"},
        {"a\xff", "a_"},
        {"\xc0\xaf", "__"},
        {"a\xe2\x80\xaegpj.exe", "agpj.exe"}, /* U+202E turns the rest around */
        {"a\xc2\x85\xef\xbb\xbf\xe2\x81\xa6.b", "a.b"},
        {"\xe2\x80\xae.x", "x"},
        {"\xe2\x80\xa6", "\xe2\x80\xa6"}, /* an ellipsis may stay */
        {"CON", "_CON"},
        {"nul.txt", "_nul.txt"},
        {"aux .x", "_aux .x"},
        {"com1.tar.gz", "_com1.tar.gz"},
        {"LPT9", "_LPT9"},
        {"COM", "COM"},
        {"comx", "comx"},
        {"con1", "con1"},
        {"console", "console"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ_STRS(safe(gale_cstr(rows[i].name)), gale_cstr(rows[i].want));
    }
    CHECK_EQ_STR(safe(GALE__LIT("a\0b")), "a_b");
}

TEST(file_name, long_names_keep_their_extension) {
    char name[1000];
    memset(name, 'n', sizeof name);
    CHECK_EQ_UINT(safe(gale_str(name, 254)).len, 254);
    CHECK_EQ_UINT(safe(gale_str(name, sizeof name)).len, 254);
    memcpy(name + 996, ".jpg", 4);
    gale_str_t got = safe(gale_str(name, sizeof name));
    CHECK_EQ_UINT(got.len, 254);
    CHECK_EQ_STR(gale_str(got.ptr + 249, 5), "n.jpg");
    memcpy(name + 990, ".toolongtobeone", 10); /* no extension */
    CHECK_EQ_UINT(safe(gale_str(name, sizeof name)).len, 254);
    memset(name, '.', 990);
    memcpy(name + 990, "aaaaaa.jpg", 10);
    CHECK_EQ_STR(safe(gale_str(name, sizeof name)), "aaaaaa.jpg");
    for (size_t i = 0; i < sizeof name; i++) name[i] = "\xe6\xb5\x8b"[i % 3];
    got = safe(gale_str(name, 999));
    CHECK(got.len > 250 && gale__utf8_valid(got.ptr, got.len)); /* no half character */
    memset(name, ' ', sizeof name);
    CHECK_EQ_STR(safe(gale_str(name, sizeof name)), "file");
}

/* Whatever comes in, what comes out is a name and no path. */
TEST(file_name, always_a_name_HU_17) {
    static const char *const pieces[] = {".",   "/", "\\",           " ",    "a",
                                         "con", ":", "\xe2\x80\xae", "\xc3", "1"};
    enum { N = sizeof pieces / sizeof *pieces };
    for (size_t v = 0; v < N * N * N * N * N; v++) {
        char text[32];
        size_t len = 0;
        for (size_t k = v, i = 0; i < 5; i++, k /= N) {
            size_t n = strlen(pieces[k % N]);
            memcpy(text + len, pieces[k % N], n);
            len += n;
        }
        gale_str_t got = safe(gale_str(text, len));
        CHECK(got.len > 0 && got.ptr[0] != '.' && got.ptr[got.len - 1] != '.');
        CHECK(got.ptr[0] != ' ' && got.ptr[got.len - 1] != ' ');
        CHECK(memchr(got.ptr, '/', got.len) == NULL && memchr(got.ptr, '\\', got.len) == NULL);
        CHECK(gale__utf8_valid(got.ptr, got.len));
    }
}
