/* A representation as the answer to GET or HEAD: conditions, ranges, the fields of each status. */
#ifndef GALE_IO_FILE_ANSWER_H
#define GALE_IO_FILE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "date.h"
#include "files_cache.h"
#include "gale.h"

enum { GALE__ETAG_LEN = 40 };

typedef struct {
    int fd;                        /* of a regular file; -1: there is content */
    gale__content_t *content;      /* all of it; borrowed */
    const gale__file_keep_t *keep; /* as gale__file_send wants it; null: no */
    uint64_t size;
    int64_t modified; /* Unix time */
    char date[GALE__DATE_LEN];
    char etag_text[GALE__ETAG_LEN];
    gale_str_t etag;
    gale_str_t type;          /* empty: none is sent */
    gale_str_t encoding;      /* Content-Encoding; empty: none */
    gale_str_t cache_control; /* empty: none is sent */
    uint32_t expires;         /* seconds from now; 0: not sent */
    bool varies;              /* by Accept-Encoding */
} gale__representation_t;

/* Fills in what fstat tells; the rest stays zero. */
void gale__representation_init(gale__representation_t *rep, int fd, const struct stat *st);

/* Whether content in memory will not do: several ranges are sent from the file. */
bool gale__file_answer_needs_fd(const gale_req_t *req);
/* 200, 206, 304, 412 or 416. `own` headers take the place of the core's of the same name, and own
 * validators are what conditions are about. Takes rep->fd, also on error. */
int gale__file_answer(gale_req_t *req, gale__representation_t *rep, const gale_header_t *own,
                      size_t own_count);

#endif
