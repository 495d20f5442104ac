#include "replies.h"

#include <string.h>

/* The longest line of the protocol: a status or an error. Lengths and numbers are much shorter, but
 * for the reader they are lines as well. */
#define MAX_LINE 65536
/* "-9223372036854775808\r\n", and some zeros. */
#define MAX_NUMBER 32

/* Arrays in arrays: what walks a reply, hiredis' own functions too, calls itself for each. */
#define MAX_DEPTH 7

static bool too_deep(const redisReadTask *task) {
    int depth = 1;
    while (task->parent != NULL && depth <= MAX_DEPTH) {
        task = task->parent;
        depth++;
    }
    return depth > MAX_DEPTH;
}

/* An array of so many elements costs memory before they have come. */
static void *bounded_array(const redisReadTask *task, gale__elements_t elements) {
    gale__replies_t *r = task->privdata;
    if (task->type != REDIS_REPLY_ARRAY) { /* of the third version of the protocol */
        r->too = "a reply is of a kind that was not asked for";
        return NULL;
    }
    if (too_deep(task)) {
        r->too = "a reply has too many arrays within each other";
        return NULL;
    }
    if (elements > 0) {
        if ((size_t)elements > r->limits.elements - r->elements) {
            r->too = "a reply has too many elements";
            return NULL;
        }
        r->elements += (size_t)elements;
    }
    return r->array(task, elements);
}

bool gale__replies_init(gale__replies_t *r, gale_wire_limits_t limits) {
    memset(r, 0, sizeof *r);
    r->limits = limits;
    r->reader = redisReaderCreate();
    if (r->reader == NULL) return false;
    r->functions = *r->reader->fn;
    r->array = r->functions.createArray;
    r->functions.createArray = bounded_array;
    r->reader->fn = &r->functions;
    r->reader->privdata = r;
    return true;
}

void gale__replies_clear(gale__replies_t *r) {
    if (r->reader != NULL) redisReaderFree(r->reader);
    r->reader = NULL;
}

bool gale__replies_feed(gale__replies_t *r, const char *bytes, size_t len) {
    r->fed += len;
    return redisReaderFeed(r->reader, bytes, len) == REDIS_OK;
}

/* What the reader is in the middle of; ridx is not negative. */
static int kind_begun(const redisReader *reader) {
#if HIREDIS_MAJOR >= 1
    return reader->task[reader->ridx]->type;
#else
    return reader->rstack[reader->ridx].type;
#endif
}

/* The reader looks for the end of a line from its start each time, so that a line without an end
 * would cost the square of its length. */
static bool line_too_long(const redisReader *reader) {
    size_t rest = reader->len - reader->pos;
    if (reader->ridx < 0 || rest <= MAX_NUMBER) return false;
    const char *start = reader->buf + reader->pos;
    int type = kind_begun(reader);
    if (type == REDIS_REPLY_STATUS || type == REDIS_REPLY_ERROR) return rest > MAX_LINE;
    return type > 0 && memchr(start, '\n', MAX_NUMBER) == NULL;
}

int gale__replies_next(gale__replies_t *r, redisReply **out) {
    void *reply = NULL;
    if (r->too != NULL || redisReaderGetReply(r->reader, &reply) != REDIS_OK) return -1;
    if (reply != NULL) {
        r->fed = r->reader->len - r->reader->pos;
        r->elements = 0;
        *out = reply;
        return 1;
    }
    if (r->fed > r->limits.bytes) r->too = "a reply is too large";
    if (line_too_long(r->reader)) r->too = "a line of a reply is too long";
    return r->too != NULL ? -1 : 0;
}

const char *gale__replies_error(const gale__replies_t *r) {
    return r->too != NULL ? r->too : r->reader->errstr;
}

/* -------------------------------------------------------------------------------------- replies */

static const redisReply *of(const gale_reply_t *reply) {
    return (const redisReply *)reply;
}

gale_reply_kind_t gale_reply_kind(const gale_reply_t *reply) {
    switch (of(reply)->type) {
    case REDIS_REPLY_STRING:
        return GALE_REPLY_STRING;
    case REDIS_REPLY_ARRAY:
        return GALE_REPLY_ARRAY;
    case REDIS_REPLY_INTEGER:
        return GALE_REPLY_INTEGER;
    case REDIS_REPLY_STATUS:
        return GALE_REPLY_STATUS;
    case REDIS_REPLY_ERROR:
        return GALE_REPLY_ERROR;
    default:
        return GALE_REPLY_NULL;
    }
}

long long gale_reply_integer(const gale_reply_t *reply) {
    return of(reply)->integer;
}

const char *gale_reply_bytes(const gale_reply_t *reply, size_t *len) {
    *len = of(reply)->str != NULL ? of(reply)->len : 0;
    return of(reply)->str;
}

size_t gale_reply_count(const gale_reply_t *reply) {
    return of(reply)->type == REDIS_REPLY_ARRAY ? of(reply)->elements : 0;
}

const gale_reply_t *gale_reply_at(const gale_reply_t *reply, size_t index) {
    if (index >= gale_reply_count(reply)) return NULL;
    return (const gale_reply_t *)of(reply)->element[index];
}

void gale_reply_free(gale_reply_t *reply) {
    freeReplyObject(reply);
}
