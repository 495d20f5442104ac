#include "http1_answer.h"

#include "http1_head_impl.h"
#include "str.h"

enum { BAD = 502 };

/* 'd' stands for a digit. */
static const char start[] = "HTTP/1.d ddd ";
enum { START = sizeof start - 1, MINOR_AT = 7, STATUS_AT = 9 };

/* What the parser of fields asks the request line for: a target that is a path. */
static void leave_out_request_line(gale__head_t *head) {
    head->method = gale_str(NULL, 0);
    head->target = GALE__LIT("/");
}

void gale__answer_init(gale__answer_t *a, gale_header_t *table) {
    gale__head_init(&a->head, table);
    leave_out_request_line(&a->head);
    a->reason = gale_str(NULL, 0);
    a->status = 0;
}

void gale__answer_rebase(gale__answer_t *a, const char *from, const char *to) {
    a->head.target = gale_str(NULL, 0);
    gale__head_rebase(&a->head, from, to);
    leave_out_request_line(&a->head);
    if (a->reason.ptr != NULL) a->reason.ptr = to + (a->reason.ptr - from);
}

static int wait(gale__head_t *head, size_t at, size_t len, uint32_t max) {
    head->scanned = (uint32_t)at;
    return len < max ? 0 : gale__head_refuse(head, BAD, "the status line is too long");
}

/* The whole line is there; its end is at `at`. */
static int take_status_line(gale__answer_t *a, const char *bytes, size_t at) {
    gale__head_t *head = &a->head;
    int status = 0;
    for (int i = 0; i < 3; i++) status = status * 10 + (bytes[STATUS_AT + i] - '0');
    if (status < 100 || status > 599) {
        return gale__head_refuse(head, BAD, "the status is not one from 100 to 599");
    }
    if (bytes[MINOR_AT] > '1') {
        return gale__head_refuse(head, BAD, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    }
    a->status = status;
    a->reason = gale_str(bytes + START, at - START);
    head->minor = (uint8_t)(bytes[MINOR_AT] - '0');
    head->line = head->scanned = (uint32_t)at + 2;
    head->state = GALE__PHASE_NAME;
    return 1;
}

/* > 0: it is taken. */
static int parse_status_line(gale__answer_t *a, uint32_t max, const char *bytes, size_t len) {
    gale__head_t *head = &a->head;
    size_t cap = len < max ? len : max, at = head->scanned;
    for (; at < START && at < cap; at++) {
        bool digit = gale__is((uint8_t)bytes[at], GALE__DIGIT);
        if (start[at] == 'd' ? digit : bytes[at] == start[at]) continue;
        return gale__head_refuse(head, BAD, "what came does not begin as an HTTP/1.1 response");
    }
    if (at < START) return wait(head, at, cap, max);
    while (at < cap && gale__is((uint8_t)bytes[at], GALE__FIELD)) at++;
    if (at == cap || (at + 1 == cap && bytes[at] == '\r')) return wait(head, at, cap, max);
    if (bytes[at] != '\r' || bytes[at + 1] != '\n') {
        return gale__head_refuse(head, BAD, "the status line does not end in CRLF");
    }
    return take_status_line(a, bytes, at);
}

int gale__answer_parse(gale__answer_t *a, const gale__head_limits_t *limits, const char *bytes,
                       size_t len) {
    gale__head_limits_t strict = {.max_bytes = limits->max_bytes,
                                  .max_headers = limits->max_headers,
                                  .lenient = GALE__LENIENT_NO_HOST};
    if (GALE__PHASE(a->head.state) < GALE__PHASE_NAME) {
        uint32_t max = limits->max_bytes < INT32_MAX ? limits->max_bytes : INT32_MAX;
        int taken = parse_status_line(a, max, bytes, len);
        if (taken <= 0) return taken;
    }
    return gale__head_parse(&a->head, &strict, bytes, len);
}
