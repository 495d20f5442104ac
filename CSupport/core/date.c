/*
 * HTTP dates (RFC 9110 5.6.7): IMF-fixdate is written; IMF-fixdate, RFC 850 and asctime are read.
 *
 * The calendar is computed, not asked of the C library: gmtime and timegm need locks or tables
 * there, know locales, and a date comes from the network. Days are counted in years that begin in
 * March, so that the leap day is the last of its year and the length of a month follows from its
 * number alone.
 */
#include "date.h"

#include <string.h>

#include "str.h"

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

typedef struct {
    int year, month, day; /* month 1-12, day 1-31 */
    int hour, minute, second;
} civil_t;

enum { DAY_SECONDS = 86400, DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };
static const int64_t first_second = -62167219200; /* 0000-01-01 00:00:00 */
static const int64_t last_second = 253402300799;  /* 9999-12-31 23:59:59 */

/* Days since 1970-01-01 of a day of the Gregorian calendar; year >= 0. */
static int64_t days_of(int year, int month, int day) {
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

/* The inverse of days_of. */
static void date_of(int64_t days, civil_t *c) {
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    c->day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    c->month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    c->year = (int)(year_of_era + era * 400 + (c->month <= 2));
}

static void put2(char *out, int value) {
    out[0] = (char)('0' + value / 10 % 10);
    out[1] = (char)('0' + value % 10);
}

void gale__format_date(char *out, int64_t unix_seconds) {
    if (unix_seconds < first_second) unix_seconds = first_second;
    if (unix_seconds > last_second) unix_seconds = last_second;
    int64_t days = unix_seconds / DAY_SECONDS, rest = unix_seconds % DAY_SECONDS;
    if (rest < 0) {
        rest += DAY_SECONDS;
        days--;
    }
    civil_t c;
    date_of(days, &c);
    int weekday = (int)((days % 7 + 7 + 4) % 7); /* 1970-01-01 was a Thursday */
    memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", GALE__DATE_LEN);
    memcpy(out, day_names[weekday], 3);
    put2(out + 5, c.day);
    memcpy(out + 8, month_names[c.month - 1], 3);
    put2(out + 12, c.year / 100);
    put2(out + 14, c.year);
    put2(out + 17, (int)(rest / 3600));
    put2(out + 20, (int)(rest / 60 % 60));
    put2(out + 23, (int)(rest % 60));
}

/* Reads exactly `count` digits; false and *value untouched on anything else. */
static bool digits(const char *p, int count, int *value) {
    int v = 0;
    for (int i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        v = v * 10 + (p[i] - '0');
    }
    *value = v;
    return true;
}

static bool month_at(const char *p, int *month) {
    for (int i = 0; i < 12; i++) {
        if (memcmp(p, month_names[i], 3) == 0) {
            *month = i + 1;
            return true;
        }
    }
    return false;
}

/* Names are case-sensitive (RFC 9110 5.6.7). */
static bool day_name_at(const char *p) {
    for (int i = 0; i < 7; i++) {
        if (memcmp(p, day_names[i], 3) == 0) return true;
    }
    return false;
}

/* "08:49:37" */
static bool time_at(const char *p, civil_t *c) {
    return p[2] == ':' && p[5] == ':' && digits(p, 2, &c->hour) && digits(p + 3, 2, &c->minute) &&
           digits(p + 6, 2, &c->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool parse_imf(gale_str_t t, civil_t *c) {
    const char *p = t.ptr;
    return t.len == GALE__DATE_LEN && day_name_at(p) && memcmp(p + 3, ", ", 2) == 0 &&
           digits(p + 5, 2, &c->day) && p[7] == ' ' && month_at(p + 8, &c->month) && p[11] == ' ' &&
           digits(p + 12, 4, &c->year) && p[16] == ' ' && time_at(p + 17, c) &&
           memcmp(p + 25, " GMT", 4) == 0;
}

/* "Sun Nov  6 08:49:37 1994"; the day is two digits or a blank and one. */
static bool parse_asctime(gale_str_t t, civil_t *c) {
    const char *p = t.ptr;
    if (t.len != 24 || !day_name_at(p) || p[3] != ' ' || !month_at(p + 4, &c->month)) return false;
    bool day = p[8] == ' ' ? digits(p + 9, 1, &c->day) : digits(p + 8, 2, &c->day);
    return day && p[7] == ' ' && p[10] == ' ' && time_at(p + 11, c) && p[19] == ' ' &&
           digits(p + 20, 4, &c->year);
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(gale_str_t t, civil_t *c) {
    for (int i = 0; i < 7; i++) {
        size_t name = strlen(long_day_names[i]);
        if (t.len != name + 24 || memcmp(t.ptr, long_day_names[i], name) != 0) continue;
        const char *p = t.ptr + name;
        if (memcmp(p, ", ", 2) != 0 || !digits(p + 2, 2, &c->day) || p[4] != '-' ||
            !month_at(p + 5, &c->month) || p[8] != '-' || !digits(p + 9, 2, &c->year) ||
            p[11] != ' ' || !time_at(p + 12, c) || memcmp(p + 20, " GMT", 4) != 0)
            return false;
        /* RFC 9110 asks that a year more than 50 years ahead be taken as past. The core has no
         * clock, and the form was obsolete in 1994: the century turns where Unix time begins. */
        c->year += c->year < 70 ? 2000 : 1900;
        return true;
    }
    return false;
}

/* Second 60 is a leap second (RFC 9110 5.6.7 takes the grammar of RFC 5322) and counts as the next
 * one. */
static bool in_range(const civil_t *c) {
    static const uint8_t month_days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->day < 1 || c->day > month_days[c->month - 1]) return false;
    bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
    if (c->month == 2 && c->day == 29 && !leap) return false;
    return c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

bool gale__parse_date(gale_str_t text, int64_t *unix_seconds) {
    civil_t c;
    if (text.len < 24) return false;
    if (!parse_imf(text, &c) && !parse_asctime(text, &c) && !parse_rfc850(text, &c)) return false;
    if (!in_range(&c)) return false;
    *unix_seconds =
        days_of(c.year, c.month, c.day) * DAY_SECONDS + c.hour * 3600 + c.minute * 60 + c.second;
    return true;
}
