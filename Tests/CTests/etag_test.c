/* If-None-Match: list, weak comparison, "*" (WEB-26, STA-06); If-Match: strong comparison; and that
 * their cost is linear. */
#include "etag.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

static bool matches(const char *field, const char *etag) {
    size_t len = strlen(field);
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) abort();
    memcpy(copy, field, len);
    bool result = gale__etag_matches(gale_str(copy, len), gale_cstr(etag));
    free(copy);
    return result;
}

TEST(etag, matches) {
    CHECK(matches("\"x\"", "\"x\""));
    CHECK(matches("W/\"x\"", "\"x\""));
    CHECK(matches("\"x\"", "W/\"x\""));
    CHECK(matches("W/\"x\"", "W/\"x\""));
    CHECK(matches("*", "\"x\""));
    CHECK(matches("  * ", "\"x\""));
    CHECK(matches("\"a\", \"b\",W/\"x\"", "\"x\""));
    CHECK(matches("\"a\" ,\t\"x\" , \"b\"", "\"x\""));
    CHECK(matches(",, \"x\",", "\"x\""));
    CHECK(matches("\"a,b\", \"x,y\"", "\"x,y\""));
    CHECK(matches("\"\"", "\"\""));
    CHECK(matches("junk, \"x\"", "\"x\""));
    CHECK(matches("\"a\" junk, \"x\" ", "\"x\""));
}

TEST(etag, does_not_match) {
    CHECK(!matches("", "\"x\""));
    CHECK(!matches("\"y\"", "\"x\""));
    CHECK(!matches("x", "\"x\""));
    CHECK(!matches("\"x", "\"x\""));
    CHECK(!matches("x\"", "\"x\""));
    CHECK(!matches("w/\"x\"", "\"x\""));
    CHECK(!matches("W/", "\"x\""));
    CHECK(!matches("\"X\"", "\"x\""));
    CHECK(!matches("\"x \"", "\"x\""));
    CHECK(!matches("\"a\", *", "\"x\""));
    CHECK(!matches("**", "\"x\""));
    CHECK(!matches("\"a\" \"x\"", "\"x\"")); /* one member, and no tag */
    CHECK(!matches("\"a\"\"x\"", "\"x\""));
    CHECK(!matches("\"x\" \"a\"", "\"x\""));
    CHECK(!matches("\"x\"y, \"a\"", "\"x\""));
    CHECK(!matches("\"a, \"x\", b\"", "\"y\""));
    CHECK(!gale__etag_matches(gale_str(NULL, 0), GALE__LIT("\"x\"")));
}

TEST(etag, strong_comparison) { /* RFC 9110 8.8.3.2, 13.1.1 */
    static const struct {
        const char *field, *etag;
        bool matches;
    } rows[] = {
        {"\"x\"", "\"x\"", true},
        {"*", "\"x\"", true},
        {"*", "W/\"x\"", true},
        {"\"a\", \"x\"", "\"x\"", true},
        {"\"a,b\",\"x\"", "\"x\"", true},
        {"W/\"x\", \"x\"", "\"x\"", true},
        {"W/\"x\"", "\"x\"", false},
        {"\"x\"", "W/\"x\"", false},
        {"W/\"x\"", "W/\"x\"", false},
        {"\"y\"", "\"x\"", false},
        {"x", "\"x\"", false},
        {"", "\"x\"", false},
        {"\"a\", *", "\"x\"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_MSG(gale__etag_matches_strongly(gale_cstr(rows[i].field), gale_cstr(rows[i].etag)) ==
                      rows[i].matches,
                  "%s and %s", rows[i].field, rows[i].etag);
}

/* A megabyte of the worst there is takes no time to speak of. */
TEST(etag, linear) {
    static const char *const worst[] = {"\"", "W/", ",", "W/\"", "a,", "\"\"", " "};
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    REQUIRE(text != NULL);
    for (size_t k = 0; k < sizeof worst / sizeof worst[0]; k++) {
        size_t n = strlen(worst[k]);
        for (size_t i = 0; i < SIZE; i++) text[i] = worst[k][i % n];
        CHECK(!gale__etag_matches(gale_str(text, SIZE - 1), GALE__LIT("\"x\"")));
        CHECK(!gale__etag_matches_strongly(gale_str(text, SIZE - 1), GALE__LIT("\"x\"")));
    }
    free(text);
}
