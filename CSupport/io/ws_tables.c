#include "ws_tables.h"

#include <string.h>

#include "mem.h"

/* Who has more tables than these at work shares no others: a search must not become the cost. */
enum { LOOK = 16 };

struct gale__ws_table {
    gale_ws_handler_t handler; /* first: what sockets hold */
    gale__ws_table_t *next, *prev;
    size_t users;
};

static void unlink_table(gale__ws_tables_t *t, gale__ws_table_t *table) {
    *(table->prev != NULL ? &table->prev->next : &t->first) = table->next;
    if (table->next != NULL) table->next->prev = table->prev;
}

static void put_first(gale__ws_tables_t *t, gale__ws_table_t *table) {
    table->prev = NULL;
    table->next = t->first;
    if (t->first != NULL) t->first->prev = table;
    t->first = table;
}

static gale__ws_table_t *find(const gale__ws_tables_t *t, const gale_ws_handler_t *like) {
    gale__ws_table_t *table = t->first;
    for (int i = 0; i < LOOK && table != NULL; i++, table = table->next) {
        if (memcmp(&table->handler, like, sizeof *like) == 0) return table;
    }
    return NULL;
}

const gale_ws_handler_t *gale__ws_tables_take(gale__ws_tables_t *t, const gale_ws_handler_t *like) {
    gale__ws_table_t *table = find(t, like);
    if (table != NULL) {
        unlink_table(t, table);
    } else {
        table = gale__calloc(1, sizeof *table);
        if (table == NULL) return NULL;
        table->handler = *like;
    }
    put_first(t, table);
    table->users++;
    return &table->handler;
}

void gale__ws_tables_drop(gale__ws_tables_t *t, const gale_ws_handler_t *handler) {
    gale__ws_table_t *table = (gale__ws_table_t *)handler;
    if (table == NULL || --table->users > 0) return;
    unlink_table(t, table);
    gale__free(table);
}
