/* Byte strings: str.h against plain definitions of RFC 9110 5.5 and 5.6, and numbers at their
 * bounds (HU-02, HU-03). */
#include "str.h"

#include <stdio.h>

#include "test.h"

TEST(str, char_classes) {
    for (unsigned c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9';
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        bool visible = c > 0x20 && c < 0x7f;
        bool token = alpha || digit || (c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        bool field = visible || c == ' ' || c == '\t' || c >= 0x80;
        bool target = visible && strchr("\"<>#", (int)c) == NULL;
        bool host = alpha || digit || (c != 0 && strchr("-._~!$&'()*+;=", (int)c) != NULL);
        unsigned want = (token ? GALE__TOKEN : 0) | (field ? GALE__FIELD : 0) |
                        (target ? GALE__TARGET : 0) | (digit ? GALE__DIGIT : 0) |
                        (hex ? GALE__HEX : 0) | (host ? GALE__HOST : 0);
        CHECK_MSG(gale__char_class[c] == want, "byte %02x: %u, want %u", c, gale__char_class[c],
                  want);
    }
}

TEST(str, equality) {
    CHECK(gale__eq(gale_cstr(""), gale_str(NULL, 0)));
    CHECK(gale__eq(gale_cstr("ab"), gale_cstr("ab")) &&
          !gale__eq(gale_cstr("ab"), gale_cstr("aB")));
    CHECK(!gale__eq(gale_cstr("ab"), gale_cstr("abc")));
    CHECK(gale__eq_nocase(gale_cstr("Content-LENGTH"), gale_cstr("cONTENT-length")));
    CHECK(!gale__eq_nocase(gale_cstr("abc"), gale_cstr("ab")));
    /* Pairs that differ by 0x20 but are no letters, and bytes beyond ASCII. */
    CHECK(!gale__eq_nocase(gale_cstr("@"), gale_cstr("`")));
    CHECK(!gale__eq_nocase(gale_cstr("["), gale_cstr("{")));
    CHECK(!gale__eq_nocase(gale_cstr("-"), gale_cstr("\r")));
    CHECK(!gale__eq_nocase(gale_cstr("\xc3\x84"), gale_cstr("\xc3\xa4")));
}

TEST(str, trim) {
    CHECK_EQ_STR(gale__trim(gale_cstr(" \t a b\t ")), "a b");
    CHECK_EQ_STR(gale__trim(gale_cstr(" \t ")), "");
    CHECK_EQ_STR(gale__trim(gale_cstr("")), "");
    /* NBSP, NEL and other controls stay (HU-03). */
    CHECK_EQ_STR(gale__trim(gale_cstr("\xa0x\x85")), "\xa0x\x85");
    CHECK_EQ_STR(gale__trim(gale_cstr("\x0bx\x0c\r\n")), "\x0bx\x0c\r\n");
}

TEST(str, lists) {
    gale_str_t list = gale_cstr("keep-alive ,\tUpgrade,, x;close ");
    CHECK(gale__list_has(list, gale_cstr("KEEP-alive")) &&
          gale__list_has(list, gale_cstr("upgrade")));
    CHECK(!gale__list_has(list, gale_cstr("close")) && !gale__list_has(list, gale_cstr("keep")));
    CHECK(!gale__list_has(list, gale_cstr("")) && !gale__list_has(gale_cstr(""), gale_cstr("")));
    CHECK(!gale__list_has(gale_str(NULL, 0), gale_cstr("a")));
    CHECK(gale__list_has(gale_cstr(",a"), gale_cstr("a")) &&
          gale__list_has(gale_cstr("a,"), gale_cstr("a")));
}

TEST(str, tokens_and_values) {
    CHECK(gale__is_token(gale_cstr("X-Foo")) && !gale__is_token(gale_cstr("")));
    static const char *const bad[] = {"a b", "a:", "a\t", " a", "\xc3\xa9", "a\n", "(a)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!gale__is_token(gale_cstr(bad[i])));
    CHECK(!gale__is_token(gale_str("a\0b", 3)));
    CHECK(gale__is_field_value(gale_cstr("")) && gale__is_field_value(gale_cstr("a\tb \xff")));
    CHECK(!gale__is_field_value(gale_cstr("a\r")) && !gale__is_field_value(gale_cstr("\x7f")));
    CHECK(!gale__is_field_value(gale_str("a\0b", 3)));
}

TEST(str, numbers) {
    int64_t n = -1;
    CHECK(gale__parse_int64(gale_cstr("0"), &n) && n == 0);
    CHECK(gale__parse_int64(gale_cstr("0000000000000000000000000042"), &n) && n == 42);
    CHECK(gale__parse_int64(gale_cstr("9223372036854775807"), &n) && n == INT64_MAX);
    static const char *const bad[] = {"",
                                      "9223372036854775808",
                                      "18446744073709551616",
                                      "+1",
                                      "-1",
                                      "1 ",
                                      " 1",
                                      "1_0",
                                      "0x1",
                                      "1.0",
                                      "\xd9\xa1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_MSG(!gale__parse_int64(gale_cstr(bad[i]), &n), "%s", bad[i]);
    }
    char out[20], want[24];
    static const uint64_t values[] = {0, 9, 10, 99, 100, 1234567890, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(want, sizeof want, "%llu", (unsigned long long)values[i]);
        CHECK_EQ_STRS(gale_str(out, gale__format_uint64(out, values[i])), gale_cstr(want));
    }
}

TEST(str, lists_element_by_element) {
    static const struct {
        const char *list, *elements; /* each followed by ';' */
    } rows[] = {{"", ";"},   {"a", "a;"},   {" a , b\t", "a;b;"},
                {",", ";;"}, {"a,", "a;;"}, {",a b,,c", ";a b;;c;"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale_str_t list = gale_cstr(rows[i].list), element;
        char got[64];
        size_t len = 0;
        while (gale__list_next(&list, &element)) {
            memcpy(got + len, element.ptr, element.len);
            len += element.len;
            got[len++] = ';';
        }
        CHECK_EQ_STRS(gale_str(got, len), gale_cstr(rows[i].elements));
        CHECK(list.ptr == NULL);
    }
    gale_str_t none = {NULL, 0}, element;
    CHECK(!gale__list_next(&none, &element));
}
