/*
 * What a gale_ref_t names: a slot of a worker and the generation the slot had. Slots are taken and
 * given back on the loop thread; any thread may ask whether a generation still stands, so that a
 * stale reference is refused at once.
 */
#ifndef GALE_IO_REF_TABLE_H
#define GALE_IO_REF_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__REF_REQ = 1, GALE__REF_WS = 2, GALE__REF_TUNNEL = 3 };
enum {
    GALE__REF_CHUNKS = 18,
    GALE__REF_FIRST = 64
}; /* 64 slots, then 128, 256 ...: 16 million in all */

typedef struct {
    _Atomic uint32_t generation; /* odd while the slot is in use */
    uint32_t next_free;
    void *object;
    int kind;
} gale__ref_slot_t;

typedef struct {
    _Atomic(gale__ref_slot_t *) chunks[GALE__REF_CHUNKS]; /* never move: other threads read them */
    uint32_t worker;
    uint32_t used;      /* slots ever taken; slot numbers begin at 1 */
    uint32_t free_head; /* 0: none */
} gale__ref_table_t;

/* Loop. A reference to `object`, or {0} without memory; *slot is for gale__ref_drop. */
gale_ref_t gale__ref_take(gale__ref_table_t *t, void *object, int kind, uint32_t *slot);
/* Loop. The reference of a slot that was taken before. */
gale_ref_t gale__ref_again(gale__ref_table_t *t, uint32_t slot);
/* Loop. Every reference to the slot is stale from now on. */
void gale__ref_drop(gale__ref_table_t *t, uint32_t slot);
/* Any thread. */
bool gale__ref_alive(gale__ref_table_t *t, gale_ref_t ref);
/* Loop. The object, or null when it is gone or of another kind. */
void *gale__ref_get(gale__ref_table_t *t, gale_ref_t ref, int kind);
uint32_t gale__ref_worker(gale_ref_t ref);
void gale__ref_table_clear(gale__ref_table_t *t);

#endif
