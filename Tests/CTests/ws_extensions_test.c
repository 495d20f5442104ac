/* Offers of permessage-deflate and what is answered: WS-14, WS-15, RFC 7692 7.1. */
#include "ws_extensions.h"

#include "test.h"

/* What is answered to a field; "-": nothing, "!": the field is malformed. */
typedef struct {
    const char *field, *keeps, *forgets; /* with windows kept and not */
    uint8_t bits;                        /* ours */
} offer_t;

#define PMD "permessage-deflate"
#define NO_BOTH "; server_no_context_takeover; client_no_context_takeover"

static void check(const char *field, gale__ws_deflate_rules_t rules, const char *want, size_t row) {
    gale__ws_deflate_t agreed = {0};
    char out[GALE__WS_DEFLATE_ANSWER] = "-";
    size_t len = 1;
    if (!gale__ws_deflate_choose(gale_cstr(field), rules, &agreed)) {
        out[0] = '!';
    } else if (agreed.server_bits != 0) {
        len = gale__ws_deflate_answer(out, &agreed);
        CHECK(agreed.server_bits >= 9 && agreed.server_bits <= rules.window_bits);
        CHECK(agreed.client_bits >= 8 && agreed.client_bits <= 15);
    }
    CHECK_EQ_STRS(gale_str(out, len), gale_cstr(want));
    if (test_failures() > 0) test_fail(__FILE__, __LINE__, "in row %zu: %s", row, field);
}

