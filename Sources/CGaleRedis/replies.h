/* hiredis' reader with bounds: what a peer may make it keep. */
#ifndef GALE_REDIS_REPLIES_H
#define GALE_REDIS_REPLIES_H

#include <hiredis/hiredis.h>

#include "wire.h"

/* hiredis 1.0 counts elements in size_t, and its reader's stack grows as a peer likes. */
#if HIREDIS_MAJOR >= 1
typedef size_t gale__elements_t;
#else
typedef int gale__elements_t;
#endif

typedef struct {
    redisReader *reader;
    redisReplyObjectFunctions functions; /* the reader's own but for arrays */
    void *(*array)(const redisReadTask *task, gale__elements_t elements);
    gale_wire_limits_t limits;
    size_t fed;      /* bytes since the last complete reply */
    size_t elements; /* of arrays since then */
    const char *too; /* the limit that was passed, in words */
} gale__replies_t;

/* False: no memory. */
bool gale__replies_init(gale__replies_t *r, gale_wire_limits_t limits);
void gale__replies_clear(gale__replies_t *r);

/* Takes bytes. False: gale__replies_error. */
bool gale__replies_feed(gale__replies_t *r, const char *bytes, size_t len);

/* 1 and a reply, 0 when none is complete, -1: gale__replies_error. */
int gale__replies_next(gale__replies_t *r, redisReply **out);

/* What is wrong with what came. */
const char *gale__replies_error(const gale__replies_t *r);

#endif
