/*
 * libFuzzer target of response heads, and of what a WebSocket client makes of them: whole, byte by
 * byte and in two pieces they must come to the same result; what is accepted must look like a head;
 * and no Location that is followed may lead to a URL that is longer than one may be.
 */
#include <stdlib.h>

#include "http1_answer.h"
#include "str.h"
#include "ws_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

enum { TABLE = 16 };

typedef struct {
    int result;
    gale__answer_t answer;
    gale_header_t table[TABLE];
    char *bytes;
} fed_t;

/* `step` bytes more each time, each time at another address. */
static void feed(fed_t *f, const gale__head_limits_t *limits, const uint8_t *data, size_t size,
                 size_t step) {
    memset(f, 0, sizeof *f);
    gale__answer_init(&f->answer, f->table);
    for (size_t have = 0; have < size && f->result == 0;) {
        have = size - have < step ? size : have + step;
        char *moved = malloc(have);
        MUST(moved != NULL);
        memcpy(moved, data, have);
        if (f->bytes != NULL) gale__answer_rebase(&f->answer, f->bytes, moved);
        free(f->bytes);
        f->bytes = moved;
        f->result = gale__answer_parse(&f->answer, limits, moved, have);
    }
}

static bool same(const fed_t *a, const fed_t *b) {
    const gale__head_t *p = &a->answer.head, *q = &b->answer.head;
    if (a->result != b->result) return false;
    if (a->result < 0) return strcmp(p->error, q->error) == 0;
    if (a->result == 0) return true;
    if (a->answer.status != b->answer.status || !gale__eq(a->answer.reason, b->answer.reason) ||
        p->header_count != q->header_count || p->minor != q->minor || p->upgrade != q->upgrade ||
        p->chunked != q->chunked || p->content_length != q->content_length) {
        return false;
    }
    for (uint32_t i = 0; i < p->header_count; i++) {
        if (!gale__eq(a->table[i].name, b->table[i].name) ||
            !gale__eq(a->table[i].value, b->table[i].value)) {
            return false;
        }
    }
    return true;
}

static void check_accepted(const fed_t *f, const gale__head_limits_t *limits) {
    size_t len = (size_t)f->result;
    const gale__answer_t *a = &f->answer;
    MUST(len <= limits->max_bytes && a->head.header_count <= limits->max_headers);
    MUST(a->status >= 100 && a->status <= 599 && a->head.minor <= 1);
    MUST(memcmp(f->bytes, "HTTP/1.", 7) == 0 && memcmp(f->bytes + len - 4, "\r\n\r\n", 4) == 0);
    MUST(gale__is_field_value(a->reason));
    for (uint32_t i = 0; i < a->head.header_count; i++) {
        MUST(gale__is_token(f->table[i].name) && gale__is_field_value(f->table[i].value));
    }
}

static void check_location(gale_str_t location) {
    static const char *const bases[] = {"ws://h/a/b?c", "wss://[::1]:8080", "ws+unix:/s:/a"};
    static char out[GALE__WS_URL_MAX];
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        gale__ws_url_t from, to;
        size_t len = gale__ws_url_follow(out, gale_cstr(bases[i]), location);
        MUST(len <= sizeof out && gale__ws_url_parse(&from, gale_cstr(bases[i])));
        if (len == 0 || !gale__ws_url_parse(&to, gale_str(out, len))) continue;
        MUST(to.host.len > 0 && (to.is_unix || to.port > 0));
        MUST(!from.is_unix || gale__ws_url_same_server(&from, &to));
    }
}

static void use(const fed_t *f) {
    gale__ws_url_t url;
    gale__ws_agreed_t agreed = {.deflate.server_bits = 0};
    gale__ws_request_t r = {.url = &url,
                            .subprotocols = GALE__LIT("chat, superchat"),
                            .deflate = true,
                            .rules = {.takeover = true, .window_bits = 15}};
    memcpy(r.key, "dGhlIHNhbXBsZSBub25jZQ==", GALE__WS_KEY);
    for (uint32_t i = 0; i < f->answer.head.header_count; i++) {
        if (gale__eq_nocase(f->table[i].name, GALE__LIT("Location"))) {
            check_location(f->table[i].value);
        }
    }
    if (gale__ws_answer_fault(&f->answer, &r, &agreed) != NULL) return;
    const gale__ws_deflate_t *d = &agreed.deflate;
    MUST(d->server_bits == 0 || (d->server_bits >= 8 && d->server_bits <= 15));
    MUST(d->server_bits == 0 || (d->client_bits >= 9 && d->client_bits <= 15));
    MUST(agreed.subprotocol.len == 0 || agreed.subprotocol.len == 4 || agreed.subprotocol.len == 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    gale__head_limits_t limits = {.max_bytes = size % 3 == 0 ? 200 : 4096, .max_headers = TABLE};
    size_t steps[] = {size, 1, size / 2 + 1};
    fed_t fed[3];
    for (int i = 0; i < 3; i++) feed(&fed[i], &limits, data, size, steps[i]);
    MUST(same(&fed[0], &fed[1]) && same(&fed[0], &fed[2]));
    if (fed[0].result > 0) {
        check_accepted(&fed[0], &limits);
        use(&fed[0]);
    }
    for (int i = 0; i < 3; i++) free(fed[i].bytes);
    return 0;
}
