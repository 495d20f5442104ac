/* Accept-Encoding: weights, "*", identity, broken members, and that its cost is linear. */
#include <stdlib.h>

#include "accept.h"
#include "str.h"
#include "test.h"

static const gale__coding_t all[] = {GALE__BROTLI, GALE__ZSTD, GALE__GZIP};

static gale__coding_t best(const char *value) {
    size_t len = strlen(value);
    char *copy = malloc(len > 0 ? len : 1); /* no byte more: an overread shows */
    if (copy == NULL) abort();
    memcpy(copy, value, len);
    gale_header_t fields[] = {{GALE__LIT("Host"), GALE__LIT("gzip")},
                              {GALE__LIT("accept-encoding"), gale_str(copy, len)}};
    gale__coding_t result = gale__accept_encoding(fields, 2, all, 3);
    free(copy);
    return result;
}

TEST(accept_encoding, choices) { /* RFC 9110 12.5.3 */
    static const struct {
        const char *value;
        gale__coding_t want;
    } rows[] = {
        {"", GALE__IDENTITY},
        {"gzip", GALE__GZIP},
        {"x-gzip", GALE__GZIP},
        {"GZip", GALE__GZIP},
        {"gzip, deflate, br, zstd", GALE__BROTLI}, /* a browser's: the server's order decides */
        {"gzip, deflate", GALE__GZIP},
        {"deflate", GALE__IDENTITY},
        {"gzip;q=1.0, br;q=0.5", GALE__GZIP},
        {"gzip;q=0.5, br;q=0.501", GALE__BROTLI},
        {"gzip;q=0", GALE__IDENTITY},
        {"gzip;q=0.000", GALE__IDENTITY},
        {"gzip;q=0.001", GALE__GZIP},
        {"*", GALE__BROTLI},
        {"*;q=0", GALE__IDENTITY},
        {"br;q=0, *", GALE__ZSTD},
        {"gzip, *;q=0", GALE__GZIP},
        {"gzip;q=0.5, *;q=0.8", GALE__BROTLI},
        {"identity", GALE__IDENTITY},
        {"identity;q=1, gzip;q=0.5", GALE__IDENTITY},
        {"identity;q=0.5, gzip;q=0.5", GALE__GZIP},
        {"identity;q=0.5, gzip;q=1.0, *;q=0", GALE__GZIP},
        {"identity;q=0", GALE__IDENTITY}, /* nothing else was asked for */
        {" , ,gzip\t;\tq=0.7 ,, ", GALE__GZIP},
        {"gzip; Q=1", GALE__GZIP},
        {"br;q=0.9, br;q=0, gzip", GALE__GZIP}, /* the lesser weight counts */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        CHECK_MSG(best(rows[i].value) == rows[i].want, "%s: %d", rows[i].value,
                  (int)best(rows[i].value));
}

TEST(accept_encoding, broken_members_are_passed_over) {
    static const char *const values[] = {
        "gzip;q=2", "gzip;q=1.001", "gzip;q=-1",  "gzip;q=0.1234", "gzip;q=.5",
        "gzip;q=",  "gzip;q=1x",    "gzip;q = 1", "gzip;level=1",  "gzip;q=1;x=1",
        "gzip br",  "gzipx",        "gzi",        "\"gzip\"",      "gzip;",
        "** ",      ";q=1",         "gzip;q=10",  "gzip;q=1.0000",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[64] = "br;q=0.1,";
        gale__coding_t alone = best(values[i]);
        CHECK_MSG(alone == GALE__IDENTITY, "%s: %d", values[i], (int)alone);
        strcat(text, values[i]);
        CHECK_MSG(best(text) == GALE__BROTLI, "%s: %d", text, (int)best(text));
    }
}

TEST(accept_encoding, several_fields_are_one_list) {
    gale_header_t fields[] = {{GALE__LIT("Accept-Encoding"), GALE__LIT("gzip, br;q=0.3")},
                              {GALE__LIT("X"), GALE__LIT("br")},
                              {GALE__LIT("ACCEPT-ENCODING"), GALE__LIT("gzip;q=0.2, zstd;q=0")}};
    CHECK_EQ_INT(gale__accept_encoding(fields, 3, all, 3), GALE__BROTLI);
    CHECK_EQ_INT(gale__accept_encoding(fields, 1, all, 3), GALE__GZIP);
    CHECK_EQ_INT(gale__accept_encoding(fields, 0, all, 3), GALE__IDENTITY);
    CHECK_EQ_INT(gale__accept_encoding(fields, 3, all, 0), GALE__IDENTITY);
    CHECK_EQ_INT(gale__accept_encoding(NULL, 0, all, 3), GALE__IDENTITY);
}

TEST(accept_encoding, names) {
    CHECK_EQ_STR(gale__coding_name(GALE__IDENTITY), "identity");
    CHECK_EQ_STR(gale__coding_name(GALE__GZIP), "gzip");
    CHECK_EQ_STR(gale__coding_name(GALE__DEFLATE), "deflate");
    CHECK_EQ_STR(gale__coding_name(GALE__BROTLI), "br");
    CHECK_EQ_STR(gale__coding_name(GALE__ZSTD), "zstd");
    CHECK_EQ_STR(gale__coding_name(GALE__CODINGS), "identity");
}

TEST(accept_encoding, a_megabyte_of_it) {
    size_t len = 1 << 20;
    char *text = malloc(len);
    REQUIRE(text != NULL);
    for (size_t i = 0; i < len; i++) text[i] = ",;gzip q=0.1"[i % 12];
    gale__accept_t a;
    gale__accept_init(&a);
    gale__accept_add(&a, gale_str(text, len));
    CHECK_EQ_INT(gale__accept_best(&a, all, 3), GALE__IDENTITY);
    free(text);
}
