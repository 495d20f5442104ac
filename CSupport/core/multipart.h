/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1) as it arrives: bytes in, events out. The parser
 * keeps no bytes but the header block of one part, in the caller's memory; data is given as slices
 * of the input. All limits hold while parsing (HU-14 ... HU-18).
 */
#ifndef GALE_CORE_MULTIPART_H
#define GALE_CORE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gale.h"

enum {
    GALE__BOUNDARY_MAX = 70,        /* RFC 2046 5.1.1 */
    GALE__PART_HEADERS = 16,        /* lines a part may have at most */
    GALE__PART_HEADER_BYTES = 10240 /* HU-15 */
};

/* 0 allows none. */
typedef struct {
    uint32_t max_parts;
    uint32_t max_header_bytes; /* of a part, with its line ends */
    uint32_t max_headers;      /* lines of a part; at most GALE__PART_HEADERS */
    uint64_t max_part_bytes;
    uint64_t max_bytes; /* of all */
} gale__multipart_limits_t;

/* What the headers of a part say. Slices of the parser's room: until the next part begins. */
typedef struct {
    gale_str_t name;         /* never empty */
    gale_str_t filename;     /* empty: a plain field (HU-14) */
    gale_str_t content_type; /* ptr null when there is none */
    gale_header_t headers[GALE__PART_HEADERS];
    uint32_t header_count;
} gale__part_head_t;

typedef struct {
    gale__multipart_limits_t limits;
    gale__part_head_t part;
    const char *error; /* after GALE__MULTIPART_ERROR; static */
    int status;        /* to answer with then: 400 or 413 */
    char *room;
    uint32_t room_len, line; /* header bytes of this part; where their last line begins */
    uint32_t parts;
    uint64_t part_bytes, bytes;
    uint8_t state;
    uint8_t matched; /* bytes of the delimiter that were seen and may still turn out to be data */
    uint8_t unreal;  /* of these, those that were never sent as data: the CRLF of the line before */
    uint8_t delimiter_len;
    bool in_part;
    char delimiter[4 + GALE__BOUNDARY_MAX]; /* CRLF "--" boundary */
} gale__multipart_t;

enum {
    GALE__MULTIPART_ERROR = -1,
    GALE__MULTIPART_MORE = 0,
    GALE__MULTIPART_PART = 1, /* m->part is set */
    GALE__MULTIPART_DATA = 2,
    GALE__MULTIPART_PART_END = 3,
    GALE__MULTIPART_END = 4 /* from gale__multipart_finish alone */
};

/* Bytes the room must have. */
static inline size_t gale__multipart_room(const gale__multipart_limits_t *limits) {
    return (size_t)limits->max_header_bytes * 2; /* as they came, and name and file name decoded */
}
/* 1-70 bchars, the last no blank (RFC 2046 5.1.1). */
bool gale__is_boundary(gale_str_t boundary);
/* The boundary must be one. `room` may not move as long as the parser is used. */
void gale__multipart_init(gale__multipart_t *m, const gale__multipart_limits_t *limits,
                          gale_str_t boundary, char *room);
/* The next event of the bytes from *pos on. DATA: *data lives as long as the input and the parser.
 * What follows the final boundary is passed over. To be called until it gives MORE (then all bytes are taken) or ERROR (which it gives for ever
 * after). */
int gale__multipart_next(gale__multipart_t *m, gale_str_t bytes, size_t *pos, gale_str_t *data);
/* The bytes have ended: END, or ERROR when the final boundary has not come. */
int gale__multipart_finish(gale__multipart_t *m);

#endif
