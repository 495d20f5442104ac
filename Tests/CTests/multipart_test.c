/* multipart/form-data: Tornado's table, the grammar's corners, limits; each row is fed whole, cut
 * in two at every byte, and byte by byte (HU-14 ... HU-18). */
#include "multipart.h"

#include <stdio.h>

#include "multipart_feed.h"
#include "str.h"
#include "test.h"

static const gale__multipart_limits_t usual = {100, GALE__PART_HEADER_BYTES, GALE__PART_HEADERS,
                                               1 << 20, 1 << 20};

static void check(const char *what, const gale__multipart_limits_t *limits, const char *boundary,
                  gale_str_t body, gale_str_t want) {
    for (size_t first = 0; first <= body.len; first++) {
        fed_form_t fed;
        int mode = first == body.len ? FEED_BYTES : FEED_WHOLE;
        feed_form(&fed, limits, boundary, body.ptr, body.len, first == body.len ? 0 : first, mode,
                  0);
        bool same = gale__eq(gale_str(fed.text, fed.len), want);
        CHECK_MSG(same, "%s, cut at %zu: %.*s", what, first, (int)fed.len, fed.text);
        free(fed.text);
        if (!same) return;
    }
}
#define CHECK_FORM(what, body, want)                                                               \
    check(what, &usual, "1234", gale_str(body, sizeof(body) - 1), gale_str(want, sizeof(want) - 1))

#define D "Content-Disposition: form-data; "
#define FILES D "name=\"files\"; "
#define FOO "\r\n\r\nFoo\r\n--1234--"

TEST(multipart, as_in_tornado_HU_14) {
    CHECK_FORM("file and type",
               "--1234\r\n" FILES "filename=\"ab.txt\"\r\nContent-Type: text/plain" FOO,
               "<files|ab.txt|text/plain>Foo</>.");
    CHECK_FORM("RFC 5987", /* HU-17 */
               "--1234\r\n" FILES "filename=\"ab.txt\"; filename*=UTF-8''%C3%A1b.txt" FOO,
               "<files|\xc3\xa1"
               "b.txt|->Foo</>.");
    CHECK_FORM("raw UTF-8", "--1234\r\n" FILES "filename=\"\xe6\xb5\x8b\xe8\xaf\x95.txt\"" FOO,
               "<files|\xe6\xb5\x8b\xe8\xaf\x95.txt|->Foo</>.");
    CHECK_FORM("invalid disposition",
               "--1234\r\nContent-Disposition: invalid; name=\"files\"; filename=\"ab.txt\"" FOO,
               "!400 a part is no form-data");
    CHECK_FORM("bad line break", "--1234\r\n" FILES "filename=\"ab.txt\"\r\n\r\nFoo--1234--",
               "<files|ab.txt|->Foo--1234--!400 the body ends before its final boundary");
    CHECK_FORM("no name", "--1234\r\n" D "filename=\"ab.txt\"" FOO, "!400 a part has no name");
    CHECK_FORM("data after final", "--1234\r\n" FILES "filename=\"ab.txt\"" FOO "\r\n",
               "<files|ab.txt|->Foo</>.");
    CHECK_FORM("no final boundary", "--1234\r\n" D "name=\"f\"\r\n\r\nFoo\r\n--1234",
               "<f||->Foo!400 the body ends before its final boundary");
    CHECK_FORM("preamble", "junk\r\n--1234\r\n" D "name=\"f\"; filename=\"a\"" FOO,
               "!400 the body does not begin with its boundary");
}

