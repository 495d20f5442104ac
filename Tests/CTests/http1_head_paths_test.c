/*
 * Each vector implementation of the head parser against the scalar one: heads of every length, at
 * every place of a block of 64, with every byte replaced by those that matter, between pages that
 * may not be touched and among bytes that must not count. The fuzz target `request` does the same
 * with whatever comes to its mind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "http1_feed.h"
#include "test.h"

enum { LONGEST = 210, ROOM = 4096, FIELDS = 8 };

/* Memory with a forbidden page in front and behind. */
static char *guarded(void) {
    static char *room;
    if (room == NULL) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *map =
            mmap(NULL, 2 * page + ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (map == MAP_FAILED || ROOM % page != 0) abort();
        if (mprotect(map, page, PROT_NONE) != 0 ||
            mprotect(map + page + ROOM, page, PROT_NONE) != 0) {
            abort();
        }
        room = map + page;
    }
    return room;
}

typedef struct {
    int result;
    gale__head_t head;
    gale_header_t table[FIELDS];
    const char *bytes;
} parsed_t;

static void parse(parsed_t *p, gale__head_parse_fn fn, const char *bytes, size_t len) {
    static const gale__head_limits_t limits = {16384, FIELDS, 0};
    gale__head_init(&p->head, p->table);
    p->bytes = bytes;
    p->result = fn(&p->head, &limits, bytes, len);
}

static bool same_str(const parsed_t *a, gale_str_t x, const parsed_t *b, gale_str_t y) {
    if (x.ptr == NULL || y.ptr == NULL) return x.ptr == y.ptr;
    return x.len == y.len && x.ptr - a->bytes == y.ptr - b->bytes;
}

static bool same(const parsed_t *a, const parsed_t *b) {
    const gale__head_t *p = &a->head, *q = &b->head;
    /* Unfinished ones must have come to the same place too. */
    if (a->result != b->result || p->header_count != q->header_count) return false;
    if (a->result < 0) return strcmp(p->error, q->error) == 0;
    if (a->result == 0 &&
        (p->scanned != q->scanned || p->line != q->line || p->state != q->state)) {
        return false;
    }
    bool same = same_str(a, p->method, b, q->method) && same_str(a, p->target, b, q->target) &&
                same_str(a, p->host, b, q->host) && p->content_length == q->content_length &&
                p->chunked == q->chunked && p->keep_alive == q->keep_alive && p->minor == q->minor;
    for (uint32_t i = 0; same && i < p->header_count; i++) {
        same = same_str(a, a->table[i].name, b, b->table[i].name) &&
               same_str(a, a->table[i].value, b, b->table[i].value);
    }
    return same;
}

/* The bytes at both ends of the room: their start at every place of a block, with foreign bytes
 * around, and their end at the page's. */
static void compare(const char *bytes, size_t len, const char *what) {
    size_t count;
    const gale__head_impl_t *impls = gale__head_impls(&count);
    char *room = guarded(), *at_end = room + ROOM - len, *within = room + len % 64;
    parsed_t want, got;
    memmove(at_end, bytes, len);
    parse(&want, impls[count - 1].parse, at_end, len);
    for (size_t i = 0; i + 1 < count; i++) {
        parse(&got, impls[i].parse, at_end, len);
        CHECK_MSG(same(&want, &got), "%s, %zu bytes at the end of a page, %s: %d, want %d",
                  impls[i].name, len, what, got.result, want.result);
    }
    memset(within + len, len % 2 ? '\xff' : ':', 64);
    memcpy(within, bytes, len);
    for (size_t i = 0; i < count; i++) {
        parse(&got, impls[i].parse, within, len);
        CHECK_MSG(same(&want, &got), "%s, %zu bytes at %zu of a block, %s: %d, want %d",
                  impls[i].name, len, len % 64, what, got.result, want.result);
    }
}

/* A head of exactly `len` bytes whose parts are of lengths that the seed chooses. */
static size_t make_head(char *out, size_t len, uint32_t *seed) {
    static const char line[] = "GET / HTTP/1.0\r\n", end[] = "\r\n";
    size_t fixed = sizeof line - 1 + sizeof end - 1;
    if (len < fixed + 5) return 0;
    size_t spare = len - fixed, path = feed_random(seed) % (spare - 4), at = 5;
    memcpy(out, line, 5);
    memset(out + at, 'p', path);
    at += path;
    memcpy(out + at, line + 5, sizeof line - 1 - 5);
    at += sizeof line - 1 - 5;
    for (spare -= path; spare >= 5;) { /* "n:v\r\n" at least */
        size_t field = 5 + feed_random(seed) % (spare - 4);
        if (spare - field < 5) field = spare;
        size_t name = 1 + feed_random(seed) % (field - 4);
        memset(out + at, 'n', name);
        out[at + name] = ':';
        memset(out + at + name + 1, 'v', field - name - 3);
        memcpy(out + at + field - 2, "\r\n", 2);
        at += field;
        spare -= field;
    }
    memcpy(out + at, end, 2);
    return at + 2 == len ? len : 0;
}

TEST(http1_head_paths, every_length_and_every_byte) {
    static const char special[] = {'\0', '\t',   '\n',   '\r',   ' ',   ':',
                                   '"',  '\x1f', '\x7f', '\x80', '\xff'};
    char head[LONGEST];
    uint32_t seed = 1;
    unsigned made = 0;
    for (size_t len = 1; len <= LONGEST; len++) {
        if (make_head(head, len, &seed) == 0) continue;
        made++;
        compare(head, len, "whole");
        for (size_t at = 0; at < len; at++) {
            char was = head[at], what[32];
            snprintf(what, sizeof what, "byte %zu", at);
            head[at] = special[(at + len) % sizeof special];
            compare(head, len, what);
            head[at] = was;
        }
        if (test_failures() > 5) return;
    }
    CHECK(made > LONGEST - 30);
}

/* Each special byte at each place of two blocks. */
TEST(http1_head_paths, every_byte_at_every_place) {
    char head[192], what[32];
    uint32_t seed = 7;
    for (int round = 0; round < 3; round++) {
        REQUIRE(make_head(head, 150 + (size_t)round, &seed) > 0);
        for (size_t at = 0; at < 150; at++) {
            char was = head[at];
            for (unsigned c = 0; c < 256; c++) {
                head[at] = (char)c;
                snprintf(what, sizeof what, "%02x at %zu", c, at);
                compare(head, 150 + (size_t)round, what);
            }
            head[at] = was;
        }
        if (test_failures() > 5) return;
    }
}

/* What has come of a head that is not whole, cut at every byte. */
TEST(http1_head_paths, every_prefix) {
    char head[LONGEST];
    uint32_t seed = 3;
    for (size_t len = 30; len <= LONGEST; len += 9) {
        if (make_head(head, len, &seed) == 0) continue;
        for (size_t cut = 1; cut < len; cut++) compare(head, cut, "cut");
    }
}
