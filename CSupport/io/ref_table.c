#include "ref_table.h"

#include "mem.h"

/* Bits of a reference: slot 24, worker 10, generation 30. Slot 0 is never given out, so {0} is
 * never valid. */
enum { SLOT_BITS = 24, WORKER_BITS = 10 };
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
#define WORKER_MASK ((1u << WORKER_BITS) - 1)
#define GENERATION_MASK ((1u << 30) - 1)

static uint32_t slot_of(gale_ref_t ref) {
    return (uint32_t)ref.bits & SLOT_MASK;
}
static uint32_t generation_of(gale_ref_t ref) {
    return (uint32_t)(ref.bits >> (SLOT_BITS + WORKER_BITS)) & GENERATION_MASK;
}
uint32_t gale__ref_worker(gale_ref_t ref) {
    return (uint32_t)(ref.bits >> SLOT_BITS) & WORKER_MASK;
}

/* Chunk c holds FIRST << c slots, so that slot numbers map to chunks without a table that moves. */
static uint32_t chunk_of(uint32_t index, uint32_t *offset) {
    uint32_t shifted = index / GALE__REF_FIRST + 1;
    uint32_t chunk = 31u - (uint32_t)__builtin_clz(shifted);
    *offset = index - ((1u << chunk) - 1) * GALE__REF_FIRST;
    return chunk;
}

static gale__ref_slot_t *slot_at(gale__ref_table_t *t, uint32_t slot) {
    uint32_t offset, chunk = chunk_of(slot - 1, &offset);
    if (slot == 0 || chunk >= GALE__REF_CHUNKS) return NULL;
    gale__ref_slot_t *base = atomic_load_explicit(&t->chunks[chunk], memory_order_acquire);
    return base == NULL ? NULL : base + offset;
}

static uint32_t slot_fresh(gale__ref_table_t *t) {
    uint32_t offset, chunk = chunk_of(t->used, &offset);
    if (chunk >= GALE__REF_CHUNKS || t->used + 1 > SLOT_MASK) return 0;
    if (atomic_load_explicit(&t->chunks[chunk], memory_order_relaxed) == NULL) {
        gale__ref_slot_t *base =
            gale__calloc((size_t)GALE__REF_FIRST << chunk, sizeof(gale__ref_slot_t));
        if (base == NULL) return 0;
        atomic_store_explicit(&t->chunks[chunk], base, memory_order_release);
    }
    return ++t->used;
}

static gale_ref_t make_ref(gale__ref_table_t *t, uint32_t slot, uint32_t generation) {
    uint64_t bits = (uint64_t)(generation & GENERATION_MASK) << (SLOT_BITS + WORKER_BITS);
    return (gale_ref_t){bits | (uint64_t)t->worker << SLOT_BITS | slot};
}

gale_ref_t gale__ref_take(gale__ref_table_t *t, void *object, int kind, uint32_t *slot) {
    uint32_t s = t->free_head;
    if (s != 0) {
        t->free_head = slot_at(t, s)->next_free;
    } else if ((s = slot_fresh(t)) == 0) {
        return (gale_ref_t){0};
    }
    gale__ref_slot_t *entry = slot_at(t, s);
    uint32_t generation = atomic_load_explicit(&entry->generation, memory_order_relaxed) + 1;
    entry->object = object;
    entry->kind = kind;
    atomic_store_explicit(&entry->generation, generation, memory_order_release);
    *slot = s;
    return make_ref(t, s, generation);
}

gale_ref_t gale__ref_again(gale__ref_table_t *t, uint32_t slot) {
    gale__ref_slot_t *entry = slot_at(t, slot);
    return make_ref(t, slot, atomic_load_explicit(&entry->generation, memory_order_relaxed));
}

void gale__ref_drop(gale__ref_table_t *t, uint32_t slot) {
    gale__ref_slot_t *entry = slot_at(t, slot);
    uint32_t generation = atomic_load_explicit(&entry->generation, memory_order_relaxed);
    atomic_store_explicit(&entry->generation, generation + 1, memory_order_release);
    entry->object = NULL;
    entry->next_free = t->free_head;
    t->free_head = slot;
}

bool gale__ref_alive(gale__ref_table_t *t, gale_ref_t ref) {
    gale__ref_slot_t *entry = slot_of(ref) == 0 ? NULL : slot_at(t, slot_of(ref));
    if (entry == NULL) return false;
    uint32_t now = atomic_load_explicit(&entry->generation, memory_order_acquire);
    return (now & 1) != 0 && (now & GENERATION_MASK) == generation_of(ref);
}

void *gale__ref_get(gale__ref_table_t *t, gale_ref_t ref, int kind) {
    if (!gale__ref_alive(t, ref)) return NULL;
    gale__ref_slot_t *entry = slot_at(t, slot_of(ref));
    return entry->kind == kind ? entry->object : NULL;
}

void gale__ref_table_clear(gale__ref_table_t *t) {
    for (int i = 0; i < GALE__REF_CHUNKS; i++) {
        gale__free(atomic_load_explicit(&t->chunks[i], memory_order_relaxed));
        atomic_store_explicit(&t->chunks[i], NULL, memory_order_relaxed);
    }
    t->used = t->free_head = 0;
}
