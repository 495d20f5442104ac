#define _GNU_SOURCE
#include "responses.h"

#include <stdlib.h>
#include <string.h>

static const char STATUS[] = "HTTP/1.1 200 ";

void responses_init(responses_t *responses, const char *body, size_t body_size) {
    memset(responses, 0, sizeof *responses);
    responses->body = body;
    responses->body_size = body_size;
}

// A server's answers are mostly of one size, so the place of the blank line and of the body
// is known from the one before; looking just there keeps the loader faster than the servers.
static bool is_like_last(const responses_t *r, const char *bytes, size_t size) {
    return r->known_head != 0 && size >= r->known_head + r->body_size &&
           memcmp(bytes, STATUS, sizeof STATUS - 1) == 0 &&
           memcmp(bytes + r->known_head - 4, "\r\n\r\n", 4) == 0 &&
           memcmp(bytes + r->known_head, r->body, r->body_size) == 0;
}

static bool is_head_right(responses_t *r) {
    static const char NAME[] = "\r\ncontent-length:";
    if (r->head_size < sizeof STATUS || memcmp(r->head, STATUS, sizeof STATUS - 1) != 0) {
        return false;
    }
    char text[RESPONSES_HEAD_MAX];
    memcpy(text, r->head, r->head_size);
    text[r->head_size - 1] = '\0';
    const char *field = strcasestr(text, NAME);
    return field != NULL && strtoull(field + sizeof NAME - 1, NULL, 10) == r->body_size;
}

// Takes bytes of a head; returns how many, or 0 when the head is wrong.
static size_t feed_head(responses_t *r, const char *bytes, size_t size) {
    size_t had = r->head_size;
    size_t room = sizeof r->head - had;
    size_t take = size < room ? size : room;
    memcpy(r->head + had, bytes, take);
    // The blank line may have begun in the bytes that came before.
    size_t from = had < 3 ? 0 : had - 3;
    const char *blank = memmem(r->head + from, had + take - from, "\r\n\r\n", 4);
    if (blank == NULL) {
        r->head_size += take;
        return take < room ? take : 0;
    }
    r->head_size = (size_t)(blank - r->head) + 4;
    if (!is_head_right(r)) {
        return 0;
    }
    size_t used = r->head_size - had;
    r->known_head = r->head_size;
    r->head_size = 0;
    r->body_at = 0;
    r->in_body = true;
    return used;
}

static size_t feed_body(responses_t *r, const char *bytes, size_t size) {
    size_t left = r->body_size - r->body_at;
    size_t take = size < left ? size : left;
    if (memcmp(bytes, r->body + r->body_at, take) != 0) {
        return 0;
    }
    r->body_at += take;
    return take;
}

int responses_feed(responses_t *r, const char *bytes, size_t size) {
    int count = 0;
    while (size > 0) {
        size_t used;
        if (!r->in_body && r->head_size == 0 && is_like_last(r, bytes, size)) {
            used = r->known_head + r->body_size;
            count++;
        } else if (!r->in_body) {
            used = feed_head(r, bytes, size);
        } else {
            used = feed_body(r, bytes, size);
        }
        if (used == 0) {
            return -1;
        }
        if (r->in_body && r->body_at == r->body_size) {
            r->in_body = false;
            count++;
        }
        bytes += used;
        size -= used;
    }
    return count;
}
