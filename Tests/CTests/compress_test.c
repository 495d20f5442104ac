/* Whole responses in content codings: when, in which, with which fields; and when not. */
#include <stdio.h>

#include "rig_coding.h"

static const char gzip[] = "Accept-Encoding: gzip\r\n";

/* Skips in a build without zlib. */
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

TEST(compress, from_1024_bytes_on_GZ_01) {
    NEEDS_GZIP;
    static const size_t sizes[] = {0, 1, 1023, 1024, 1025, 5000, 60000, 262144};
    rig_t rig;
    rig_client_t client;
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < 16; i++) {
        page = rig_page(sizes[i % 8]);
        page.owned = i >= 8;
        rig_wait(&rig, 2); /* all of a turn's share of coding is there */
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
        bool want = page.len >= 1024;
        CHECK_EQ_INT(a.status, 200);
        CHECK_MSG((a.coding == GALE__GZIP) == want, "%zu bytes: coding %d", page.len, a.coding);
        CHECK(strcmp(rig_field(&a, "Vary"), want ? "Accept-Encoding" : "") == 0);
        bool whole = page.len < 262144; /* else it is coded in turns */
        CHECK(a.chunked == !whole && (*rig_field(&a, "Content-Length") != '\0') == whole);
        CHECK(!want || a.wire < page.len * 3 / 4);
        rig_check_body(&a, &page);
        CHECK_EQ_UINT(page.freed, page.owned ? 1 : 0);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

TEST(compress, what_the_client_accepts_GZ_02) {
    static const struct {
        const char *fields;
        gale__coding_t want; /* where all are built in */
    } rows[] = {
        {"", GALE__IDENTITY},
        {"Accept-Encoding:\r\n", GALE__IDENTITY},
        {"Accept-Encoding: gzip\r\n", GALE__GZIP},
        {"Accept-Encoding: x-gzip\r\n", GALE__GZIP},
        {"Accept-Encoding: deflate\r\n", GALE__DEFLATE},
        {"Accept-Encoding: br\r\n", GALE__BROTLI},
        {"Accept-Encoding: zstd\r\n", GALE__ZSTD},
        {"Accept-Encoding: gzip, deflate, br, zstd\r\n", GALE__ZSTD},
        {"Accept-Encoding: gzip, deflate, br\r\n", GALE__BROTLI},
        {"Accept-Encoding: deflate, gzip\r\n", GALE__GZIP},
        {"Accept-Encoding: deflate\r\nAccept-Encoding: gzip;q=0.5\r\n", GALE__DEFLATE},
        {"Accept-Encoding: gzip;q=0\r\n", GALE__IDENTITY},
        {"Accept-Encoding: gzip;q=0.5, br;q=0.4, zstd;q=0\r\n", GALE__GZIP},
        {"Accept-Encoding: *;q=0.5, zstd;q=0, br;q=0.1\r\n", GALE__GZIP},
        {"Accept-Encoding: identity, gzip;q=0.5\r\n", GALE__IDENTITY},
        {"Accept-Encoding: compress\r\n", GALE__IDENTITY},
        {"Accept-Encoding: gzip;q=x\r\n", GALE__IDENTITY},
    };
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_compressing(&rig, &client, &page, GALE_CODING_ALL);
    for (size_t i = 0; gale_codings() == GALE_CODING_ALL && i < sizeof rows / sizeof rows[0]; i++) {
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", rows[i].fields);
        CHECK_MSG(a.coding == rows[i].want, "%s: %d", rows[i].fields, a.coding);
        /* Whoever asked otherwise would have got something else. */
        CHECK(strcmp(rig_field(&a, "Vary"), "Accept-Encoding") == 0);
        rig_check_body(&a, &page);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

TEST(compress, only_what_the_server_offers) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    for (int i = GALE__GZIP; i < GALE__CODINGS; i++) {
        uint32_t bit = gale__coding_bit((gale__coding_t)i);
        rig_compressing(&rig, &client, &page, bit);
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", "Accept-Encoding: *\r\n");
        bool built = gale__coding_built((gale__coding_t)i);
        CHECK_EQ_INT((int)a.coding, built ? i : GALE__IDENTITY);
        CHECK((*rig_field(&a, "Vary") != '\0') == built);
        rig_check_body(&a, &page);
        rig_answer_free(&a);
        rig_compressed(&rig, &client);
    }
}

/* Types, statuses and fields: the tables are those of coded_fields_test. */
TEST(compress, what_is_coded_and_what_is_not) {
    NEEDS_GZIP;
    static const struct {
        int status;
        const char *type, *name, *value;
        bool want;
    } rows[] = {
        {200, "application/json", "X", "y", true},
        {404, "text/plain", "X", "y", true},
        {500, "image/svg+xml", "X", "y", true},
        {200, "image/png", "X", "y", false},
        {206, "text/plain", "Content-Range", "bytes 0-2999/9000", false},
        {200, "text/plain", "Content-Range", "bytes 0-2999/9000", false},
        {200, "text/plain", "Content-Encoding", "compress", false},
        {200, "text/plain", "Cache-Control", "no-transform", false},
        {200, "text/plain", "Content-Digest", "sha-256=:AA==:", false},
    };
    rig_t rig;
    rig_client_t client;
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        page = rig_page(3000);
        page.status = rows[i].status;
        page.fields[0].value = gale_cstr(rows[i].type);
        rig_page_field(&page, rows[i].name, rows[i].value);
        rig_text_t out = {0};
        rig_take(&client);
        rig_send(&client, "GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
        rig_turn(&rig, 4);
        rig_text_add(&out, rig_take(&client));
        gale_str_t got = gale_str(out.text, out.len);
        CHECK_EQ_INT(rig_status_of(got), rows[i].status);
        CHECK_MSG(rig_has(got, "Content-Encoding: gzip") == rows[i].want, "%s, %s: %s",
                  rows[i].type, rows[i].name, rows[i].value);
        CHECK_MSG(rig_has(got, "Vary: Accept-Encoding") == rows[i].want, "%s, %s: %s", rows[i].type,
                  rows[i].name, rows[i].value);
        CHECK(rows[i].want || rig_body_of(got).len == 3000);
        rig_text_free(&out);
    }
    rig_compressed(&rig, &client);
}

TEST(compress, off_by_default) {
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_compressing(&rig, &client, &page, 0);
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__IDENTITY && *rig_field(&a, "Vary") == '\0');
    CHECK(strcmp(rig_field(&a, "Content-Length"), "3000") == 0);
    rig_check_body(&a, &page);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress, fields_are_merged_and_the_etag_is_weak_GZ_02) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_page_field(&page, "Vary", "Cookie");
    rig_page_field(&page, "ETag", "\"v1\"");
    rig_page_field(&page, "Accept-Ranges", "bytes");
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(strcmp(rig_field(&a, "Vary"), "Cookie, Accept-Encoding") == 0);
    CHECK(strcmp(rig_field(&a, "ETag"), "W/\"v1\"") == 0);
    CHECK(*rig_field(&a, "Accept-Ranges") == '\0');
    rig_answer_free(&a);
    a = rig_ask_for(&rig, &client, "GET", "");
    CHECK(strcmp(rig_field(&a, "Vary"), "Cookie, Accept-Encoding") == 0);
    CHECK(strcmp(rig_field(&a, "ETag"), "\"v1\"") == 0);
    CHECK(strcmp(rig_field(&a, "Accept-Ranges"), "bytes") == 0);
    rig_answer_free(&a);
    /* A 304 has the fields of what it stands for (RFC 9110 15.4.5). */
    page.status = 304;
    a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(strcmp(rig_field(&a, "Vary"), "Cookie, Accept-Encoding") == 0);
    CHECK(strcmp(rig_field(&a, "ETag"), "W/\"v1\"") == 0);
    CHECK(a.coding == GALE__IDENTITY && a.status == 304);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

/* RFC 9110 9.3.2: the same fields as to GET. */
TEST(compress, head_says_what_get_says) {
    NEEDS_GZIP;
    static const size_t sizes[] = {100, 3000, 300000};
    rig_t rig;
    rig_client_t client;
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < 6; i++) {
        page = rig_page(sizes[i % 3]);
        page.owned = i >= 3;
        rig_answer_t get = rig_ask_for(&rig, &client, "GET", gzip);
        rig_turn(&rig, 30);
        rig_answer_t head = rig_ask_for(&rig, &client, "HEAD", gzip);
        CHECK_EQ_UINT(page.freed, page.owned ? 2 : 0);
        static const char *const names[] = {"Content-Encoding", "Content-Length", "Vary",
                                            "Content-Type"};
        for (size_t k = 0; k < 4; k++) {
            char want[100];
            snprintf(want, sizeof want, "%s", rig_field(&get, names[k]));
            CHECK_MSG(strcmp(rig_field(&head, names[k]), want) == 0, "%zu bytes, %s: %s, not %s",
                      page.len, names[k], rig_field(&head, names[k]), want);
        }
        rig_answer_free(&get);
        rig_answer_free(&head);
    }
    /* A length without a body: of a body that would be coded, nobody knows it. */
    page = rig_page(0);
    rig_page_field(&page, "Content-Length", "5000");
    rig_answer_t a = rig_ask_for(&rig, &client, "HEAD", gzip);
    CHECK(a.coding == GALE__GZIP && *rig_field(&a, "Content-Length") == '\0');
    rig_answer_free(&a);
    a = rig_ask_for(&rig, &client, "HEAD", "");
    CHECK(strcmp(rig_field(&a, "Content-Length"), "5000") == 0);
    rig_answer_free(&a);
    a = rig_ask_for(&rig, &client, "GET", gzip); /* and is refused with a body, as ever */
    CHECK(a.status == 500 && page.result == GALE_EHEADER);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress, what_gets_no_smaller_goes_as_it_is) {
    NEEDS_GZIP;
    static char noise[20000];
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(0);
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof noise; i++) {
        random = random * 1664525u + 1013904223u;
        noise[i] = (char)(random >> 24);
    }
    page.body = noise;
    page.len = sizeof noise;
    page.owned = true;
    rig_page_field(&page, "ETag", "\"v1\"");
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__IDENTITY);
    CHECK(strcmp(rig_field(&a, "Content-Length"), "20000") == 0);
    CHECK(strcmp(rig_field(&a, "Vary"), "Accept-Encoding") == 0);
    CHECK(strcmp(rig_field(&a, "ETag"), "\"v1\"") == 0);
    rig_check_body(&a, &page);
    CHECK_EQ_UINT(page.freed, 1);
    rig_answer_free(&a);
    /* But for a client that will not have it as it is. */
    a = rig_ask_for(&rig, &client, "GET", "Accept-Encoding: gzip, identity;q=0\r\n");
    CHECK(a.coding == GALE__GZIP);
    rig_check_body(&a, &page);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

/* RFC 9110 12.5.3 */
TEST(compress, a_client_that_refuses_the_plain_body) {
    NEEDS_GZIP;
    static const struct {
        const char *fields;
        size_t len;
        bool want;
    } rows[] = {
        {"Accept-Encoding: gzip, identity;q=0\r\n", 10, true},
        {"Accept-Encoding: gzip, *;q=0\r\n", 10, true},
        {"Accept-Encoding: gzip, identity;q=0\r\n", 0, false},
        {"Accept-Encoding: gzip, *;q=0, identity;q=0.1\r\n", 10, false},
        {"Accept-Encoding: gzip;q=0, identity;q=0\r\n", 10, false}, /* nothing is better */
        {"Accept-Encoding: *;q=0\r\n", 5000, false},
    };
    rig_t rig;
    rig_client_t client;
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        page = rig_page(rows[i].len);
        page.fields[0].value = gale_cstr("image/png");
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", rows[i].fields);
        CHECK_MSG((a.coding == GALE__GZIP) == rows[i].want && a.status == 200, "%s",
                  rows[i].fields);
        CHECK(!rows[i].want || strcmp(rig_field(&a, "Vary"), "Accept-Encoding") == 0);
        rig_check_body(&a, &page);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}
