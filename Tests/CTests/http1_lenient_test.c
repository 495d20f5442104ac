/*
 * The leniencies of the head parser, each on, off, and with all others on: with every
 * implementation, whole, byte by byte and in random pieces. Then the same through a server's
 * configuration.
 */
#include <stdio.h>

#include "http1_feed.h"
#include "rig.h"

/* What a head means, as one text: "M /target 1.1 h=host n=length name=value;..." or the status. */
static void describe(const fed_head_t *fed, char *out, size_t size) {
    const gale__head_t *h = &fed->head;
    int n = snprintf(out, size, "%d", fed->result < 0 ? -fed->result : fed->result);
    if (fed->result <= 0) return;
    n = snprintf(out, size, "%.*s %.*s 1.%d h=%.*s n=%lld", (int)h->method.len, h->method.ptr,
                 (int)h->target.len, h->target.ptr, h->minor, (int)h->host.len, h->host.ptr,
                 h->has_content_length ? (long long)h->content_length : -1LL);
    for (uint32_t i = 0; i < h->header_count; i++) {
        const gale_header_t *f = &fed->table[i];
        n += snprintf(out + n, size - (size_t)n, " %.*s=%.*s;", (int)f->name.len, f->name.ptr,
                      (int)f->value.len, f->value.ptr);
    }
}

static void check_meaning(uint32_t lenient, const char *text, const char *want) {
    gale__head_limits_t limits = {16384, 100, lenient};
    size_t count, len = strlen(text);
    const gale__head_impl_t *impls = gale__head_impls(&count);
    char got[512];
    for (size_t i = 0; i < count * 4; i++) {
        fed_head_t fed;
        int mode = i % 4 == 0 ? FEED_WHOLE : i % 4 == 1 ? FEED_BYTES : FEED_RANDOM;
        feed_head(&fed, impls[i / 4].parse, limits, text, len, mode, (uint32_t)i);
        describe(&fed, got, sizeof got);
        CHECK_MSG(strcmp(got, want) == 0, "%s, flags %u, %s: \"%s\", want \"%s\"", text, lenient,
                  impls[i / 4].name, got, want);
        CHECK(fed.result < 0 || (size_t)fed.result == len);
        feed_free(&fed);
    }
}

typedef struct {
    const char *text, *lenient; /* what it means with the flag; 400 without, if null anyway */
} row_t;

static void check_flag(uint32_t flag, const row_t *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        check_meaning(flag, rows[i].text, rows[i].lenient == NULL ? "400" : rows[i].lenient);
        check_meaning(0, rows[i].text, "400");
        check_meaning(15 & ~flag, rows[i].text, "400"); /* no other flag opens it */
    }
}
#define CHECK_FLAG(flag, ...)                                                                      \
    do {                                                                                           \
        static const row_t rows[] = {__VA_ARGS__};                                                 \
        check_flag(flag, rows, sizeof rows / sizeof *rows);                                        \
    } while (0)

/* H1-14 */
TEST(http1_lenient, bare_lf) {
    CHECK_FLAG(
        GALE__LENIENT_BARE_LF, {"GET / HTTP/1.0\n\n", "GET / 1.0 h= n=-1"},
        {"\nGET / HTTP/1.0\n\n", "GET / 1.0 h= n=-1"},
        {"\r\nGET / HTTP/1.0\n\r\n", "GET / 1.0 h= n=-1"},
        {"GET / HTTP/1.1\nHost: h\nA: b \r\nC:\n\n", "GET / 1.1 h=h n=-1 Host=h; A=b; C=;"},
        {"GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n", "GET / 1.1 h=h n=-1 Host=h; A=b; C=d;"},
        {"POST / HTTP/1.1\r\nHost: h\nContent-Length: 3\n\n",
         "POST / 1.1 h=h n=3 Host=h; Content-Length=3;"},
        {"GET / HTTP/1.1\r\nHost: h\r\n\n", "GET / 1.1 h=h n=-1 Host=h;"},
        /* A CR stands before an LF or nowhere; one empty line is enough; LF ends lines. */
        {"GET / HTTP/1.0\nA: b\rC: d\n\n", NULL}, {"\n\nGET / HTTP/1.0\n\n", NULL},
        {"GET / HTTP/1.0\r\r\n\n", NULL}, {"GET /\n HTTP/1.0\n\n", NULL},
        {"GET / HTTP/1.0\nA\n: b\n\n", NULL});
}

