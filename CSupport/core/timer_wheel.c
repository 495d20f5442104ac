/*
 * Hashed timer wheel: 512 slots of 64 ms, each a ring of entries, and one bit a slot that says
 * whether it is empty.
 *
 * An entry whose deadline lies D ms ahead stands in the slot of tick ceil(D / 64), so that it never
 * fires early and at most one tick late. What lies beyond one turn of the wheel (32.8 s) stands in
 * the last slot ahead and is put on again when that comes due. So a slot never holds entries of two
 * turns, and the bits alone tell the next tick at which there is something to do. Every entry in
 * the wheel has tick < slot_tick <= tick + 512.
 */
#include "timer_wheel.h"

enum { WORDS = GALE__WHEEL_SLOTS / 64 };

/* First tick at which the deadline has passed. Written without a sum that could overflow. */
static uint64_t tick_of(uint64_t deadline_ms) {
    return deadline_ms / GALE__WHEEL_TICK_MS + (deadline_ms % GALE__WHEEL_TICK_MS != 0);
}

/* Puts an entry that is in no slot into the one for `tick`, or the nearest that the wheel
 * has now. */
static void link_entry(gale__wheel_t *w, gale__wheel_entry_t *e, uint64_t tick) {
    if (tick <= w->tick) tick = w->tick + 1;
    if (tick > w->tick + GALE__WHEEL_SLOTS) tick = w->tick + GALE__WHEEL_SLOTS;
    size_t slot = tick % GALE__WHEEL_SLOTS;
    gale__wheel_entry_t *head = &w->slots[slot];
    e->slot_tick = tick;
    e->next = head;
    e->prev = head->prev;
    head->prev->next = e;
    head->prev = e;
    w->occupied[slot / 64] |= (uint64_t)1 << slot % 64;
    w->count++;
}

static void unlink_entry(gale__wheel_t *w, gale__wheel_entry_t *e) {
    size_t slot = e->slot_tick % GALE__WHEEL_SLOTS;
    e->prev->next = e->next;
    e->next->prev = e->prev;
    e->next = NULL;
    e->prev = NULL;
    if (w->slots[slot].next == &w->slots[slot])
        w->occupied[slot / 64] &= ~((uint64_t)1 << slot % 64);
    w->count--;
}

void gale__wheel_init(gale__wheel_t *w, uint64_t now_ms) {
    *w = (gale__wheel_t){.tick = now_ms / GALE__WHEEL_TICK_MS};
    for (size_t i = 0; i < GALE__WHEEL_SLOTS; i++) {
        w->slots[i].next = &w->slots[i];
        w->slots[i].prev = &w->slots[i];
    }
}

void gale__wheel_set(gale__wheel_t *w, gale__wheel_entry_t *e, uint64_t deadline_ms) {
    if (deadline_ms == 0) {
        gale__wheel_remove(w, e);
        return;
    }
    uint64_t tick = tick_of(deadline_ms);
    e->deadline = deadline_ms;
    if (e->next != NULL) {
        if (tick >= e->slot_tick)
            return; /* the usual case: it is looked at when its slot comes due */
        unlink_entry(w, e);
    }
    link_entry(w, e, tick);
}

void gale__wheel_remove(gale__wheel_t *w, gale__wheel_entry_t *e) {
    if (e->next != NULL) unlink_entry(w, e);
    e->deadline = 0;
}

/* The first tick after w->tick whose slot holds something; the wheel is not empty. */
static uint64_t next_tick(const gale__wheel_t *w) {
    size_t start = (w->tick + 1) % GALE__WHEEL_SLOTS;
    size_t word = start / 64;
    uint64_t bits = w->occupied[word] & (~(uint64_t)0 << start % 64);
    for (size_t i = 0; bits == 0 && i < WORDS;
         i++) { /* the first word is seen twice: whole at last */
        word = (word + 1) % WORDS;
        bits = w->occupied[word];
    }
    if (bits == 0) return UINT64_MAX;
    size_t slot = word * 64 + (size_t)__builtin_ctzll(bits);
    return w->tick + 1 + (slot - start) % GALE__WHEEL_SLOTS;
}

gale__wheel_entry_t *gale__wheel_expired(gale__wheel_t *w, uint64_t now_ms) {
    uint64_t now_tick = now_ms / GALE__WHEEL_TICK_MS;
    while (w->count > 0) {
        uint64_t tick = next_tick(w);
        if (tick > now_tick) break;
        w->tick = tick - 1; /* this slot is being emptied: it counts as fired only when it is */
        gale__wheel_entry_t *head = &w->slots[tick % GALE__WHEEL_SLOTS], *e;
        while ((e = head->next) != head) {
            unlink_entry(w, e);
            if (tick_of(e->deadline) <= now_tick) {
                e->deadline = 0;
                return e;
            }
            /* Moved meanwhile, or beyond one turn. Never this slot again: the tick is later. */
            link_entry(w, e, tick_of(e->deadline));
        }
        w->tick = tick;
    }
    if (now_tick > w->tick) w->tick = now_tick;
    return NULL;
}

int64_t gale__wheel_next(const gale__wheel_t *w, uint64_t now_ms) {
    if (w->count == 0) return -1;
    uint64_t at = next_tick(w) * GALE__WHEEL_TICK_MS;
    return at > now_ms ? (int64_t)(at - now_ms) : 0;
}
