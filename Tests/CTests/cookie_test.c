/* The Cookie field (HU-30, HU-31): Tornado's table. */
#include "cookie.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

enum { MAX = 8 };

/* What a row parses to, the last of a name winning. */
typedef struct {
    char bytes[MAX][2][64];
    gale_str_t name[MAX], value[MAX];
    size_t count;
} jar_t;

static void parse(jar_t *jar, const char *field) {
    gale_str_t rest = gale_cstr(field), name, value;
    jar->count = 0;
    while (gale__cookie_next(&rest, &name, &value)) {
        size_t i = 0;
        while (i < jar->count && !gale__eq(jar->name[i], name)) i++;
        if (i == jar->count) jar->count++;
        if (name.len > 0) memcpy(jar->bytes[i][0], name.ptr, name.len);
        jar->name[i] = gale_str(jar->bytes[i][0], name.len);
        jar->value[i] = gale_str(jar->bytes[i][1], gale__cookie_unquote(value, jar->bytes[i][1]));
        bool escaped = gale__cookie_escaped(&value);
        CHECK(escaped || gale__eq(value, jar->value[i]));
    }
}

TEST(cookie, table_HU_30) { /* Advisory A11: split as browsers do */
    static const struct {
        const char *field, *want[MAX]; /* name, value ... */
    } rows[] = {
        {"chips=ahoy; vienna=finger", {"chips", "ahoy", "vienna", "finger"}},
        {"keebler=\"E=mc2; L=\\\"Loves\\\"; fudge=\\012;\"",
         {"keebler", "\"E=mc2", "L", "\\\"Loves\\\"", "fudge", "\\012", "", "\""}},
        {"keebler=E=mc2", {"keebler", "E=mc2"}},
        {"a=b; c=[; d=r; f=h", {"a", "b", "c", "[", "d", "r", "f", "h"}},
        {"a=b; Domain=example.com", {"a", "b", "Domain", "example.com"}},
        {"a=b; h=i; a=c", {"a", "c", "h", "i"}},
        {"a=b; \"; c=d", {"a", "b", "", "\"", "c", "d"}},
        {"saint=Andr\xc3\xa9 Bessette", {"saint", "Andr\xc3\xa9 Bessette"}},
        {"  =  b  ;  ;  =  ;   c  =  ;  ", {"", "b", "c", ""}},
        {";;;", {NULL}},
        {"", {NULL}},
        {"a=;b", {"a", "", "", "b"}},
        {"a=\"b", {"a", "\"b"}},
        {"a=\"", {"a", "\""}},
        {"a=\"\"", {"a", ""}},
        {"a=\"b=\\\"\"", {"a", "b=\""}},
        {"a=\"b=\\\\\"", {"a", "b=\\"}},
        {"a=\"b=\\=\"", {"a", "b=="}},
        {"a=\"b=\\n\"", {"a", "b=n"}},
        {"a=\"b=\\042\"", {"a", "b=\""}},
        {"a=\"b=\\42\"", {"a", "b=42"}},
        {"a=\"b=\\\\042\"", {"a", "b=\\042"}},
        {"a=\"b=\\\\134\"", {"a", "b=\\134"}},
        {"a=\"b=\\\\\\\"\"", {"a", "b=\\\""}},
        {"a=\"b=\\\\\\042\"", {"a", "b=\\\""}},
        {"a=\"b=\\134\\\"\"", {"a", "b=\\\""}},
        {"a=\"b=\\134\\042\"", {"a", "b=\\\""}},
        {"a=\"\\377\\400\"",
         {"a", "\xff"
               "400"}},
        {"a=\"b\\\"", {"a", "b\\"}},
        {"a=\"\\04\"", {"a", "04"}},
        {"a=b\\042", {"a", "b\\042"}}, /* no quotes, no escapes */
        {"\ta\t=\tb\t", {"a", "b"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jar_t jar;
        size_t count = 0;
        parse(&jar, rows[i].field);
        for (; count < MAX / 2 && rows[i].want[2 * count] != NULL; count++) {
            if (count >= jar.count) break;
            CHECK_EQ_STRS(jar.name[count], gale_cstr(rows[i].want[2 * count]));
            CHECK_EQ_STRS(jar.value[count], gale_cstr(rows[i].want[2 * count + 1]));
        }
        CHECK_MSG(jar.count == count, "row %zu: %zu cookies", i, jar.count);
    }
}

/* Advisory A17, CVE-2024-52804: were it quadratic, this would not end. */
TEST(cookie, unquoting_is_linear_HU_31) {
    enum { LEN = 8 << 20 };
    char *value = malloc(LEN), *out = malloc(LEN);
    REQUIRE(value != NULL && out != NULL);
    static const char *const patterns[] = {"\\", "\\042", "\\04", "a\\"};
    static const size_t want[] = {(LEN - 2) / 2, (LEN - 2) / 4 + 1, (LEN - 2) / 3 * 2, LEN / 2};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t n = strlen(patterns[i]);
        for (size_t k = 0; k < LEN; k++) value[k] = patterns[i][(k + n - 1) % n];
        value[0] = value[LEN - 1] = '"';
        size_t len = gale__cookie_unquote(gale_str(value, LEN), out);
        CHECK_MSG(len + 2 >= want[i] && len <= want[i] + 2, "%s: %zu", patterns[i], len);
        gale_str_t rest = gale_str(value, LEN), name, whole;
        CHECK(gale__cookie_next(&rest, &name, &whole) && !gale__cookie_next(&rest, &name, &whole));
    }
    free(value);
    free(out);
}
