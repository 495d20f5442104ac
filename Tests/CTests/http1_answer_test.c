/* Response heads as a client reads them: good and bad status lines, limits, every cut (WS-19). */
#include "http1_answer.h"

#include <stdlib.h>

#include "str.h"
#include "test.h"

enum { TABLE = 8 };

typedef struct {
    int result;
    gale__answer_t answer;
    gale_header_t table[TABLE];
    char *bytes;
} fed_t;

/* In two pieces, at two addresses of exactly their size. */
static void feed(fed_t *f, const char *text, size_t len, size_t cut, uint32_t max) {
    gale__head_limits_t limits = {.max_bytes = max, .max_headers = TABLE};
    size_t ends[] = {cut, len};
    *f = (fed_t){0};
    gale__answer_init(&f->answer, f->table);
    for (int i = 0; i < 2 && f->result == 0; i++) {
        char *moved = malloc(ends[i] > 0 ? ends[i] : 1);
        if (moved == NULL) abort();
        memcpy(moved, text, ends[i]);
        if (f->bytes != NULL) gale__answer_rebase(&f->answer, f->bytes, moved);
        free(f->bytes);
        f->bytes = moved;
        f->result = gale__answer_parse(&f->answer, &limits, moved, ends[i]);
    }
}

/* Accepted with every cut; gives the last. */
static void check_good(fed_t *f, const char *text) {
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        free(f->bytes);
        feed(f, text, len, cut, 4096);
        CHECK_EQ_INT(f->result, (int)len);
        CHECK(f->answer.head.error == NULL);
        CHECK_EQ_UINT(f->answer.head.target.len, 1);
        if (test_failures() > 0) break;
    }
}

TEST(http1_answer, a_handshake) {
    fed_t f = {0};
    check_good(&f, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: keep-alive, Upgrade\r\nA:  b c \r\nEmpty:\r\n\r\n");
    CHECK_EQ_INT(f.answer.status, 101);
    CHECK_EQ_STR(f.answer.reason, "Switching Protocols");
    CHECK_EQ_INT(f.answer.head.minor, 1);
    CHECK(f.answer.head.upgrade && !f.answer.head.chunked && !f.answer.head.has_content_length);
    CHECK_EQ_UINT(f.answer.head.header_count, 4);
    CHECK_EQ_STR(f.table[2].name, "A");
    CHECK_EQ_STR(f.table[2].value, "b c");
    CHECK_EQ_STR(f.table[3].value, "");
    free(f.bytes);
}

TEST(http1_answer, others) {
    fed_t f = {0};
    check_good(&f, "HTTP/1.0 404 \r\nContent-Length: 12\r\nTransfer: x\r\n\r\n");
    CHECK_EQ_INT(f.answer.status, 404);
    CHECK_EQ_STR(f.answer.reason, "");
    CHECK_EQ_INT(f.answer.head.minor, 0);
    CHECK_EQ_INT(f.answer.head.content_length, 12);
    check_good(&f, "HTTP/1.1 599 \xc3\xa9t\xc3\xa9\r\n\r\n");
    CHECK_EQ_STR(f.answer.reason, "\xc3\xa9t\xc3\xa9");
    CHECK_EQ_UINT(f.answer.head.header_count, 0);
    free(f.bytes);
}

/* Refused as soon as it shows, and the same with every cut. */
TEST(http1_answer, refused) {
    static const struct {
        const char *text;
        size_t shows; /* after so many bytes */
    } rows[] = {
        {"HTTP/2.0 200 OK\r\n", 6},
        {"HTTP/1.2 200 OK\r\n", 17},
        {"http/1.1 200 OK\r\n", 1},
        {"GET / HTTP/1.1\r\n", 1},
        {"\r\nHTTP/1.1 200 OK\r\n", 1},
        {"HTTP/1.1  200 OK\r\n", 10},
        {"HTTP/1.1 20 OK\r\n", 12},
        {"HTTP/1.1 2000 OK\r\n", 13},
        {"HTTP/1.1 200\r\n", 13},
        {"HTTP/1.1 099 Low\r\n", 18},
        {"HTTP/1.1 600 High\r\n", 19},
        {"HTTP/1.1 200 OK\n", 16},
        {"HTTP/1.1 200 O\rK\r\n", 16},
        {"HTTP/1.1 200 O\001K\r\n", 15},
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 19},
        {"HTTP/1.1 200 OK\r\nA: b\n\r\n", 22},
        {"HTTP/1.1 200 OK\r\n A: b\r\n\r\n", 18},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 55},
        {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 37},
        {"HTTP/1.1 200 OK\r\n1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n9:\r\n\r\n", 51},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        for (size_t end = 0; end <= len; end++) {
            for (size_t cut = 0; cut <= end; cut += 3) {
                fed_t f;
                feed(&f, rows[i].text, end, cut, 4096);
                CHECK_MSG((f.result < 0) == (end >= rows[i].shows), "row %zu: %d after %zu bytes",
                          i, f.result, end);
                CHECK((f.result < 0) == (f.answer.head.error != NULL));
                free(f.bytes);
            }
        }
    }
}

TEST(http1_answer, limits) {
    static const char text[] = "HTTP/1.1 200 A long reason\r\nA: b\r\n\r\n";
    size_t len = sizeof text - 1;
    for (uint32_t max = 0; max <= len + 1; max++) {
        fed_t f;
        feed(&f, text, len, 5, max);
        CHECK_MSG(max < len ? f.result < 0 : f.result == (int)len, "%u bytes may come: %d", max,
                  f.result);
        free(f.bytes);
    }
}
