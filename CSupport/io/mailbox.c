#include "mailbox.h"

#include <uv.h>

#include "gale.h"
#include "mem.h"

/* Stands at the head of a closed box; never read. */
static gale__letter_t closed;

int gale__mailbox_post(gale__mailbox_t *m, void (*fn)(void *arg), void *arg) {
    gale__letter_t *letter = gale__malloc(sizeof *letter);
    if (letter == NULL) return UV_ENOMEM;
    letter->fn = fn;
    letter->arg = arg;
    gale__letter_t *head = atomic_load_explicit(&m->head, memory_order_relaxed);
    do {
        if (head == &closed) {
            gale__free(letter);
            return GALE_EGONE;
        }
        letter->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&m->head, &head, letter, memory_order_release,
                                                    memory_order_acquire));
    return head == NULL;
}

static void run_all(gale__letter_t *stack) {
    gale__letter_t *queue = NULL;
    while (stack != NULL) {
        gale__letter_t *next = stack->next;
        stack->next = queue;
        queue = stack;
        stack = next;
    }
    while (queue != NULL) {
        gale__letter_t letter = *queue;
        gale__free(queue);
        queue = letter.next;
        letter.fn(letter.arg);
    }
}

void gale__mailbox_run(gale__mailbox_t *m) {
    run_all(atomic_exchange_explicit(&m->head, NULL, memory_order_acquire));
}

void gale__mailbox_close(gale__mailbox_t *m) {
    /* Letters may post further letters: closed only when a look finds the box empty. */
    for (;;) {
        gale__letter_t *empty = NULL;
        if (atomic_compare_exchange_strong(&m->head, &empty, &closed)) return;
        if (empty == &closed) return;
        gale__mailbox_run(m);
    }
}