TEST(multipart, special_file_names_HU_17) {
    CHECK_FORM("1", "--1234\r\n" FILES "filename=\"a;b.txt\"" FOO, "<files|a;b.txt|->Foo</>.");
    CHECK_FORM("2", "--1234\r\n" FILES "filename=\"a\\\"b.txt\"" FOO, "<files|a\"b.txt|->Foo</>.");
    CHECK_FORM("3", "--1234\r\n" FILES "filename=\"a;\\\"b.txt\"" FOO,
               "<files|a;\"b.txt|->Foo</>.");
    CHECK_FORM("4", "--1234\r\n" FILES "filename=\"a\\\";\\\";.txt\"" FOO,
               "<files|a\";\";.txt|->Foo</>.");
    CHECK_FORM("5", "--1234\r\n" FILES "filename=\"a\\\\\\\"b.txt\"" FOO,
               "<files|a\\\"b.txt|->Foo</>.");
    CHECK_FORM("6", "--1234\r\n" FILES "filename=\"a\\\\b.txt\"" FOO, "<files|a\\b.txt|->Foo</>.");
    CHECK_FORM("7", "--1234\r\n" FILES "filename=\"a b.txt\"" FOO, "<files|a b.txt|->Foo</>.");
    CHECK_FORM("8", "--1234\r\n" FILES "filename=\"a\tb.txt\"" FOO, "<files|a\tb.txt|->Foo</>.");
    CHECK_FORM("9", "--1234\r\n" FILES "filename=\"a\rb.txt\"" FOO, /* Advisory A26 */
               "!400 a part has a malformed header");
    CHECK_FORM("NUL", "--1234\r\n" FILES "filename=\"a\0b.txt\"" FOO,
               "!400 a part has a malformed header");
    CHECK_FORM("LF", "--1234\r\n" FILES "filename=\"a\nb.txt\"" FOO,
               "!400 a line of a part's headers does not end with CR LF");
    CHECK_FORM("encoded CR", "--1234\r\n" FILES "filename*=UTF-8''a%0Db" FOO,
               "!400 a part has a malformed Content-Disposition");
    CHECK_FORM("encoded DEL, with a plain one",
               "--1234\r\n" FILES "filename=a; filename*=UTF-8''%7f" FOO,
               "!400 a part has a malformed Content-Disposition");
    CHECK_FORM("no UTF-8", "--1234\r\n" FILES "filename=\"\xe4.txt\"" FOO,
               "!400 a part header is no UTF-8");
    CHECK_FORM("as given", "--1234\r\n" FILES "filename=\"../../etc/passwd\"" FOO,
               "<files|../../etc/passwd|->Foo</>.");
    CHECK_FORM("a browser's backslash", "--1234\r\n" FILES "filename=\"C:\\a.txt\"" FOO,
               "<files|C:\\a.txt|->Foo</>.");
}

TEST(multipart, parts_HU_14) {
    CHECK_FORM("empty file name", "--1234\r\n" FILES "filename=\"\"" FOO, "<files||->Foo</>.");
    CHECK_FORM("two parts",
               "--1234\r\n" D "name=a\r\n\r\n1\r\n--1234\r\n" D "name=b\r\n\r\n2\r\n--1234--\r\n",
               "<a||->1</><b||->2</>.");
    CHECK_FORM("no parts", "--1234--\r\n", ".");
    CHECK_FORM("nothing", "", "!400 the body ends before its final boundary");
    CHECK_FORM("leading CRLF", "\r\n--1234\r\n" D "name=a" FOO, "<a||->Foo</>.");
    CHECK_FORM("two leading CRLF", "\r\n\r\n--1234\r\n" D "name=a" FOO,
               "!400 the body does not begin with its boundary");
    CHECK_FORM("epilogue", "--1234\r\n" D "name=a" FOO "\r\njunk\r\n--1234\r\njunk",
               "<a||->Foo</>.");
    CHECK_FORM("empty part", "--1234\r\n" D "name=a\r\n\r\n\r\n--1234--", "<a||-></>.");
    CHECK_FORM("empty part without its own CRLF", "--1234\r\n" D "name=a\r\n\r\n--1234--",
               "<a||-></>.");
    CHECK_FORM("padding", "--1234 \t\r\n" D "name=a\r\n\r\nFoo\r\n--1234  \r\n" D "name=b" FOO,
               "<a||->Foo</><b||->Foo</>.");
    CHECK_FORM("nearly boundaries",
               "--1234\r\n" D
               "name=a\r\n\r\n-\r\n\r\r\n-\r\n--\r\n--123\r\n\r\n--12\r\n--124\r\n--1234--",
               "<a||->-\r\n\r\r\n-\r\n--\r\n--123\r\n\r\n--12\r\n--124</>.");
    CHECK_FORM("CRs", "--1234\r\n" D "name=a\r\n\r\n\r\r\r\r\n\n\r\r\n--1234--",
               "<a||->\r\r\r\r\n\n\r</>.");
    CHECK_FORM("dashes first", "--1234\r\n" D "name=a\r\n\r\n--123\r\n--1234--", "<a||->--123</>.");
    CHECK_FORM("binary", "--1234\r\n" D "name=a\r\n\r\n\0\xff\n\0\r\n--1234--",
               "<a||->\0\xff\n\0</>.");
    CHECK_FORM("a longer line", "--1234\r\n" D "name=a\r\n\r\nFoo\r\n--12345\r\n--1234--",
               "<a||->Foo!400 a boundary is followed by something else than the end of its line");
    CHECK_FORM("half an end", "--1234\r\n" D "name=a\r\n\r\nFoo\r\n--1234-x",
               "<a||->Foo!400 a boundary is followed by something else than the end of its line");
    CHECK_FORM("a bare CR", "--1234\r\n" D "name=a\r\n\r\nFoo\r\n--1234\rx",
               "<a||->Foo!400 a boundary is followed by something else than the end of its line");
    CHECK_FORM("a bare LF", "--1234\n" D "name=a" FOO,
               "!400 a boundary is followed by something else than the end of its line");
    CHECK_FORM("padded end", "--1234\r\n" D "name=a\r\n\r\nFoo\r\n--1234 --",
               "<a||->Foo!400 a boundary is followed by something else than the end of its line");
}

