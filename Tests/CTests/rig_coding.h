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

/* Everything the client has got so far, decoded; nothing is taken away. */
rig_answer_t rig_so_far(rig_client_t *client);
/* gale_resp_write of a text, which must be taken. */
void rig_write(gale_req_t *req, const char *text);
/* All of a worker's encoders and decoders have come back, and hold no more than those kept. */
void rig_check_coders(rig_t *rig);

/* What the handler answers with; the test's to set. */
typedef struct {
    int status;
    gale_header_t fields[4];
    size_t field_count;
    const char *body;
    size_t len;
    bool owned;
    unsigned freed;
    int result; /* of the answer */
} rig_page_t;

void rig_page_answer(rig_t *rig, gale_req_t *req);
/* 200, text/html, a text of this length. */
rig_page_t rig_page(size_t len);
void rig_page_field(rig_page_t *p, const char *name, const char *value);
/* A rig that compresses, with a client; page may be null: no answers. Closes both; checks the
 * coders. */
void rig_compressing(rig_t *rig, rig_client_t *client, rig_page_t *page, uint32_t codings);
void rig_compressed(rig_t *rig, rig_client_t *client);
void rig_check_body(const rig_answer_t *a, const rig_page_t *p);

/* A body in a coding; to be freed. */
coded_t rig_coded(gale__coding_t coding, const void *bytes, size_t len);

/* What the handler of rig_decoding saw of its request, and is to do with it. */
typedef struct {
    char consumed[60], left[60], length[20]; /* fields */
    int64_t content_length;
    bool has_body;
    rig_text_t body; /* collected ones */
    size_t largest;  /* piece of a streamed one */
    bool pause, was_paused;
    bool early; /* answers with the first piece */
    uint64_t max_body, collect;
} rig_seen_t;

/* A rig that decodes all codings, not opened yet; its handler answers with 200 when it has the
 * whole body. */
void rig_decoding(rig_t *rig, rig_seen_t *seen, bool streaming);
void rig_open_client(rig_t *rig, rig_client_t *client);
/* Closes both; checks that no decoder was lost. */
void rig_decoded(rig_t *rig, rig_client_t *client);
/* A request with this body, plain or in chunks of `chunk` bytes (0: none). */
void rig_add_post(rig_text_t *to, const char *fields, const coded_t *body, size_t chunk);
/* Sends it and gives the status. */
int rig_post(rig_t *rig, rig_client_t *client, const char *fields, const coded_t *body,
             size_t chunk);
bool rig_is(const rig_text_t *got, const char *want, size_t len);

#endif
