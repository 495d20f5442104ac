/* Urlencoded pairs, of one text and in pieces (HU-13). */
#include "urlencoded.h"

#include <stdio.h>
#include <stdlib.h>

#include "str.h"
#include "test.h"

static const struct {
    const char *text, *want; /* "name=value|" for each pair, decoded */
} rows[] = {
    {"", ""},
    {"a=1", "a=1|"},
    {"a=1&b=2", "a=1|b=2|"},
    {"a=1&a=2&a=", "a=1|a=2|a=|"},
    {"a", "a=|"},
    {"a&b", "a=|b=|"},
    {"=v", "=v|"},
    {"=", "=|"},
    {"&&a=1&&", "a=1|"},
    {"a=b=c", "a=b=c|"},
    {"a=1;b=2", "a=1;b=2|"}, /* ';' is data */
    {"a+b=c+d", "a b=c d|"},
    {"%C3%A9=%c3%a9", "\xc3\xa9=\xc3\xa9|"},
    {"a=%2B+%23%25%26%3D", "a=+ #%&=|"},
    {"a=%", "a=%|"},
    {"a=%4&b=%zz&c=%4g", "a=%4|b=%zz|c=%4g|"},
    {"a=%%41", "a=%A|"},
    {"a=%2541", "a=%41|"}, /* once */
    {"%61%3d=1", "a==1|"},
    {"a=\xff%fe", "a=\xff\xfe|"}, /* bytes: UTF-8 is the caller's matter */
};

typedef struct {
    char text[4096];
    size_t len;
} seen_t;

static void see(seen_t *s, gale_str_t name, gale_str_t value) {
    s->len += (size_t)snprintf(s->text + s->len, sizeof s->text - s->len, "%.*s=%.*s|",
                               (int)name.len, name.ptr, (int)value.len, value.ptr);
}

/* In pieces of `step`, each an exact copy. The last result in *result. */
static seen_t feed(const char *text, size_t step, size_t size, uint32_t max, int *result) {
    seen_t seen = {.len = 0};
    gale__urlencoded_t u;
    char *room = malloc(size > 0 ? size : 1);
    gale_str_t name, value;
    size_t len = strlen(text), at = 0;
    if (room == NULL) abort();
    gale__urlencoded_init(&u, room, size, max);
    do {
        size_t n = len - at < step ? len - at : step, pos = 0;
        char *piece = malloc(n > 0 ? n : 1);
        if (piece == NULL) abort();
        memcpy(piece, text + at, n);
        at += n;
        while ((*result = gale__urlencoded_next(&u, gale_str(piece, n), &pos, at == len, &name,
                                                &value)) == GALE__URLENCODED_PAIR) {
            see(&seen, name, value);
        }
        CHECK(*result < 0 || pos == n);
        free(piece);
    } while (*result == GALE__URLENCODED_MORE && at < len);
    free(room);
    return seen;
}

TEST(urlencoded, table_HU_13) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        seen_t whole = {.len = 0};
        gale_str_t rest = gale_cstr(rows[i].text), name, value;
        while (gale__pairs_next(&rest, &name, &value)) {
            char n[64], v[64];
            size_t nl = gale__form_decode(name, n, sizeof n);
            CHECK(gale__form_equals(name, gale_str(n, nl)));
            CHECK(!gale__form_equals(name, gale_str("another", 7)));
            see(&whole, gale_str(n, nl), gale_str(v, gale__form_decode(value, v, sizeof v)));
        }
        CHECK_EQ_STRS(gale_str(whole.text, whole.len), gale_cstr(rows[i].want));
    }
}

TEST(urlencoded, in_pieces_HU_13) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step <= strlen(rows[i].text) + 1; step++) {
            int result;
            seen_t seen = feed(rows[i].text, step, 64, 1000, &result);
            CHECK_EQ_INT(result, GALE__URLENCODED_MORE);
            CHECK_EQ_STRS(gale_str(seen.text, seen.len), gale_cstr(rows[i].want));
        }
    }
}

