/*
 * Feeds a multipart body in pieces, each an exact copy of its bytes, and writes down what comes
 * out: "<name|filename|type>data</>" for each part, "." at the end or "!status text". Used by the
 * tests and by the fuzz target: however the bytes come, the text must be the same.
 */
#ifndef GALE_TESTS_MULTIPART_FEED_H
#define GALE_TESTS_MULTIPART_FEED_H

#include <stdlib.h>
#include <string.h>

#include "http1_feed.h"
#include "multipart.h"

typedef struct {
    char *text;
    size_t len;
    uint32_t parts;
    int status; /* 0: accepted */
} fed_form_t;

static inline void fed_add(fed_form_t *fed, const char *bytes, size_t len) {
    fed->text = realloc(fed->text, fed->len + len + 1);
    if (fed->text == NULL) abort();
    if (len > 0) memcpy(fed->text + fed->len, bytes, len);
    fed->len += len;
}

static inline void fed_part(fed_form_t *fed, const gale__part_head_t *p) {
    fed->parts++;
    if (p->name.len == 0 || p->header_count == 0) abort();
    fed_add(fed, "<", 1);
    fed_add(fed, p->name.ptr, p->name.len);
    fed_add(fed, "|", 1);
    fed_add(fed, p->filename.ptr, p->filename.len);
    fed_add(fed, "|", 1);
    if (p->content_type.ptr == NULL) fed_add(fed, "-", 1);
    fed_add(fed, p->content_type.ptr, p->content_type.len);
    fed_add(fed, ">", 1);
}

/* One event; false at MORE and ERROR. */
static inline bool fed_event(fed_form_t *fed, gale__multipart_t *m, int event, gale_str_t data) {
    switch (event) {
    case GALE__MULTIPART_PART:
        fed_part(fed, &m->part);
        return true;
    case GALE__MULTIPART_DATA:
        if (data.len == 0) abort();
        fed_add(fed, data.ptr, data.len);
        return true;
    case GALE__MULTIPART_PART_END:
        fed_add(fed, "</>", 3);
        return true;
    default:
        return false;
    }
}

/* `first` bytes, then the rest in pieces of the mode. To be freed with free(fed->text). */
static inline void feed_form(fed_form_t *fed, const gale__multipart_limits_t *limits,
                             const char *boundary, const char *bytes, size_t len, size_t first,
                             int mode, uint32_t seed) {
    gale__multipart_t m;
    size_t given = 0;
    int event = GALE__MULTIPART_MORE;
    char *room = malloc(gale__multipart_room(limits) + 1);
    if (room == NULL) abort();
    memset(fed, 0, sizeof *fed);
    gale__multipart_init(&m, limits, gale_str(boundary, strlen(boundary)), room);
    while (event == GALE__MULTIPART_MORE && given < len) {
        size_t step = given == 0 && first > 0 ? first : feed_step(mode, len - given, &seed);
        size_t pos = 0;
        char *piece = malloc(step);
        if (piece == NULL) abort();
        memcpy(piece, bytes + given, step);
        gale_str_t data = {NULL, 0};
        do {
            event = gale__multipart_next(&m, gale_str(piece, step), &pos, &data);
        } while (fed_event(fed, &m, event, data));
        if (event == GALE__MULTIPART_MORE && pos != step) abort();
        given += step;
        free(piece);
    }
    if (gale__multipart_finish(&m) == GALE__MULTIPART_END) {
        fed_add(fed, ".", 1);
    } else {
        char status[4] = {'!', (char)('0' + m.status / 100), (char)('0' + m.status / 10 % 10),
                          (char)('0' + m.status % 10)};
        fed->status = m.status;
        fed_add(fed, status, 4);
        fed_add(fed, " ", 1);
        fed_add(fed, m.error, strlen(m.error));
    }
    free(room);
}

#endif
