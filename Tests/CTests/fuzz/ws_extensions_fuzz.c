/*
 * libFuzzer target of Sec-WebSocket-Extensions and of patterns of origins. The first byte chooses
 * what this side wants. Whatever is agreed on must lie within that; the answer, taken for an offer,
 * must be agreed to as it stands; a field cut in two at a comma must come to the same agreement.
 */
#include <stdlib.h>
#include <string.h>

#include "origin.h"
#include "ws_extensions.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static bool choose(const char *bytes, size_t len, gale__ws_deflate_rules_t rules,
                   gale__ws_deflate_t *agreed) {
    char *copy = malloc(len > 0 ? len : 1);
    MUST(copy != NULL);
    if (len > 0) memcpy(copy, bytes, len);
    bool good = gale__ws_deflate_choose(gale_str(copy, len), rules, agreed);
    free(copy);
    return good;
}

static bool same(const gale__ws_deflate_t *a, const gale__ws_deflate_t *b) {
    return a->server_bits == b->server_bits && a->client_bits == b->client_bits &&
           a->server_takeover == b->server_takeover && a->client_takeover == b->client_takeover &&
           a->server_bits_named == b->server_bits_named &&
           a->client_bits_named == b->client_bits_named;
}

static void check(const gale__ws_deflate_t *a, gale__ws_deflate_rules_t rules) {
    char answer[GALE__WS_DEFLATE_ANSWER];
    gale__ws_deflate_t again = {0};
    if (a->server_bits == 0) return;
    MUST(a->server_bits >= 9 && a->server_bits <= rules.window_bits);
    MUST(a->client_bits >= 8 && a->client_bits <= 15);
    MUST(rules.takeover || (!a->server_takeover && !a->client_takeover));
    size_t len = gale__ws_deflate_answer(answer, a);
    MUST(len <= sizeof answer);
    MUST(choose(answer, len, rules, &again) && again.server_bits == a->server_bits);
    MUST(again.server_takeover == a->server_takeover);
    MUST(again.client_takeover == a->client_takeover);
    MUST(!a->client_bits_named || again.client_bits == a->client_bits);
}

/* At a comma outside of quotes, of a field that is well-formed. */
static void check_cut(const char *bytes, size_t len, gale__ws_deflate_rules_t rules,
                      const gale__ws_deflate_t *want) {
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\\') i++;
        if (i < len && bytes[i] == '"') quoted = !quoted;
        if (i >= len || bytes[i] != ',' || quoted) continue;
        gale__ws_deflate_t got = {0};
        MUST(choose(bytes, i, rules, &got) && choose(bytes + i + 1, len - i - 1, rules, &got));
        MUST(same(&got, want));
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    const char *bytes = (const char *)data + 1;
    size_t len = size - 1, middle = data[0] % len;
    gale__ws_deflate_rules_t rules = {.takeover = (data[0] & 8) != 0,
                                      .window_bits = (uint8_t)(9 + (data[0] & 7) % 7)};
    gale__ws_deflate_t agreed = {0};
    if (choose(bytes, len, rules, &agreed)) check_cut(bytes, len, rules, &agreed);
    check(&agreed, rules);
    gale_str_t origin = gale_str(bytes, middle), pattern = gale_str(bytes + middle, len - middle);
    bool matches = gale__origin_matches(origin, pattern);
    MUST(!matches || gale__origin_matches(origin, pattern));
    return 0;
}
