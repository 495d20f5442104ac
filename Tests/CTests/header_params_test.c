/* Header values with parameters: what is found, what is decoded, what is refused (HU-10). */
#include "header_params.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

/* The value, or "!none", "!bad", "!full". Input and output are exact copies: ASan sees a read or a
 * write too far. */
static gale_str_t get(gale_str_t field, const char *name, unsigned flags, size_t size) {
    static char text[70000];
    char *in = malloc(field.len > 0 ? field.len : 1), *out = malloc(size > 0 ? size : 1);
    if (in == NULL || out == NULL) abort();
    if (field.len > 0) memcpy(in, field.ptr, field.len);
    int len = gale__param_get(gale_str(in, field.len), gale_cstr(name), flags, out, size);
    if (len > 0) memcpy(text, out, (size_t)len);
    free(in);
    free(out);
    if (len == GALE__PARAM_NONE) return GALE__LIT("!none");
    if (len == GALE__PARAM_BAD) return GALE__LIT("!bad");
    return len == GALE__PARAM_FULL ? GALE__LIT("!full") : gale_str(text, (size_t)len);
}
#define GET(field, name) get(GALE__LIT(field), name, 0, sizeof(field) - 1)
#define FORM(field, name) get(GALE__LIT(field), name, GALE__PARAM_FORM, sizeof(field) - 1)

/* "main|name=value|name=\"quoted\"|name", or "!". */
static gale_str_t list(const char *field) {
    static char text[1024];
    gale_str_t rest = gale_cstr(field), main;
    gale__param_t p;
    size_t len = 0;
    if (!gale__params_begin(&rest, &main)) return GALE__LIT("!");
    memcpy(text, main.ptr, main.len);
    len = main.len;
    int more;
    while ((more = gale__params_next(&rest, &p)) > 0) {
        text[len++] = '|';
        memcpy(text + len, p.name.ptr, p.name.len);
        len += p.name.len;
        if (p.value.ptr == NULL) continue;
        text[len++] = '=';
        if (p.quoted) text[len++] = '"';
        memcpy(text + len, p.value.ptr, p.value.len);
        len += p.value.len;
        if (p.quoted) text[len++] = '"';
    }
    return more < 0 ? GALE__LIT("!") : gale_str(text, len);
}

