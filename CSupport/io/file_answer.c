/*
 * Answers about a representation (STA-02, STA-04 ... STA-09). What the request asks is core's
 * matter: conditions.c, range.c. Here its words become a status, fields and pieces of a file.
 */
#include "file_answer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "compress.h"
#include "conditions.h"
#include "exchange.h"
#include "file.h"
#include "mem.h"
#include "range.h"
#include "str.h"

enum { CORE_HEADERS = 12, STACK_HEADERS = 28 };

#define MULTIPART "multipart/byteranges; boundary="

/* ----------------------------------------------------------------------------- what is known of it */

static uint64_t stir(uint64_t h) {
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* A strong tag (STA-03) that needs no look at the content: another size, time of change or inode is
 * another tag. The time of modification is not enough, since whoever writes a file in place may set
 * it back (cp -p, rsync -t, tar); nobody sets the other one. The inode tells apart two files that
 * one rename swaps within a tick of the clock. All is stirred, since it is nobody's business. */
static size_t make_etag(char out[GALE__ETAG_LEN], const gale__identity_t *file) {
    uint64_t h = stir((uint64_t)file->changed);
    h = stir(h ^ (uint64_t)file->modified);
    h = stir(h ^ file->inode * 0x9e3779b97f4a7c15u);
    return (size_t)snprintf(out, GALE__ETAG_LEN, "\"%llx-%016llx\"", (unsigned long long)file->size,
                            (unsigned long long)h);
}

void gale__representation_init(gale__representation_t *rep, int fd, const struct stat *st) {
    memset(rep, 0, sizeof *rep);
    rep->fd = fd;
    rep->size = (uint64_t)st->st_size;
    rep->modified = (int64_t)st->st_mtime;
    gale__identity_t file = gale__identity_of(st);
    rep->etag = gale_str(rep->etag_text, make_etag(rep->etag_text, &file));
}

/* ------------------------------------------------------------------------------------------ headers */

typedef struct {
    gale_req_t *req;
    gale__representation_t *rep;
    const gale_header_t *own;
    size_t own_count;
    gale__validators_t validators;
    char expires[GALE__DATE_LEN];
    /* Headers of the answer: the core's, then the caller's. */
    gale_header_t stack[STACK_HEADERS], *all;
    size_t count;
} answer_t;

static const gale_header_t *own_named(const answer_t *a, gale_str_t name) {
    for (size_t i = 0; i < a->own_count; i++) {
        if (gale__eq_nocase(a->own[i].name, name)) return &a->own[i];
    }
    return NULL;
}

/* The core's header, unless the caller brings one of that name. */
static void add(answer_t *a, gale_str_t name, gale_str_t value) {
    if (value.len > 0 && own_named(a, name) == NULL)
        a->all[a->count++] = (gale_header_t){name, value};
}

/* Fields of the content. */
static void add_content(answer_t *a, gale_str_t type) {
    add(a, GALE__LIT("Content-Type"), type);
    add(a, GALE__LIT("Content-Encoding"), a->rep->encoding);
    add(a, GALE__LIT("X-Content-Type-Options"), GALE__LIT("nosniff"));
}

static void add_own(answer_t *a, bool with_type) {
    for (size_t i = 0; i < a->own_count; i++) {
        if (with_type || !gale__eq_nocase(a->own[i].name, GALE__LIT("Content-Type")))
            a->all[a->count++] = a->own[i];
    }
}

/* Whether a 200 to this request would be coded for a client that asked for it: then all that is said
 * of the file varies (RFC 9110 15.3.7). */
static bool would_be_coded(answer_t *a) {
    size_t count = a->count;
    if (a->req->compress == 0) return false;
    add_content(a, a->rep->type);
    add_own(a, true);
    bool coded = gale__compress_negotiates(a->req, a->all, a->count, (int64_t)a->rep->size);
    a->count = count;
    return coded;
}

/* Fields that go with every status. */
static void add_common(answer_t *a, int status) {
    const gale__representation_t *rep = a->rep;
    add(a, GALE__LIT("ETag"), rep->etag);
    add(a, GALE__LIT("Last-Modified"), gale_str(rep->date, sizeof rep->date));
    add(a, GALE__LIT("Accept-Ranges"), GALE__LIT("bytes"));
    add(a, GALE__LIT("Cache-Control"), rep->cache_control);
    if (rep->expires != 0 && own_named(a, GALE__LIT("Cache-Control")) == NULL) {
        gale__format_date(a->expires, a->validators.now + rep->expires);
        add(a, GALE__LIT("Expires"), gale_str(a->expires, sizeof a->expires));
    }
    /* Beside what the caller's answer depends on. 200 and 304 get it where they are coded. */
    if (rep->varies || (status != 200 && status != 304 && would_be_coded(a)))
        a->all[a->count++] = (gale_header_t){GALE__LIT("Vary"), GALE__LIT("Accept-Encoding")};
}

static void find_validators(answer_t *a) {
    gale__representation_t *rep = a->rep;
    gale__validators_t *v = &a->validators;
    v->now = gale__worker_stamp(a->req->worker)->second;
    /* Never later than Date (RFC 9110 8.8.2.1). */
    if (rep->modified > v->now) rep->modified = v->now;
    gale__format_date(rep->date, rep->modified);
    const gale_header_t *etag = own_named(a, GALE__LIT("ETag"));
    v->etag = etag != NULL ? gale__trim(etag->value) : rep->etag;
    const gale_header_t *date = own_named(a, GALE__LIT("Last-Modified"));
    v->modified = rep->modified;
    if (date != NULL && !gale__parse_date(gale__trim(date->value), &v->modified))
        v->modified = INT64_MIN;
}

/* ---------------------------------------------------------------------------------------- answering */

static void close_file(const gale__representation_t *rep) {
    if (rep->fd >= 0) close(rep->fd);
}

static int answer_empty(answer_t *a, int status, gale_str_t content_range) {
    add_common(a, status);
    if (content_range.len > 0) add(a, GALE__LIT("Content-Range"), content_range);
    add_own(a, status == 304);
    close_file(a->rep);
    return gale__exchange_respond(a->req, status, a->all, a->count, gale_str(NULL, 0));
}

/* 416 (STA-08). */
static int answer_unsatisfiable(answer_t *a) {
    char text[GALE__CONTENT_RANGE];
    return answer_empty(a, 416, gale_str(text, gale__content_range(text, NULL, a->rep->size)));
}

static int answer_one(answer_t *a, int status, const gale__range_t *range) {
    char text[GALE__CONTENT_RANGE];
    add_common(a, status);
    if (status == 206)
        add(a, GALE__LIT("Content-Range"),
            gale_str(text, gale__content_range(text, range, a->rep->size)));
    add_content(a, a->rep->type);
    add_own(a, true);
    if (a->rep->content != NULL)
        return gale__exchange_respond_buf(
            a->req, status, a->all, a->count,
            gale__content_buf(a->rep->content, (size_t)range->first, (size_t)range->length));
    gale__file_part_t part = {{NULL, 0}, range->first, range->length};
    return gale__file_send(a->req, status, a->all, a->count, a->rep->fd, &part, 1, NULL,
                           status == 200 ? a->rep->keep : NULL);
}

/* A boundary that nobody can have put into the content: 128 random bits. */
static int make_boundary(char out[GALE__BOUNDARY]) {
    uint8_t bytes[GALE__BOUNDARY / 2];
    int err = uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL);
    for (size_t i = 0; i < GALE__BOUNDARY; i++)
        out[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 * 4) & 15];
    return err;
}