TEST(ws_extensions, offers_WS_14_WS_15) {
    static const offer_t rows[] = {
        {"", "-", "-", 15},
        {PMD, PMD, PMD NO_BOTH, 15},
        {"PerMessage-Deflate", PMD, PMD NO_BOTH, 15},
        {PMD "; client_max_window_bits", PMD, PMD NO_BOTH, 15}, /* browsers */
        {PMD "; client_max_window_bits",
         PMD "; server_max_window_bits=12; client_max_window_bits=12",
         PMD NO_BOTH "; server_max_window_bits=12", 12},
        {PMD "; client_max_window_bits=15", PMD, PMD NO_BOTH, 15},
        {PMD "; client_max_window_bits=8", PMD, PMD NO_BOTH, 15},
        {PMD "; client_max_window_bits=10", PMD "; server_max_window_bits=12",
         PMD NO_BOTH "; server_max_window_bits=12", 12},
        {PMD "; server_max_window_bits=15", PMD "; server_max_window_bits=15",
         PMD NO_BOTH "; server_max_window_bits=15", 15},
        {PMD "; server_max_window_bits=9", PMD "; server_max_window_bits=9",
         PMD NO_BOTH "; server_max_window_bits=9", 15},
        {PMD "; server_max_window_bits=14", PMD "; server_max_window_bits=10",
         PMD NO_BOTH "; server_max_window_bits=10", 10},
        {PMD "; server_no_context_takeover", PMD "; server_no_context_takeover", PMD NO_BOTH, 15},
        {PMD "; client_no_context_takeover", PMD "; client_no_context_takeover", PMD NO_BOTH, 15},
        {PMD " ;\tclient_no_context_takeover ; server_no_context_takeover ", PMD NO_BOTH,
         PMD NO_BOTH, 15},
        {PMD "; SERVER_MAX_WINDOW_BITS = \"10\"", PMD "; server_max_window_bits=10",
         PMD NO_BOTH "; server_max_window_bits=10", 15},
        {PMD "; server_max_window_bits=\"\\1\\0\"", PMD "; server_max_window_bits=10",
         PMD NO_BOTH "; server_max_window_bits=10", 15},
        /* Several: the first that will do. */
        {"foo, " PMD, PMD, PMD NO_BOTH, 15},
        {"foo; a=b; c=\"d\" , , " PMD, PMD, PMD NO_BOTH, 15},
        {PMD "; x=1, " PMD "; server_max_window_bits=11," PMD, PMD "; server_max_window_bits=11",
         PMD NO_BOTH "; server_max_window_bits=11", 15},
        {PMD "; server_max_window_bits=8, " PMD, PMD, PMD NO_BOTH, 15},
        /* Declined. */
        {"foo", "-", "-", 15},
        {"constructor", "-", "-", 15},
        {"x-webkit-deflate-frame", "-", "-", 15},
        {"permessage-deflate2", "-", "-", 15},
        {"permessage-bzip2", "-", "-", 15},
        {PMD "; unknown", "-", "-", 15},
        {PMD "; unknown=1", "-", "-", 15},
        {PMD "; server_no_context_takeover=1", "-", "-", 15},
        {PMD "; client_no_context_takeover=true", "-", "-", 15},
        {PMD "; server_max_window_bits", "-", "-", 15},
        {PMD "; server_max_window_bits=7", "-", "-", 15},
        {PMD "; server_max_window_bits=8", "-", "-", 15}, /* zlib has no such compressor */
        {PMD "; server_max_window_bits=16", "-", "-", 15},
        {PMD "; server_max_window_bits=99", "-", "-", 15},
        {PMD "; server_max_window_bits=015", "-", "-", 15},
        {PMD "; server_max_window_bits=+10", "-", "-", 15},
        {PMD "; server_max_window_bits=1", "-", "-", 15},
        {PMD "; server_max_window_bits=100000000000000000000010", "-", "-", 15},
        {PMD "; client_max_window_bits=7", "-", "-", 15},
        {PMD "; client_max_window_bits=16", "-", "-", 15},
        {PMD "; client_max_window_bits=1.", "-", "-", 15},
        {PMD "; client_no_context_takeover; client_no_context_takeover", "-", "-", 15},
        {PMD "; client_max_window_bits; client_max_window_bits=10", "-", "-", 15},
        {PMD "; server_max_window_bits=10; server_max_window_bits=10", "-", "-", 15},
        {PMD "; server_no_context_takeover; Server_No_Context_Takeover", "-", "-", 15},
        /* Malformed (RFC 6455 9.1), wherever it is. */
        {"=;;,,\"x\"", "!", "!", 15},
        {PMD ";", "!", "!", 15},
        {PMD "; ;", "!", "!", 15},
        {PMD ", foo bar", "!", "!", 15},
        {PMD "; server_max_window_bits=", "!", "!", 15},
        {PMD "; server_max_window_bits=\"10", "!", "!", 15},
        {PMD "; server_max_window_bits=\"\"", "!", "!", 15},
        {PMD "; server_max_window_bits=\"10\\", "!", "!", 15},
        {PMD "; server_max_window_bits=\"1 0\"", "!", "!", 15},
        {PMD "; a=\"b\"c", "!", "!", 15},
        {"foo; a=\"b c\"", "!", "!", 15},
        {PMD "/1", "!", "!", 15},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__ws_deflate_rules_t rules = {.takeover = true, .window_bits = rows[i].bits};
        check(rows[i].field, rules, rows[i].keeps, i);
        rules.takeover = false;
        check(rows[i].field, rules, rows[i].forgets, i);
    }
}

/* Fields of the same name are one list (RFC 9110 5.3). */
TEST(ws_extensions, several_fields) {
    gale__ws_deflate_rules_t rules = {.takeover = true, .window_bits = 15};
    gale__ws_deflate_t agreed = {0};
    CHECK(gale__ws_deflate_choose(gale_cstr("foo, " PMD "; x"), rules, &agreed));
    CHECK_EQ_UINT(agreed.server_bits, 0);
    CHECK(gale__ws_deflate_choose(gale_cstr(PMD "; server_max_window_bits=10"), rules, &agreed));
    CHECK_EQ_UINT(agreed.server_bits, 10);
    CHECK(gale__ws_deflate_choose(gale_cstr(PMD), rules, &agreed));
    CHECK_EQ_UINT(agreed.server_bits, 10);
    CHECK(!gale__ws_deflate_choose(gale_cstr(PMD ";"), rules, &agreed));
}

