/* Letters from any thread to a worker: a lock-free stack that the worker takes whole and reads in
 * order of arrival. */
#ifndef GALE_IO_MAILBOX_H
#define GALE_IO_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct gale__letter {
    struct gale__letter *next;
    void (*fn)(void *arg);
    void *arg;
    bool lent; /* the sender's memory, which may end as fn is called; else it is freed */
} gale__letter_t;

typedef struct {
    _Atomic(gale__letter_t *) head;
    atomic_uintptr_t closer; /* the reader's thread while it closes the box */
    gale__letter_t *last;    /* what it posts meanwhile */
} gale__mailbox_t;

/* Any thread. 1: taken, and the box was empty, so the reader must be woken; 0: taken; GALE_EGONE:
 * closed; UV_ENOMEM's sign: no memory. */
int gale__mailbox_post(gale__mailbox_t *m, void (*fn)(void *arg), void *arg);
/* The same with a letter of the sender's, which is never short of memory; lent, fn and arg are
 * filled in. */
int gale__mailbox_put(gale__mailbox_t *m, gale__letter_t *letter);
/* Reader only. Runs all letters. */
void gale__mailbox_run(gale__mailbox_t *m);
/* Reader only. Refuses letters from other threads from now on, runs what was posted, and what that
 * posts; then refuses all. */
void gale__mailbox_close(gale__mailbox_t *m);

#endif