/* The texts around the parts, in memory of their own; the number of parts. */
static size_t lay_out(const answer_t *a, const gale__range_t *ranges, size_t count,
                      const char *boundary, gale_str_t type, gale__file_part_t *parts,
                      char **text) {
    uint64_t size = a->rep->size;
    size_t len = gale__range_end(NULL, boundary), at = 0;
    for (size_t i = 0; i < count; i++)
        len += gale__range_part(NULL, i, boundary, type, &ranges[i], size);
    char *out = *text = gale__malloc(len);
    if (out == NULL) return 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = gale__range_part(out + at, i, boundary, type, &ranges[i], size);
        parts[i] = (gale__file_part_t){gale_str(out + at, n), ranges[i].first, ranges[i].length};
        at += n;
    }
    parts[count] =
        (gale__file_part_t){gale_str(out + at, gale__range_end(out + at, boundary)), 0, 0};
    return count + 1;
}

/* 206 with several parts (RFC 9110 15.3.7.2). */
static int answer_several(answer_t *a, const gale__range_t *ranges, size_t count) {
    char type[sizeof MULTIPART + GALE__BOUNDARY] = MULTIPART, *text = NULL;
    char *boundary = type + sizeof MULTIPART - 1;
    gale__file_part_t parts[GALE__RANGES + 1];
    const gale_header_t *own = own_named(a, GALE__LIT("Content-Type"));
    int err = make_boundary(boundary);
    size_t n = err < 0 ? 0
                       : lay_out(a, ranges, count, boundary,
                                 own != NULL ? own->value : a->rep->type, parts, &text);
    if (n == 0) {
        close_file(a->rep);
        return err < 0 ? err : UV_ENOMEM;
    }
    add_common(a, 206);
    a->all[a->count++] = (gale_header_t){GALE__LIT("Content-Type"),
                                         gale_str(type, sizeof MULTIPART - 1 + GALE__BOUNDARY)};
    add(a, GALE__LIT("Content-Encoding"), a->rep->encoding);
    add(a, GALE__LIT("X-Content-Type-Options"), GALE__LIT("nosniff"));
    add_own(a, false);
    return gale__file_send(a->req, 206, a->all, a->count, a->rep->fd, parts, n, text, NULL);
}

