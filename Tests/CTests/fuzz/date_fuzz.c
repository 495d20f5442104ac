/*
 * libFuzzer target of HTTP dates: whatever is read must be a time of four-digit years that is
 * written and read back as the same; a written date differs from what was read only where the form
 * or a leap second lets it. There is no state that a split could upset: instead, no shorter or
 * longer text than a date is one.
 */
#include <stdlib.h>
#include <string.h>

#include "date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static bool parse_exact(const uint8_t *data, size_t len, int64_t *t) {
    char *copy = malloc(len > 0 ? len : 1);
    MUST(copy != NULL);
    if (len > 0) memcpy(copy, data, len);
    bool ok = gale__parse_date(gale_str(copy, len), t);
    free(copy);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int64_t t = 0, back = 1, other;
    char out[GALE__DATE_LEN];
    if (parse_exact(data, size, &t)) {
        gale__format_date(out, t);
        MUST(gale__parse_date(gale_str(out, sizeof out), &back));
        MUST(back == t || t == 253402300800); /* the leap second of the year 9999 */
        for (size_t len = 0; len < size; len++) MUST(!parse_exact(data, len, &other));
        bool leap = memchr(data, '6', size) != NULL;
        /* Behind the day's name, which is not compared with the date, an IMF-fixdate comes back as
         * it was. */
        if (size == GALE__DATE_LEN && !leap) MUST(memcmp(out + 3, data + 3, sizeof out - 3) == 0);
    }
    if (size >= sizeof t) { /* any time at all can be written */
        memcpy(&t, data, sizeof t);
        gale__format_date(out, t);
        MUST(gale__parse_date(gale_str(out, sizeof out), &back));
        MUST(back == t || t < -62167219200 || t > 253402300799);
    }
    return 0;
}