/* HU-04, Advisory A38 */
TEST(http1_lenient, obs_fold) {
    CHECK_FLAG(GALE__LENIENT_OBS_FOLD,
               {"GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n", "GET / 1.0 h= n=-1 A=b   c;"},
               {"GET / HTTP/1.0\r\nA: b\r\n\tc: d\r\n e\r\nF: g\r\n\r\n",
                "GET / 1.0 h= n=-1 A=b  \tc: d   e; F=g;"},
               {"GET / HTTP/1.0\r\nA:\r\n b\r\n \r\n\r\n", "GET / 1.0 h= n=-1 A=b;"},
               {"GET / HTTP/1.0\r\nA:\r\n \r\nB: c\r\n\r\n", "GET / 1.0 h= n=-1 A=; B=c;"},
               /* Not before the first field, not where it would frame or route. */
               {"GET / HTTP/1.0\r\n A: b\r\n\r\n", NULL},
               {"GET / HTTP/1.1\r\nHost: h\r\n .evil\r\n\r\n", NULL},
               {"POST / HTTP/1.0\r\nContent-Length: 1\r\n 0\r\n\r\n", NULL},
               {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", NULL},
               {"GET / HTTP/1.0\r\nConnection:\r\n keep-alive\r\n\r\n", NULL},
               {"GET / HTTP/1.0\r\nUpgrade: a\r\n b\r\n\r\n", NULL},
               {"GET / HTTP/1.0\r\nExpect: a\r\n b\r\n\r\n", NULL},
               {"GET / HTTP/1.0\r\nA: b\n c\r\n\r\n", NULL},
               {"GET / HTTP/1.0\r\nA: b\r\n \x01\r\n\r\n", NULL});
    check_meaning(GALE__LENIENT_OBS_FOLD | GALE__LENIENT_BARE_LF,
                  "GET / HTTP/1.0\nA: b\n c\n\td\n\n", "GET / 1.0 h= n=-1 A=b  c \td;");
}

/* HU-22 */
TEST(http1_lenient, missing_host) {
    CHECK_FLAG(GALE__LENIENT_NO_HOST, {"GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / 1.1 h= n=-1 A=b;"},
               {"GET http://a/ HTTP/1.1\r\n\r\n", "GET http://a/ 1.1 h=a n=-1"},
               {"GET / HTTP/1.1\r\nHost:\r\n\r\n", NULL},
               {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", NULL});
}

/* H1-11 */
TEST(http1_lenient, repeated_length) {
#define POST(fields) "POST / HTTP/1.0\r\n" fields "\r\n"
    CHECK_FLAG(GALE__LENIENT_LENGTHS,
               {POST("Content-Length: 5\r\nA: b\r\ncontent-length: 5\r\nC: d\r\n"),
                "POST / 1.0 h= n=5 Content-Length=5; A=b; C=d;"},
               {POST("Content-Length: 5, 5\r\n"), "POST / 1.0 h= n=5 Content-Length=5;"},
               {POST("Content-Length: 5\r\nContent-Length: 5,5\r\n"),
                "POST / 1.0 h= n=5 Content-Length=5;"},
               {POST("Content-Length: 5\r\nContent-Length: 6\r\n"), NULL},
               {POST("Content-Length: 5, 6\r\n"), NULL}, {POST("Content-Length: 5,\r\n"), NULL},
               {POST("Content-Length: ,5\r\n"), NULL}, {POST("Content-Length:\r\n"), NULL},
               {POST("Content-Length: 5\r\nContent-Length: +5\r\n"), NULL},
               {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n"
                "Transfer-Encoding: chunked\r\n\r\n",
                NULL});
    for (uint32_t flags = 0; flags < 16; flags++) {
        check_meaning(flags, POST("Content-Length: 5\r\n"), "POST / 1.0 h= n=5 Content-Length=5;");
    }
}

TEST(http1_lenient, no_flag_opens_attacks) {
    static const char *const attacks[] = {
        "GET / HTTP/1.0\r\nA : b\r\n\r\n",
        "GET / HTTP/1.0\r\nA\t: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.0\r\nA: b\rC: d\r\n\r\n",
        "GET / HTTP/1.0\r\nA: b\x0b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\tx\n\n",
    };
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        check_meaning(15, attacks[i], "400");
    }
}

/* ----------------------------------------------------------------------- through a configuration */

static void answer_fields(rig_t *rig, gale_req_t *req) {
    rig_text_t text = {0};
    const gale_header_t *h;
    size_t n = gale_req_headers(req, &h);
    (void)rig;
    for (size_t i = 0; i < n; i++) {
        rig_text_addf(&text, "%.*s=%.*s;", (int)h[i].name.len, h[i].name.ptr, (int)h[i].value.len,
                      h[i].value.ptr);
    }
    rig_text_add(&text, gale_req_body(req));
    gale_respond(req, 200, NULL, 0, gale_str(text.text, text.len));
    rig_text_free(&text);
}

TEST(http1_lenient, each_flag_of_the_configuration) {
    static const struct {
        const char *text, *answer;
    } rows[4] = {
        {"POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\nok", "Host=h;Content-Length=2;ok"},
        {"POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
         "Host=h;A=b   c;Content-Length=2;ok"},
        {"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok", "Content-Length=2;ok"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
         "Host=h;Content-Length=2;ok"},
    };
    for (int on = 0; on < 5; on++) { /* the fifth: none */
        for (int row = 0; row < 4; row++) {
            for (int split = 0; split < 2; split++) {
                rig_t rig;
                rig_client_t client;
                rig_init(&rig);
                rig.config.allow_bare_lf = on == 0;
                rig.config.allow_obs_fold = on == 1;
                rig.config.allow_missing_host = on == 2;
                rig.config.allow_repeated_length = on == 3;
                rig.request = answer_fields;
                rig_open(&rig);
                rig_connect(&rig, &client);
                size_t len = strlen(rows[row].text);
                for (size_t at = 0; split && at < len; at++) {
                    rig_send_bytes(&client, rows[row].text + at, 1);
                }
                if (!split) rig_send(&client, rows[row].text);
                rig_turn(&rig, 3);
                gale_str_t got = rig_take(&client);
                CHECK_MSG(rig_status_of(got) == (on == row ? 200 : 400), "%d, %d: %.*s", on, row,
                          (int)got.len, got.ptr);
                if (on == row) CHECK_EQ_STRS(rig_body_of(got), gale_cstr(rows[row].answer));
                rig_drop(&rig, &client);
                rig_close(&rig);
            }
        }
    }
}