static int answer(answer_t *a) {
    gale__representation_t *rep = a->rep;
    const gale_header_t *fields;
    size_t count = gale_req_headers(a->req, &fields);
    gale_str_t range;
    gale__range_t ranges[GALE__RANGES] = {{0, rep->size}};
    int status = gale__conditions(fields, count, &a->validators, &range);
    if (status != 0) return answer_empty(a, status, gale_str(NULL, 0));
    /* Ranges are GET's alone (RFC 9110 14.2). */
    int n =
        range.ptr == NULL || a->req->head_method ? 0 : gale__range_parse(range, rep->size, ranges);
    if (n < 0) return answer_unsatisfiable(a);
    if (n > 1) return answer_several(a, ranges, (size_t)n);
    return answer_one(a, n == 1 ? 206 : 200, ranges);
}

bool gale__file_answer_needs_fd(const gale_req_t *req) {
    gale_str_t range = gale_req_header(req, GALE__LIT("Range"));
    return range.len > 0 && memchr(range.ptr, ',', range.len) != NULL;
}

int gale__file_answer(gale_req_t *req, gale__representation_t *rep, const gale_header_t *own,
                      size_t own_count) {
    answer_t a = {.req = req, .rep = rep, .own = own, .own_count = own_count};
    a.all = a.stack;
    if (own_count > STACK_HEADERS - CORE_HEADERS) {
        bool sane = own_count < SIZE_MAX / sizeof *a.all - CORE_HEADERS;
        a.all = sane ? gale__malloc((own_count + CORE_HEADERS) * sizeof *a.all) : NULL;
        if (a.all == NULL) {
            close_file(rep);
            return UV_ENOMEM;
        }
    }
    find_validators(&a);
    int result = answer(&a);
    if (a.all != a.stack) gale__free(a.all);
    return result;
}
