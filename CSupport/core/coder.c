#include "coder.h"

#include "mem.h"

enum { KEEP = 32 }; /* more blocks than any of the libraries holds at a time */

/* In front of each block; its size keeps what follows aligned for everything. */
struct gale__coder_block {
    gale__coder_block_t *next, *prev; /* prev: of live ones only */
    size_t size;
    size_t unused;
};
_Static_assert(sizeof(gale__coder_block_t) % 16 == 0, "what follows must be aligned");

void gale__coder_heap_init(gale__coder_heap_t *heap, gale__budget_t *budget) {
    *heap = (gale__coder_heap_t){.budget = budget};
}

/* A kept block that fits without wasting more than a quarter. */
static gale__coder_block_t *take_kept(gale__coder_heap_t *heap, size_t size) {
    for (gale__coder_block_t **at = &heap->kept; *at != NULL; at = &(*at)->next) {
        gale__coder_block_t *b = *at;
        if (b->size < size || b->size - size > b->size / 4) continue;
        *at = b->next;
        heap->kept_count--;
        return b;
    }
    return NULL;
}

static bool may_take(const gale__coder_heap_t *heap, size_t size) {
    const gale__budget_t *budget = heap->budget;
    return budget->used <= budget->limit && size <= budget->limit - budget->used;
}

static void *hand_out(gale__coder_heap_t *heap, gale__coder_block_t *b) {
    b->prev = NULL;
    b->next = heap->live;
    if (b->next != NULL) b->next->prev = b;
    heap->live = b;
    return b + 1;
}

void *gale__coder_alloc(gale__coder_heap_t *heap, size_t size) {
    gale__coder_block_t *b = take_kept(heap, size);
    if (b != NULL) return hand_out(heap, b);
    if (size <= SIZE_MAX - sizeof *b && may_take(heap, size + sizeof *b)) {
        b = gale__malloc(sizeof *b + size);
    }
    if (b == NULL) {
        heap->starved = true;
        return NULL;
    }
    b->size = size;
    heap->bytes += size + sizeof *b;
    heap->budget->used += size + sizeof *b;
    return hand_out(heap, b);
}

static void free_block(gale__coder_heap_t *heap, gale__coder_block_t *b) {
    heap->bytes -= b->size + sizeof *b;
    heap->budget->used -= b->size + sizeof *b;
    gale__free(b);
}

void gale__coder_release(gale__coder_heap_t *heap, void *p) {
    if (p == NULL) return;
    gale__coder_block_t *b = (gale__coder_block_t *)p - 1;
    if (b->next != NULL) b->next->prev = b->prev;
    if (b->prev != NULL) b->prev->next = b->next;
    if (heap->live == b) heap->live = b->next;
    if (heap->kept_count >= KEEP) {
        free_block(heap, b);
        return;
    }
    b->next = heap->kept;
    heap->kept = b;
    heap->kept_count++;
}

static void free_list(gale__coder_heap_t *heap, gale__coder_block_t *b) {
    while (b != NULL) {
        gale__coder_block_t *next = b->next;
        free_block(heap, b);
        b = next;
    }
}

void gale__coder_heap_clear(gale__coder_heap_t *heap) {
    free_list(heap, heap->live);
    free_list(heap, heap->kept);
    heap->live = heap->kept = NULL;
    heap->kept_count = 0;
    heap->starved = false;
}

bool gale__coder_heap_claim(gale__coder_heap_t *heap, size_t bytes) {
    heap->budget->used += bytes;
    heap->budget->used -= heap->bytes;
    heap->bytes = bytes;
    return heap->budget->used <= heap->budget->limit;
}