TEST(header_params, as_they_stand) {
    static const struct {
        const char *field, *want;
    } rows[] = {
        {"", ""},
        {"text/html", "text/html"},
        {" text/html ; charset = utf-8 ", "text/html|charset=utf-8"},
        {"a;b=c;;d=e;", "a|b=c|d=e"},
        {"a;b;c=1", "a|b|c=1"},
        {"a; b=", "a|b="},
        {"a; b=\"\"", "a|b=\"\""},
        {"a; b=\"x;y\"; c=z", "a|b=\"x;y\"|c=z"},
        {"a; b=\"x\\\";y\" ;c=z", "a|b=\"x\\\";y\"|c=z"},
        {"\"a;b\";c=d", "\"a;b\"|c=d"},
        {"a; file=my file.txt", "a|file=my file.txt"},
        {"a;\tb=c\t", "a|b=c"},
        {";;;", ""},
        {"a; b=\"c", "!"},
        {"a; b=\"c\\\"", "!"},
        {"a; b=\"c\\", "!"},
        {"a; b=\"c\"d", "!"},
        {"a; b=c\"d\"", "!"},
        {"a; =c", "!"},
        {"a; b c=d", "!"},
        {"\"a", "!"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_EQ_STRS(list(rows[i].field), gale_cstr(rows[i].want));
    }
}

TEST(header_params, as_in_tornado_HU_10) {
    CHECK_EQ_STR(GET("form-data; name=\"a\"; filename=\"b;c.txt\"", "name"), "a");
    CHECK_EQ_STR(GET("form-data; name=\"a\"; filename=\"b;c.txt\"", "filename"), "b;c.txt");
    CHECK_EQ_STR(GET("text/html; charset=utf-8", "charset"), "utf-8");
    CHECK_EQ_STR(GET("form-data; name=files; filename=ab.txt", "filename"), "ab.txt");
    CHECK_EQ_STR(GET("form-data; foo=\"b\\\\a\\\"r\"; file*=utf-8''T%C3%A4st", "foo"), "b\\a\"r");
    CHECK_EQ_STR(GET("form-data; foo=\"b\\\\a\\\"r\"; file*=utf-8''T%C3%A4st", "file"),
                 "T\xc3\xa4st");
    CHECK_EQ_STR(GET("text/html; foo*0=\"a\"; foo*1=\"b\"", "foo"), "ab");
}

TEST(header_params, plain) {
    CHECK_EQ_STR(GET("a; B=c", "b"), "c");
    CHECK_EQ_STR(GET("a; b=c; b=d", "b"), "c"); /* the first counts */
    CHECK_EQ_STR(GET("a; bb=c", "b"), "!none");
    CHECK_EQ_STR(GET("a; b", "b"), "!none");
    CHECK_EQ_STR(GET("", "b"), "!none");
    CHECK_EQ_STR(GET("b=c", "b"), "!none"); /* the main value */
    CHECK_EQ_STR(GET("a; b=\"\\q\\\\\"", "b"), "q\\");
    CHECK_EQ_STR(GET("a; b=\xff", "b"), "\xff"); /* bytes as they are */
    CHECK_EQ_STR(GET("a; c=\"; b=d", "b"), "!bad");
    CHECK_EQ_STR(get(GALE__LIT("a; b=\"c\\\"d\""), "b", 0, 3), "c\"d");
    CHECK_EQ_STR(get(GALE__LIT("a; b=\"c\\\"d\""), "b", 0, 2), "!full");
    CHECK_EQ_STR(get(GALE__LIT("a; b="), "b", 0, 0), "");
}

/* RFC 8187, with the examples of its section 3.2.3 and RFC 6266 5. */
TEST(header_params, extended_HU_17) {
    CHECK_EQ_STR(GET("a; t*=iso-8859-1'en'%A3%20rates", "t"), "\xc2\xa3 rates");
    CHECK_EQ_STR(GET("a; t*=UTF-8''%c2%a3%20and%20%e2%82%ac%20rates", "t"),
                 "\xc2\xa3 and \xe2\x82\xac rates");
    CHECK_EQ_STR(GET("a; t=\"EURO rates\"; t*=utf-8''%e2%82%ac%20rates", "t"),
                 "\xe2\x82\xac rates");
    CHECK_EQ_STR(GET("a; t*=utf-8''x; t=y", "t"), "x");
    CHECK_EQ_STR(GET("a; t*=us-ascii''x", "t"), "x");
    CHECK_EQ_STR(GET("a; t*=\"UTF-8''x%20y\"", "t"), "x y");
    CHECK_EQ_STR(GET("a; t*=''x", "t"), "x");
    /* What cannot be decoded counts as absent. */
    static const char *const bad[] = {
        "t*=x",          "t*=utf-8'x",          "t*=utf-8''%",        "t*=utf-8''%4",
        "t*=utf-8''%zz", "t*=koi8-r''x",        "t*=utf-8''%ff",      "t*=utf-8''%00",
        "t*=utf-8''%0d", "t*=utf-8''%7f",       "t*=utf-8''\xc3\xa9", "t*=us-ascii''%80",
        "t*=",           "t*=utf-8''%ed%a0%80", "t*=utf-8''%c0%af",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char field[100] = "a; ";
        strcat(field, bad[i]);
        CHECK_EQ_STR(get(gale_cstr(field), "t", 0, 100), "!none");
        CHECK_EQ_STR(get(gale_cstr(field), "t", GALE__PARAM_FORM, 100), "!bad");
        strcat(field, "; t=plain");
        CHECK_EQ_STR(get(gale_cstr(field), "t", 0, 100), "plain");
        CHECK_EQ_STR(get(gale_cstr(field), "t", GALE__PARAM_FORM, 100), "!bad");
    }
}

TEST(header_params, continued) { /* RFC 2231 3, 4.1 */
    CHECK_EQ_STR(GET("a; t*1=b; t*0=a; t*2=c", "t"), "abc");
    CHECK_EQ_STR(
        GET("a; t*0*=us-ascii'en'This%20is%20even%20more%20; t*1*=%2A%2A%2Afun%2A%2A%2A%20; "
            "t*2=\"isn't it!\"",
            "t"),
        "This is even more ***fun*** isn't it!");
    CHECK_EQ_STR(GET("a; t*0*=iso-8859-1''%e9; t*1*=%e8", "t"), "\xc3\xa9\xc3\xa8");
    CHECK_EQ_STR(GET("a; t*0=a; t*2=c", "t"), "a");       /* up to the gap */
    CHECK_EQ_STR(GET("a; t*1=b; t=plain", "t"), "plain"); /* without a start */
    CHECK_EQ_STR(GET("a; t*0=a; t=plain; t*=utf-8''x", "t"), "x");
    CHECK_EQ_STR(GET("a; t*00=a; t*01=b", "t"), "!none");
    CHECK_EQ_STR(GET("a; t*32=a; t*999999999999999999999=b; t*x=c; t**=d", "t"), "!none");
    CHECK_EQ_STR(GET("a; t*0*=utf-8''%c3; t*1*=%a4", "t"), "\xc3\xa4"); /* a character in two */
    CHECK_EQ_STR(GET("a; t*0*=utf-8''%c3; t*1=x; t=plain", "t"), "plain");
}

TEST(header_params, of_a_form_HU_17) {
    CHECK_EQ_STR(FORM("form-data; filename=\"C:\\dir\\a.txt\"", "filename"), "C:\\dir\\a.txt");
    CHECK_EQ_STR(GET("form-data; filename=\"C:\\dir\\a.txt\"", "filename"), "C:dira.txt");
    CHECK_EQ_STR(FORM("form-data; filename=\"a\\\\b\\\"c\"", "filename"), "a\\b\"c");
    CHECK_EQ_STR(FORM("form-data; name=a; name=a", "name"), "!bad");
    CHECK_EQ_STR(FORM("form-data; name*=utf-8''a; name*=utf-8''a", "name"), "!bad");
    CHECK_EQ_STR(FORM("form-data; name*0=a; name*0=a", "name"), "!bad");
    CHECK_EQ_STR(FORM("form-data; name=a; other=b; other=c", "name"), "a");
}

/* Advisory A22, CVE-2025-67726: the time goes with the length. This is no measurement: were it quadratic,
 * the test would not end. */
TEST(header_params, long_and_hostile_HU_10) {
    enum { LEN = 8 << 20 };
    static const char *const patterns[] = {";",    "\\\"",   "\";", "a=\"",
                                           ";a=b", ";a*1=b", "; ",  "a;\\"};
    char *field = malloc(LEN), out[16];
    REQUIRE(field != NULL);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t n = strlen(patterns[i]);
        memcpy(field, "x; n=\"", 6);
        for (size_t k = 6; k < LEN; k++) field[k] = patterns[i][(k - 6) % n];
        gale__param_get(gale_str(field, LEN), GALE__LIT("n"), 0, out, sizeof out);
        field[5] = ' ';
        int found = gale__param_get(gale_str(field, LEN), GALE__LIT("z"), 0, out, sizeof out);
        CHECK(found == GALE__PARAM_NONE || found == GALE__PARAM_BAD);
    }
    free(field);
}