TEST(urlencoded, limits_HU_13) { /* Advisory A32, CVE-2026-82397 */
    static const struct {
        const char *text;
        size_t size;
        uint32_t max;
        int result;
        const char *want;
    } limits[] = {
        {"a&b&c", 8, 3, GALE__URLENCODED_MORE, "a=|b=|c=|"},
        {"a&b&c", 8, 2, GALE__URLENCODED_LIMIT, "a=|b=|"},
        {"a&b&&&", 8, 2, GALE__URLENCODED_MORE, "a=|b=|"},
        {"a", 8, 0, GALE__URLENCODED_LIMIT, ""},
        {"", 0, 0, GALE__URLENCODED_MORE, ""},
        {"ab=cd&ef=gh", 5, 9, GALE__URLENCODED_MORE, "ab=cd|ef=gh|"},
        {"ab=cd&ef=ghi", 5, 9, GALE__URLENCODED_FULL, "ab=cd|"},
        {"ab=cd", 4, 9, GALE__URLENCODED_FULL, ""},
        {"ab=cd&a", 4, 9, GALE__URLENCODED_FULL, ""},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (size_t step = 1; step <= strlen(limits[i].text) + 1; step++) {
            int result;
            seen_t seen = feed(limits[i].text, step, limits[i].size, limits[i].max, &result);
            CHECK_EQ_INT(result, limits[i].result);
            CHECK_EQ_STRS(gale_str(seen.text, seen.len), gale_cstr(limits[i].want));
        }
    }
}

/* Advisory A32, A33: the field too many is refused where it begins, whatever stands behind it. */
TEST(urlencoded, nothing_is_taken_beyond_a_limit) {
    enum { FIELDS = 1000000, MOST = 1000 };
    char *text = malloc(2 * FIELDS), room[8];
    REQUIRE(text != NULL);
    for (size_t i = 0; i < FIELDS; i++) memcpy(text + 2 * i, "a&", 2);
    for (uint32_t most = 1; most <= MOST; most++) {
        gale__urlencoded_t u;
        gale_str_t name, value;
        size_t pos = 0, pairs = 0;
        int result;
        gale__urlencoded_init(&u, room, sizeof room, most);
        while ((result = gale__urlencoded_next(&u, gale_str(text, 2 * FIELDS), &pos, true, &name,
                                               &value)) == GALE__URLENCODED_PAIR)
            pairs++;
        CHECK_EQ_INT(result, GALE__URLENCODED_LIMIT);
        CHECK_EQ_UINT(pairs, most);
        CHECK_MSG(pos <= 2 * (most + 1), "%u fields: %zu bytes were taken", most, pos);
    }
    free(text);
}

TEST(urlencoded, room_that_grows) {
    char small[2], large[8] = "";
    gale__urlencoded_t u;
    gale_str_t text = GALE__LIT("a=bcd&"), name, value;
    size_t pos = 0;
    gale__urlencoded_init(&u, small, sizeof small, 10);
    CHECK_EQ_INT(gale__urlencoded_next(&u, gale_str("a", 1), &pos, false, &name, &value), 0);
    pos = 1;
    CHECK_EQ_INT(gale__urlencoded_next(&u, text, &pos, false, &name, &value),
                 GALE__URLENCODED_FULL);
    memcpy(large, small, u.len);
    u.room = large;
    u.size = sizeof large;
    CHECK_EQ_INT(gale__urlencoded_next(&u, text, &pos, false, &name, &value),
                 GALE__URLENCODED_PAIR);
    CHECK_EQ_STR(name, "a");
    CHECK_EQ_STR(value, "bcd");
    CHECK_EQ_UINT(pos, text.len);
}

TEST(urlencoded, decoding_is_cut_off_at_the_room) {
    char out[] = "wxyz";
    CHECK_EQ_UINT(gale__form_decode(GALE__LIT("%41+%42c"), out, 2), 4);
    CHECK_EQ_STR(gale_str(out, 4), "A yz");
    CHECK(!gale__form_equals(GALE__LIT("%41"), GALE__LIT("")));
    CHECK(!gale__form_equals(GALE__LIT(""), GALE__LIT("A")));
    CHECK(gale__form_equals(GALE__LIT("%41"), GALE__LIT("A")));
    CHECK(!gale__form_equals(GALE__LIT("%41"), GALE__LIT("AB")));
}
