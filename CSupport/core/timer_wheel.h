/*
 * Hashed timer wheel: one deadline an entry, O(1) to set, move and remove, no allocation, no clock
 * of its own. Made for timeouts that nearly always move before they fire: moving a deadline later
 * only stores it; the entry is put in its new slot when its old one comes due.
 */
#ifndef GALE_CORE_TIMER_WHEEL_H
#define GALE_CORE_TIMER_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "gale.h"

enum { GALE__WHEEL_SLOTS = 512, GALE__WHEEL_TICK_MS = 64 };

typedef struct gale__wheel_entry {
    struct gale__wheel_entry *next, *prev; /* null when in no slot */
    uint64_t deadline;                     /* ms; 0: none */
    uint64_t slot_tick;                    /* tick of the slot it stands in */
} gale__wheel_entry_t;

typedef struct {
    gale__wheel_entry_t slots[GALE__WHEEL_SLOTS]; /* list heads */
    uint64_t occupied[GALE__WHEEL_SLOTS / 64];    /* bit a slot */
    uint64_t tick;                                /* up to which all is fired */
    size_t count;
} gale__wheel_t;

void gale__wheel_init(gale__wheel_t *w, uint64_t now_ms);
/* Sets or moves a deadline. Entries start zeroed. */
void gale__wheel_set(gale__wheel_t *w, gale__wheel_entry_t *e, uint64_t deadline_ms);
void gale__wheel_remove(gale__wheel_t *w, gale__wheel_entry_t *e);
/* Takes out and returns an entry whose deadline is at or before now, else null. Call until null.
 * Entries whose deadline had moved are put in their new slots on the way. Never later than one tick
 * after the deadline, never before it. */
gale__wheel_entry_t *gale__wheel_expired(gale__wheel_t *w, uint64_t now_ms);
/* Milliseconds until the wheel wants to be looked at again; -1 when it is empty. */
int64_t gale__wheel_next(const gale__wheel_t *w, uint64_t now_ms);

#endif