TEST(multipart, headers_HU_14) {
    CHECK_FORM("any case", "--1234\r\ncontent-DISPOSITION:Form-Data;NAME=a\r\nX-Y: z" FOO,
               "<a||->Foo</>.");
    CHECK_FORM("none", "--1234\r\n\r\nFoo\r\n--1234--", "!400 a part is no form-data");
    CHECK_FORM("no Content-Disposition", "--1234\r\nContent-Type: a/b" FOO,
               "!400 a part is no form-data");
    CHECK_FORM("two", "--1234\r\n" D "name=a\r\n" D "name=b" FOO, "!400 a part has a header twice");
    CHECK_FORM("two types", "--1234\r\n" D "name=a\r\nContent-Type: a/b\r\nContent-Type: a/b" FOO,
               "!400 a part has a header twice");
    CHECK_FORM("two names", "--1234\r\n" D "name=a; name=b" FOO,
               "!400 a part has a malformed Content-Disposition");
    CHECK_FORM("two file names", "--1234\r\n" D "name=a; filename=a; filename=b" FOO,
               "!400 a part has a malformed Content-Disposition");
    CHECK_FORM("an open quote", "--1234\r\n" D "name=\"a" FOO,
               "!400 a part has a malformed Content-Disposition");
    CHECK_FORM("empty name", "--1234\r\n" D "name=\"\"" FOO, "!400 a part has no name");
    CHECK_FORM("folded", "--1234\r\n" D "\r\n name=a" FOO, "!400 a part has a malformed header");
    CHECK_FORM("no colon", "--1234\r\n" D "name=a\r\nX" FOO, "!400 a part has a malformed header");
    CHECK_FORM("bad header name", "--1234\r\n" D "name=a\r\nX Y: z" FOO,
               "!400 a part has a malformed header");
    CHECK_FORM("bare LF", "--1234\r\n" D "name=a\n\r\nFoo\r\n--1234--",
               "!400 a line of a part's headers does not end with CR LF");
    CHECK_FORM("8bit", "--1234\r\n" D "name=a\r\nContent-Transfer-Encoding: 8Bit" FOO,
               "<a||->Foo</>.");
    CHECK_FORM("base64", "--1234\r\n" D "name=a\r\nContent-Transfer-Encoding: base64" FOO,
               "!400 a part has a transfer encoding");
    CHECK_FORM("type with parameters",
               "--1234\r\n" D "name=a\r\nContent-Type: text/plain; charset=x" FOO,
               "<a||text/plain; charset=x>Foo</>.");
}

