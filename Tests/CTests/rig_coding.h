/* Coded responses as a client reads them, and coded requests as one sends them; for the tests of
 * both. */
#ifndef GALE_TESTS_RIG_CODING_H
#define GALE_TESTS_RIG_CODING_H

#include "coding_feed.h"
#include "rig.h"

/* Text that compresses, by its length; lives until the next call. */
const char *rig_prose(size_t len);

/* One response, out of its chunks and its coding. */
typedef struct {
    int status;
    bool chunked, whole; /* whole: chunks and coding have both come to their end */
    gale__coding_t coding;
    rig_text_t head; /* with the empty line */
    size_t wire;     /* bytes of the body before it was decoded */
    coded_t body;
} rig_answer_t;

/* Of the first response in these bytes; to be freed. `head_only`: it answers HEAD. */
rig_answer_t rig_answer(gale_str_t bytes, bool head_only);
void rig_answer_free(rig_answer_t *a);
/* Its field of that name as NUL-terminated text, "" when there is none or more than one; lives
 * until the next call. */
const char *rig_field(const rig_answer_t *a, const char *name);
/* Sends `method` for "/" with this field block ("Accept-Encoding: gzip\r\n") and gives the answer
 * after some turns. */
rig_answer_t rig_ask_for(rig_t *rig, rig_client_t *client, const char *method, const char *fields);

/* A body in a coding; to be freed. */
coded_t rig_coded(gale__coding_t coding, const void *bytes, size_t len);

#endif
