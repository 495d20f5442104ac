/* Whole responses in content codings: choices for one of them, settings, memory, many fields, other
 * ways of answering. */
#include <stdio.h>

#include "rig_coding.h"

static const char gzip[] = "Accept-Encoding: gzip\r\n";

/* Skips in a build without zlib. */
#define NEEDS_GZIP                                                                                 \
    if (!(gale_codings() & GALE_CODING_GZIP)) return

static void answer_without(rig_t *rig, gale_req_t *req) {
    CHECK_EQ_INT(gale_req_set_compression(req, 0), 0);
    rig_page_answer(rig, req);
    CHECK_EQ_INT(gale_req_set_compression(req, GALE_CODING_ALL), GALE_ESTATE);
}

static void answer_with(rig_t *rig, gale_req_t *req) {
    CHECK_EQ_INT(gale_req_set_compression(req, GALE_CODING_DEFLATE | 1u << 20), 0);
    rig_page_answer(rig, req);
}

TEST(compress_choice, a_choice_for_one_response) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    rig.request = answer_without;
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__IDENTITY && *rig_field(&a, "Vary") == '\0');
    rig_answer_free(&a);
    rig.request = answer_with;
    a = rig_ask_for(&rig, &client, "GET", "Accept-Encoding: gzip, deflate\r\n");
    CHECK(a.coding == GALE__DEFLATE);
    rig_check_body(&a, &page);
    rig_answer_free(&a);
    rig.request = rig_page_answer; /* the next one is as the configuration says */
    a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__GZIP);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress_choice, settings) {
    NEEDS_GZIP;
    size_t sizes[3];
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(60000);
    static const uint32_t levels[] = {1, 6, 9};
    for (int i = 0; i < 3; i++) {
        rig_init(&rig);
        rig.config.compress = GALE_CODING_GZIP;
        rig.config.compress_level = levels[i];
        rig.config.compress_min_bytes = 60000 + (uint32_t)i / 2;
        rig.request = rig_page_answer;
        rig.arg = &page;
        rig_open(&rig);
        rig_connect(&rig, &client);
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
        sizes[i] = a.wire;
        CHECK((a.coding == GALE__GZIP) == (i < 2));
        rig_answer_free(&a);
        rig_compressed(&rig, &client);
    }
    CHECK(sizes[1] < sizes[0] && sizes[2] == 60000);
}

TEST(compress_choice, without_memory_for_it_responses_are_plain) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(300000);
    rig_init(&rig);
    rig.config.compress = GALE_CODING_ALL;
    rig.config.coding_memory = 10000;
    rig.request = rig_page_answer;
    rig.arg = &page;
    rig_open(&rig);
    rig_connect(&rig, &client);
    for (size_t i = 0; i < 2; i++) {
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
        CHECK(a.status == 200 && a.coding == GALE__IDENTITY);
        CHECK(strcmp(rig_field(&a, "Vary"), "Accept-Encoding") == 0);
        rig_check_body(&a, &page);
        rig_answer_free(&a);
        page.len = 5000;
    }
    rig_compressed(&rig, &client);
}

static void answer_with_many_fields(rig_t *rig, gale_req_t *req) {
    rig_page_t *p = rig->arg;
    static char names[60][8], value[3000];
    gale_header_t h[63];
    memset(value, 'v', sizeof value);
    for (size_t i = 0; i < 60; i++) {
        snprintf(names[i], sizeof names[i], "X-%zu", i);
        h[i] = (gale_header_t){gale_cstr(names[i]), {"v", 1}};
    }
    h[60] = (gale_header_t){{"Vary", 4}, {value, sizeof value}};
    h[61] = (gale_header_t){{"ETag", 4}, {"\"e\"", 3}};
    h[62] = p->fields[0];
    CHECK_EQ_INT(gale_respond(req, 200, h, 63, gale_str(p->body, p->len)), 0);
}

TEST(compress_choice, many_and_long_fields) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    rig.request = answer_with_many_fields;
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__GZIP && strcmp(rig_field(&a, "X-59"), "v") == 0);
    CHECK(strcmp(rig_field(&a, "ETag"), "W/\"e\"") == 0);
    CHECK(strstr(a.head.text, "vvv, Accept-Encoding\r\n") != NULL);
    rig_check_body(&a, &page);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}

TEST(compress_choice, a_refused_field_leaves_nothing_behind) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    static const size_t sizes[] = {100, 3000, 300000};
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < 6; i++) {
        page = rig_page(sizes[i % 3]);
        page.owned = i >= 3;
        rig_page_field(&page, "Bad", "a\nb");
        rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
        CHECK(a.status == 500 && page.result == GALE_EHEADER);
        CHECK_EQ_UINT(page.freed, page.owned ? 1 : 0);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

TEST(compress_choice, http_1_0_gets_a_length) {
    NEEDS_GZIP;
    static const size_t sizes[] = {3000, 300000};
    rig_t rig;
    rig_client_t client;
    rig_page_t page = {0};
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    for (size_t i = 0; i < 2; i++) {
        page = rig_page(sizes[i]);
        rig_take(&client);
        rig_send(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n"
                          "Accept-Encoding: gzip\r\n\r\n");
        rig_turn(&rig, 10);
        rig_answer_t a = rig_answer(rig_take(&client), false);
        CHECK((a.coding == GALE__GZIP) == (i == 0)); /* a large body would need chunks */
        CHECK(!a.chunked && *rig_field(&a, "Content-Length") != '\0');
        CHECK(strcmp(rig_field(&a, "Connection"), "keep-alive") == 0);
        rig_check_body(&a, &page);
        rig_answer_free(&a);
    }
    rig_compressed(&rig, &client);
}

static void answer_later(gale_server_t *server, gale_ref_t ref, void *arg) {
    rig_page_t *p = arg;
    gale_ref_respond(server, ref, 200, p->fields, p->field_count,
                     rig_buf(p->body, p->len, &p->freed));
}

static void answer_by_ref(rig_t *rig, gale_req_t *req) {
    gale_ref_post(rig->server, gale_req_ref(req), answer_later, rig->arg);
}

TEST(compress_choice, an_answer_by_reference) {
    NEEDS_GZIP;
    rig_t rig;
    rig_client_t client;
    rig_page_t page = rig_page(3000);
    rig_compressing(&rig, &client, &page, GALE_CODING_GZIP);
    rig.request = answer_by_ref;
    rig_answer_t a = rig_ask_for(&rig, &client, "GET", gzip);
    CHECK(a.coding == GALE__GZIP && page.freed == 1);
    rig_check_body(&a, &page);
    rig_answer_free(&a);
    rig_compressed(&rig, &client);
}