TEST(ws_extensions, the_longest_answer_fits) {
    gale__ws_deflate_t all = {
        .server_bits = 15, .client_bits = 15, .server_bits_named = true, .client_bits_named = true};
    char out[GALE__WS_DEFLATE_ANSWER];
    CHECK_EQ_STR(gale_str(out, gale__ws_deflate_answer(out, &all)),
                 PMD NO_BOTH "; server_max_window_bits=15; client_max_window_bits=15");
}

/* ------------------------------------------------------------------------------------ client side */

TEST(ws_extensions, what_a_client_offers_WS_19) {
    static const struct {
        gale__ws_deflate_rules_t rules;
        const char *want;
    } rows[] = {
        {{true, 15}, PMD "; client_max_window_bits"},
        {{false, 15}, PMD NO_BOTH "; client_max_window_bits"},
        {{true, 12}, PMD "; server_max_window_bits=12; client_max_window_bits=12"},
        {{false, 9}, PMD NO_BOTH "; server_max_window_bits=9; client_max_window_bits=9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[GALE__WS_DEFLATE_ANSWER];
        size_t len = gale__ws_deflate_offer(out, rows[i].rules);
        CHECK_EQ_STRS(gale_str(out, len), gale_cstr(rows[i].want));
    }
}

TEST(ws_extensions, what_a_server_may_make_of_it_WS_19) {
    static const struct {
        const char *answer;
        gale__ws_deflate_rules_t rules;
        uint8_t server, client; /* 0: refused */
        bool server_keeps, client_keeps;
    } rows[] = {
        {PMD, {true, 15}, 15, 15, true, true},
        {"Permessage-Deflate ;server_no_context_takeover", {true, 15}, 15, 15, false, true},
        {PMD "; client_no_context_takeover", {true, 15}, 15, 15, true, false},
        {PMD NO_BOTH, {false, 15}, 15, 15, false, false},
        {PMD "; server_no_context_takeover", {false, 15}, 15, 15, false, false},
        {PMD "; client_max_window_bits=9", {true, 15}, 15, 9, true, true},
        {PMD "; server_max_window_bits=8", {true, 15}, 8, 15, true, true},
        {PMD "; server_max_window_bits=12", {true, 12}, 12, 12, true, true},
        {PMD "; server_max_window_bits=\"10\"; client_max_window_bits=15",
         {true, 12},
         10,
         12,
         true,
         true},
        {"", {true, 15}, 0, 0, false, false},
        {PMD, {false, 15}, 0, 0, false, false}, /* a window would be needed */
        {PMD, {true, 12}, 0, 0, false, false},
        {PMD "; server_max_window_bits=13", {true, 12}, 0, 0, false, false},
        {PMD "; client_max_window_bits=8", {true, 15}, 0, 0, false, false},
        {PMD "; client_max_window_bits", {true, 15}, 0, 0, false, false},
        {PMD "; server_max_window_bits", {true, 15}, 0, 0, false, false},
        {PMD "; server_no_context_takeover=1", {true, 15}, 0, 0, false, false},
        {PMD "; server_max_window_bits=16", {true, 15}, 0, 0, false, false},
        {PMD "; x", {true, 15}, 0, 0, false, false},
        {PMD "; server_max_window_bits=9; server_max_window_bits=9",
         {true, 15},
         0,
         0,
         false,
         false},
        {PMD ", " PMD, {true, 15}, 0, 0, false, false},
        {PMD ";", {true, 15}, 0, 0, false, false},
        {"x-webkit-deflate-frame", {true, 15}, 0, 0, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        gale__ws_deflate_t a = {0};
        bool good = gale__ws_deflate_agreed(gale_cstr(rows[i].answer), rows[i].rules, &a);
        CHECK_MSG(good == (rows[i].server > 0), "row %zu: %s", i, rows[i].answer);
        CHECK_EQ_UINT(a.server_bits, rows[i].server);
        CHECK_EQ_UINT(a.client_bits, rows[i].client);
        CHECK(a.server_takeover == rows[i].server_keeps);
        CHECK(a.client_takeover == rows[i].client_keeps);
    }
}
