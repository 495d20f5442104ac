// Responses on one connection: their framing by Content-Length, and whether they are right.
#ifndef BENCH_RESPONSES_H
#define BENCH_RESPONSES_H

#include <stdbool.h>
#include <stddef.h>

enum { RESPONSES_HEAD_MAX = 8192 };

typedef struct {
    const char *body; // what every body must be
    size_t body_size;
    size_t known_head;             // size of a right head seen before, 0 when none was
    char head[RESPONSES_HEAD_MAX]; // a head that is split over reads
    size_t head_size;
    size_t body_at; // bytes of the body seen
    bool in_body;
} responses_t;

void responses_init(responses_t *responses, const char *body, size_t body_size);

// Takes bytes as they arrive and returns how many responses they complete,
// or -1 when one isn't a 200 with the expected body.
int responses_feed(responses_t *responses, const char *bytes, size_t size);

#endif
