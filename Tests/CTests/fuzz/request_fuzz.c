/*
 * libFuzzer target of the head parser: each implementation, whole, byte by byte and in random
 * pieces, must come to the same result as the scalar one on the whole; and what is accepted must
 * look like a head. The limits vary with the input's bytes, so that the files of the corpus are
 * plain requests.
 */
#include "../http1_feed.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void check_field(gale_header_t field) {
    MUST(gale__is_token(field.name) && gale__is_field_value(field.value));
    MUST(field.name.ptr[field.name.len] == ':');
    gale_str_t trimmed = gale__trim(field.value);
    MUST(trimmed.ptr == field.value.ptr && trimmed.len == field.value.len);
}

/* What is true of any head that may be accepted, found without the parser. */
static void check_accepted(const fed_head_t *fed, size_t size, gale__head_limits_t limits) {
    const gale__head_t *head = &fed->head;
    size_t len = (size_t)fed->result, lines = 0;
    MUST(len <= size && len <= limits.max_bytes && head->header_count <= limits.max_headers);
    bool bare_lf = limits.lenient & GALE__LENIENT_BARE_LF;
    MUST(bare_lf ? fed->bytes[len - 1] == '\n' : memcmp(fed->bytes + len - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < len; i++) {
        bool lf = fed->bytes[i] == '\n', cr = fed->bytes[i] == '\r';
        lines += lf;
        MUST(!lf || bare_lf || (i > 0 && fed->bytes[i - 1] == '\r'));
        MUST(!cr || fed->bytes[i + 1] == '\n');
        MUST(lf || cr || gale__is((uint8_t)fed->bytes[i], GALE__FIELD));
    }
    bool empty_line = fed->bytes[0] == '\r' || fed->bytes[0] == '\n';
    size_t want = head->header_count + 2u + empty_line;
    /* Repeated lengths are a line each and one field. */
    MUST(limits.lenient & GALE__LENIENT_LENGTHS ? lines >= want : lines == want);
    MUST(gale__is_token(head->method) && head->target.len > 0 && head->minor <= 1);
    bool no_host = limits.lenient & GALE__LENIENT_NO_HOST;
    MUST(head->host.ptr != NULL || head->minor == 0 || no_host);
    MUST(!(head->chunked && (head->has_content_length || head->minor == 0)));
    MUST(head->content_length >= 0);
    uint32_t hosts = 0, lengths = 0, codings = 0;
    for (uint32_t i = 0; i < head->header_count; i++) {
        check_field(fed->table[i]);
        hosts += gale__eq_nocase(fed->table[i].name, GALE__LIT("Host"));
        lengths += gale__eq_nocase(fed->table[i].name, GALE__LIT("Content-Length"));
        codings += gale__eq_nocase(fed->table[i].name, GALE__LIT("Transfer-Encoding"));
    }
    MUST(hosts <= 1 && (no_host || hosts >= head->minor));
    MUST(lengths == head->has_content_length && codings == head->chunked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint32_t seed = 2166136261u;
    if (size > 8192) return -1;
    for (size_t i = 0; i < size; i++) seed = (seed ^ data[i]) * 16777619u;
    gale__head_limits_t limits = {16384, 100, 0};
    if (seed % 4 == 1) limits.max_bytes = 1 + seed / 8 % 512;
    if (seed % 4 == 2) limits.max_headers = seed / 8 % 8;
    if (seed % 4 == 3) limits.lenient = seed / 8 % 16;

    size_t count;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    fed_head_t want, got;
    feed_head(&want, impls[count - 1].parse, limits, (const char *)data, size, FEED_WHOLE, 0);
    if (want.result > 0) check_accepted(&want, size, limits);
    for (size_t i = 0; i < count; i++) {
        for (int mode = FEED_WHOLE; mode <= FEED_RANDOM; mode++) {
            /* Byte by byte costs a copy of all a byte. */
            if (mode == FEED_BYTES && size > 600) continue;
            feed_head(&got, impls[i].parse, limits, (const char *)data, size, mode, seed);
            MUST(fed_same(&want, &got));
            feed_free(&got);
        }
    }
    feed_free(&want);
    return 0;
}
