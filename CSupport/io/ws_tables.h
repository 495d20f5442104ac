/* The callbacks of a worker's WebSockets. A program has a few tables of them and thousands of
 * sockets, which share those that are alike. */
#ifndef GALE_IO_WS_TABLES_H
#define GALE_IO_WS_TABLES_H

#include "gale.h"

typedef struct gale__ws_table gale__ws_table_t;

/* A worker's; begins as {0}, and is empty again when all sockets are gone. */
typedef struct {
    gale__ws_table_t *first;
} gale__ws_tables_t;

/* A table like this one, to be given back once; null without memory. */
const gale_ws_handler_t *gale__ws_tables_take(gale__ws_tables_t *t, const gale_ws_handler_t *like);
/* Null is allowed. */
void gale__ws_tables_drop(gale__ws_tables_t *t, const gale_ws_handler_t *table);

#endif
