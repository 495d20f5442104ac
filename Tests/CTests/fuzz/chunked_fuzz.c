/*
 * libFuzzer target of the chunked decoder: whole, byte by byte and in random pieces it must give
 * the same body, end at the same byte and refuse for the same reason. An accepted body of plain
 * chunks is written anew and decoded again.
 */
#include <stdio.h>

#include "../http1_feed.h"
#include "http1_trailers.h"
#include "mem.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void check_again(const fed_body_t *fed) {
    size_t room = fed->body_len + 64, len = 0;
    char *coded = malloc(room);
    MUST(coded != NULL);
    if (fed->body_len > 0) len = (size_t)snprintf(coded, room, "%zX\r\n", fed->body_len);
    memcpy(coded + len, fed->body, fed->body_len);
    len += fed->body_len;
    len +=
        (size_t)snprintf(coded + len, room - len, "%s0\r\n\r\n", fed->body_len > 0 ? "\r\n" : "");
    fed_body_t again;
    feed_chunked(&again, coded, len, FEED_WHOLE, 0);
    MUST(again.result == GALE__CHUNKED_END && again.taken == len);
    MUST(again.body_len == fed->body_len && memcmp(again.body, fed->body, fed->body_len) == 0);
    free(again.body);
    free(coded);
}

/* The accepted trailer section is a table of fields, each of which a header might have had. */
static void check_trailers(const fed_body_t *fed) {
    gale__trailers_t *t = NULL;
    size_t lines = 0;
    if (fed->trailers_len == 0) return;
    MUST(gale__trailers_add(&t, gale_str(fed->trailers, fed->trailers_len)));
    gale__trailers_finish(t);
    for (size_t i = 0; i < fed->trailers_len; i++) lines += fed->trailers[i] == '\n';
    MUST(t->len == fed->trailers_len && t->count <= lines && lines <= GALE__TRAILER_FIELDS);
    for (uint32_t i = 0; i < t->count; i++) {
        MUST(gale__is_token(t->fields[i].name) && gale__is_field_value(t->fields[i].value));
        MUST(gale__trailer_allowed(t->fields[i].name));
    }
    gale__free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t seed = (uint32_t)size * 2654435761u;
    fed_body_t want, got;
    feed_chunked(&want, (const char *)data, size, FEED_WHOLE, 0);
    MUST(want.result != GALE__CHUNKED_MORE || want.taken == size);
    if (want.result == GALE__CHUNKED_END) {
        MUST(want.taken >= 5 && memcmp(data + want.taken - 2, "\r\n", 2) == 0);
        MUST(want.body_len < want.taken);
        check_trailers(&want);
        check_again(&want);
    }
    for (int mode = FEED_BYTES; mode <= FEED_RANDOM; mode++) {
        feed_chunked(&got, (const char *)data, size, mode, seed);
        MUST(got.result == want.result && got.taken == want.taken && got.error == want.error);
        MUST(got.body_len == want.body_len && memcmp(got.body, want.body, want.body_len) == 0);
        MUST(got.result < 0 || (got.trailers_len == want.trailers_len &&
                                memcmp(got.trailers, want.trailers, want.trailers_len) == 0));
        free(got.body);
    }
    free(want.body);
    return 0;
}
