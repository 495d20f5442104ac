/* HTTP dates (RFC 9110 5.6.7): the rows of Tornado (HU-24), all three forms, every day of 800
 * years, what is refused. */
#include "date.h"

#include <stdlib.h>

#include "test.h"

static gale_str_t format(int64_t t, char out[GALE__DATE_LEN]) {
    gale__format_date(out, t);
    return gale_str(out, GALE__DATE_LEN);
}

/* The time, or -12345 when refused. The copy is exact: ASan sees a read too far. */
static long long parse(const char *text) {
    size_t len = strlen(text);
    int64_t t = -12345;
    char *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) return 0;
    memcpy(copy, text, len);
    if (!gale__parse_date(gale_str(copy, len), &t)) CHECK_EQ_INT(t, -12345);
    free(copy);
    return t;
}

TEST(date, rows_of_tornado) { /* HU-24, tornado-facts.json format_timestamp */
    char out[GALE__DATE_LEN];
    CHECK_EQ_STR(format(0, out), "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK_EQ_STR(format(1, out), "Thu, 01 Jan 1970 00:00:01 GMT");
    CHECK_EQ_STR(format(784111777, out), "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK_EQ_STR(format(1300000000, out), "Sun, 13 Mar 2011 07:06:40 GMT");
    CHECK_EQ_STR(format(1359312200, out), "Sun, 27 Jan 2013 18:43:20 GMT");
    CHECK_EQ_STR(format(4102444800, out), "Fri, 01 Jan 2100 00:00:00 GMT");
}

TEST(date, ends_of_the_range) {
    char out[GALE__DATE_LEN];
    CHECK_EQ_STR(format(-1, out), "Wed, 31 Dec 1969 23:59:59 GMT");
    CHECK_EQ_STR(format(253402300799, out), "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK_EQ_STR(format(INT64_MAX, out), "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK_EQ_STR(format(INT64_MIN, out), "Sat, 01 Jan 0000 00:00:00 GMT");
    CHECK_EQ_INT(parse("Sat, 01 Jan 0000 00:00:00 GMT"), -62167219200);
    CHECK_EQ_INT(parse("Fri, 31 Dec 9999 23:59:59 GMT"), 253402300799);
}

TEST(date, every_day_of_two_eras) {
    for (int64_t day = -146097; day <= 146097; day++) {
        char out[GALE__DATE_LEN];
        int64_t t = day * 86400 + (day * 7919 % 86400 + 86400) % 86400, back = 0;
        bool ok = gale__parse_date(format(t, out), &back);
        if (!ok || back != t) test_fail(__FILE__, __LINE__, "%.29s", out);
    }
}

TEST(date, three_forms) { /* RFC 9110 5.6.7 */
    CHECK_EQ_INT(parse("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    CHECK_EQ_INT(parse("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    CHECK_EQ_INT(parse("Sun Nov  6 08:49:37 1994"), 784111777);
    CHECK_EQ_INT(parse("Wednesday, 09-Nov-94 08:49:37 GMT"), 784111777 + 3 * 86400);
    CHECK_EQ_INT(parse("Wed Nov 16 08:49:37 1994"), 784111777 + 10 * 86400);
    CHECK_EQ_INT(parse("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
    CHECK_EQ_INT(parse("Friday, 31-Dec-69 00:00:00 GMT"), 3155673600); /* 2069 */
    CHECK_EQ_INT(parse("Thu, 29 Feb 2024 00:00:00 GMT"), 1709164800);
    CHECK_EQ_INT(parse("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800); /* the leap second */
}

TEST(date, refused) {
    static const char *const bad[] = {
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Mon, 29 Feb 2100 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 -8:49:37 GMT",
        "Sun, 06 Nov 1994 +8:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Someday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 06 08:49:37 94",
        "Sun Nov   6 08:49:37 1994",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "1994-11-06T08:49:37.000Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_MSG(parse(bad[i]) == -12345, "taken: \"%s\"", bad[i]);
    int64_t t;
    CHECK(!gale__parse_date(gale_str(NULL, 0), &t));
}