TEST(multipart, limits_HU_15) { /* Advisory A24, A33 */
    static const char body[] =
        "--1234\r\n" D "name=a\r\n\r\nFoo\r\n--1234\r\n" D "name=b\r\n\r\nFoobar" FOO;
    enum { LEN = sizeof body - 1, HEADERS = sizeof D "name=a\r\n\r\n" - 1 };
    static const struct {
        gale__multipart_limits_t limits;
        const char *want;
    } rows[] = {
        {{2, HEADERS, 1, 13, LEN}, "<a||->Foo</><b||->Foobar\r\n\r\nFoo</>."},
        {{1, HEADERS, 1, 13, LEN}, "<a||->Foo!400 too many parts"},
        {{0, HEADERS, 1, 13, LEN}, "!400 too many parts"},
        {{2, HEADERS - 1, 1, 13, LEN}, "!400 the headers of a part are too large"},
        {{2, 10, 1, 13, LEN}, "!400 the headers of a part are too large"},
        {{2, 0, 1, 13, LEN}, "!400 the headers of a part are too large"},
        {{2, HEADERS, 0, 13, LEN}, "!400 a part has too many headers"},
        {{2, HEADERS, 1, 12, LEN}, "<a||->Foo</><b||->Foobar\r\n\r\nFo!413 a part is too large"},
        {{2, HEADERS, 1, 7, LEN}, "<a||->Foo</><b||->Foobar\r!413 a part is too large"},
        {{2, HEADERS, 1, 2, LEN}, "<a||->Fo!413 a part is too large"},
        {{2, HEADERS, 1, 0, LEN}, "<a||->!413 a part is too large"},
        {{2, HEADERS, 1, 13, LEN - 1},
         "<a||->Foo</><b||->Foobar\r\n\r\nFoo!413 the body is too large"},
        {{2, HEADERS, 1, 13, 0}, "!413 the body is too large"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[20];
        snprintf(what, sizeof what, "row %zu", i);
        check(what, &rows[i].limits, "1234", gale_str(body, LEN), gale_cstr(rows[i].want));
    }
}

TEST(multipart, header_lines) {
    char body[2000] = "--1234\r\n" D "name=a\r\n";
    for (int i = 1; i < GALE__PART_HEADERS; i++) strcat(body, "X: y\r\n");
    size_t len = strlen(body);
    strcat(body, "\r\nFoo\r\n--1234--");
    check("as many as may be", &usual, "1234", gale_cstr(body), GALE__LIT("<a||->Foo</>."));
    strcpy(body + len, "X: y\r\n\r\nFoo\r\n--1234--");
    check("one more", &usual, "1234", gale_cstr(body),
          GALE__LIT("!400 a part has too many headers"));
}

TEST(multipart, a_hundred_parts_HU_15) {
    fed_form_t fed;
    char body[8192];
    for (int parts = 100; parts <= 101; parts++) {
        size_t len = 0;
        for (int i = 0; i < parts; i++) {
            len += (size_t)snprintf(body + len, sizeof body - len,
                                    "--1234\r\n" D "name=a\r\n\r\n\r\n");
        }
        len += (size_t)snprintf(body + len, sizeof body - len, "--1234--\r\n");
        feed_form(&fed, &usual, "1234", body, len, 0, FEED_WHOLE, 0);
        CHECK_EQ_INT(fed.status, parts == 100 ? 0 : 400);
        CHECK_EQ_UINT(fed.parts, 100);
        free(fed.text);
    }
}

/* Advisory A24, A33: the part too many is refused where it begins, whatever stands behind it: what
 * was taken of the bytes is counted. */
TEST(multipart, nothing_is_taken_beyond_a_limit) {
    static const char part[] = "--1234\r\n" D "name=a\r\n\r\n\r\n";
    enum { PART = sizeof part - 1, PARTS = 100000, MOST = 100 };
    char room[2 * GALE__PART_HEADER_BYTES], *body = malloc((size_t)PART * PARTS);
    REQUIRE(body != NULL);
    for (size_t i = 0; i < PARTS; i++) memcpy(body + i * PART, part, PART);
    gale__multipart_limits_t limits = usual;
    limits.max_bytes = limits.max_part_bytes = UINT64_MAX;
    for (limits.max_parts = 1; limits.max_parts <= MOST; limits.max_parts++) {
        gale__multipart_t m;
        gale_str_t data;
        size_t pos = 0, calls = 0;
        gale__multipart_init(&m, &limits, GALE__LIT("1234"), room);
        while (gale__multipart_next(&m, gale_str(body, (size_t)PART * PARTS), &pos, &data) > 0)
            calls++;
        CHECK_EQ_INT(m.status, 400);
        CHECK_EQ_UINT(calls, 2 * limits.max_parts - 1); /* the last one has no end */
        CHECK_MSG(pos < (limits.max_parts + 1) * (size_t)PART, "%u parts: %zu bytes were taken",
                  limits.max_parts, pos);
    }
    free(body);
}

TEST(multipart, boundaries) { /* RFC 2046 5.1.1 */
    char longest[72];
    memset(longest, 'b', sizeof longest);
    CHECK(gale__is_boundary(gale_str(longest, 70)));
    CHECK(!gale__is_boundary(gale_str(longest, 71)));
    CHECK(gale__is_boundary(GALE__LIT("----WebKitFormBoundary7MA4YWxkTrZu0gW")));
    CHECK(gale__is_boundary(GALE__LIT("0aZ'()+_,-./:=?")));
    CHECK(gale__is_boundary(GALE__LIT("a b")));
    static const char *const bad[] = {"",     "a ",  " ",   "a\tb", "a\r", "a\n",  "a;b",
                                      "a\"b", "a@b", "a[b", "a`b",  "a{b", "\xe4", "a\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!gale__is_boundary(gale_cstr(bad[i])));
    CHECK(!gale__is_boundary(GALE__LIT("a\0b")));
    longest[70] = '\0';
    char body[400];
    snprintf(body, sizeof body, "--%s\r\n" D "name=a\r\n\r\n\r\n--%.69s\r\n--%s--", longest,
             longest, longest);
    char want[100];
    snprintf(want, sizeof want, "<a||->\r\n--%.69s</>.", longest);
    check("the longest", &usual, longest, gale_cstr(body), gale_cstr(want));
}

/* Bytes that keep a search busy: the data comes out whole, and were any of it quadratic, this would
 * not end. */
TEST(multipart, hostile_data_is_linear) {
    static const char *const patterns[] = {"\r",        "\r\n", "\r\n-",      "\r\n--",
                                           "\r\n--123", "-",    "\r\r\n--12", "x"};
    static const gale__multipart_limits_t large = {1, 1000, 2, 64 << 20, 64 << 20};
    enum { LEN = 8 << 20 };
    static const char head[] = "--1234\r\n" D "name=a\r\n\r\n", tail[] = "x\r\n--1234--";
    char *body = malloc(LEN + sizeof head + sizeof tail);
    REQUIRE(body != NULL);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t n = strlen(patterns[i]), at = sizeof head - 1;
        memcpy(body, head, at);
        for (size_t k = 0; k < LEN; k++) body[at + k] = patterns[i][k % n];
        memcpy(body + at + LEN, tail, sizeof tail - 1);
        gale__multipart_t m;
        char room[2000];
        gale_str_t data, all = gale_str(body, at + LEN + sizeof tail - 1);
        gale__multipart_init(&m, &large, GALE__LIT("1234"), room);
        size_t pos = 0, got = 0;
        int event;
        while ((event = gale__multipart_next(&m, all, &pos, &data)) > 0) {
            if (event == GALE__MULTIPART_DATA) got += data.len;
        }
        CHECK_EQ_INT(gale__multipart_finish(&m), GALE__MULTIPART_END);
        CHECK_EQ_UINT(got, LEN + 1);
    }
    free(body);
}
