/* The pages: HTML files with {{slots}}, read once. */
#ifndef CHAT_PAGE_H
#define CHAT_PAGE_H

#include "text.h"

typedef enum { PAGE_LOGIN, PAGE_ROOM } page_t;

/* What goes where the file says {{name}}. Text is escaped, unless it is HTML that was made from
 * escaped text. */
typedef struct {
    const char *name, *text;
    bool is_html;
} slot_t;

/* Reads the files in `folder`; else the name of the one that cannot be read. */
const char *pages_open(const char *folder);
void pages_close(void);
/* Writes a page; a slot that is not among `slots` stays empty. */
void page_write(text_t *out, page_t page, const slot_t *slots, size_t count);

#endif
