/* A field or file of a form: what its head says, and its bytes if they are kept. */
#ifndef GALE_IO_FORM_PART_H
#define GALE_IO_FORM_PART_H

#include <stdbool.h>

#include "multipart.h"
#include "spool.h"

struct gale_part_s {
    gale_part_t *next; /* of the kept ones */
    gale_form_t *form;
    gale_str_t name, filename, type;
    uint64_t size;
    gale__gathered_t mem;
    gale__spool_t *spool; /* null: in memory */
    uint8_t fate;         /* GALE_PART_* */
    bool ended;
    uint32_t header_count;
    gale_header_t headers[];
};

/* Copies what the head says; null without memory. */
gale_part_t *gale__part_new(const gale__part_head_t *head);
/* With its temporary file. Null is allowed. */
void gale__part_free(gale_part_t *p);
static inline bool gale__part_is_file(const gale_part_t *p) {
    return p->filename.len > 0;
}
/* Adds bytes to those in memory. */
bool gale__part_append(gale_part_t *p, gale_str_t bytes);

/* As in gale.h. */
int gale__part_take_fd(gale_part_t *p);
int gale__part_save(gale_part_t *p, const char *path);

#endif
