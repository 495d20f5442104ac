#include "mailbox.h"

#include <pthread.h>
#include <uv.h>

#include "gale.h"
#include "mem.h"

/* How often what letters post while the box closes is run; one that posts itself for ever must not
 * keep the worker. */
enum { LAST_ROUNDS = 1000 };

/* Stands at the head of a closed box; never read. */
static gale__letter_t closed;

/* The box is closed to other threads; letters that are being run may still post. */
static int post_late(gale__mailbox_t *m, gale__letter_t *letter) {
    if (atomic_load(&m->closer) != (uintptr_t)pthread_self()) return GALE_EGONE;
    letter->next = m->last;
    m->last = letter;
    return 0;
}

int gale__mailbox_put(gale__mailbox_t *m, gale__letter_t *letter) {
    gale__letter_t *head = atomic_load_explicit(&m->head, memory_order_relaxed);
    do {
        if (head == &closed) return post_late(m, letter);
        letter->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&m->head, &head, letter, memory_order_release,
                                                    memory_order_acquire));
    return head == NULL;
}

int gale__mailbox_post(gale__mailbox_t *m, void (*fn)(void *arg), void *arg) {
    gale__letter_t *letter = gale__malloc(sizeof *letter);
    if (letter == NULL) return UV_ENOMEM;
    *letter = (gale__letter_t){.fn = fn, .arg = arg};
    int err = gale__mailbox_put(m, letter);
    if (err < 0) gale__free(letter);
    return err;
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
        if (!letter.lent) gale__free(queue);
        queue = letter.next;
        letter.fn(letter.arg);
    }
}

void gale__mailbox_run(gale__mailbox_t *m) {
    run_all(atomic_exchange_explicit(&m->head, NULL, memory_order_acquire));
}

void gale__mailbox_close(gale__mailbox_t *m) {
    atomic_store(&m->closer, (uintptr_t)pthread_self());
    gale__letter_t *stack = atomic_exchange(&m->head, &closed);
    if (stack != &closed) run_all(stack);
    for (int round = 0; m->last != NULL && round < LAST_ROUNDS; round++) {
        stack = m->last;
        m->last = NULL;
        run_all(stack);
    }
    atomic_store(&m->closer, 0);
    run_all(m->last);
    m->last = NULL;
}
