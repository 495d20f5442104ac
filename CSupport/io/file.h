/*
 * A file as a response body: pieces of it, and what stands between them, from an open descriptor to
 * the client with back-pressure.
 */
#ifndef GALE_IO_FILE_H
#define GALE_IO_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "files_cache.h"
#include "gale.h"

/* Bytes of the file behind a text; either may be empty. */
typedef struct {
    gale_str_t before;
    uint64_t offset, length;
} gale__file_part_t;

/* A whole response whose body is these parts. Takes fd, and `text`, which the parts' texts lie in;
 * also on error. `keep`: the one part is the whole of this file, which may be kept in memory when it
 * had to be read. */
int gale__file_send(gale_req_t *r, int status, const gale_header_t *h, size_t n, int fd,
                    const gale__file_part_t *parts, size_t count, char *text,
                    const gale__file_keep_t *keep);

/* From the connection as it settles, for a request with a file. The first comes before what is
 * corked is sent, and sends it along with the file where the transport can; true when the response
 * is complete. The second comes when there is room for more: it has the next piece read. */
bool gale__file_push(gale_req_t *r);
void gale__file_drain(gale_req_t *r);
/* The request ends first. */
void gale__file_cancel(gale_req_t *r);

/* Bytes that are not sent yet; whether they wait for the client to take some. */
uint64_t gale__file_left(const gale_req_t *r);
bool gale__file_waits(const gale_req_t *r);

#endif
