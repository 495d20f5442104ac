/*
 * Turns of coding. Compressing is by far the most that the core itself does for a client, so all of
 * a worker's responses and request bodies together get a share of each turn of the loop. What does
 * not fit waits in a queue for the turns that follow: other clients have the loop in between, and
 * those in the queue take turns.
 *
 * Work is counted, not timed: bytes, by what each costs on a common machine.
 */
#ifndef GALE_IO_CODING_TURN_H
#define GALE_IO_CODING_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accept.h"
#include "gale.h"

typedef struct {
    int64_t left;         /* nanoseconds' worth; below 0 when a piece was larger than the rest */
    uint64_t refilled_ms; /* time of the loop */
    gale_req_t *first, *last; /* waiting */
    gale_req_t *granted;      /* is having its turn */
} gale__coding_turn_t;

/* At once what is larger than this is better coded in pieces. */
enum { GALE__CODING_PIECE = 32 * 1024 };

/* Whether so much may be encoded in one go now: something is left of this turn, and it is no more than
 * a whole one. */
bool gale__coding_has_room(gale_worker_t *w, unsigned coding, unsigned level, size_t n);
/* Whether the request may have a piece coded or decoded now. If not, it waits, and its connection is
 * settled when its turn comes. */
bool gale__coding_may(gale_req_t *r);
/* Puts it at the end of the queue, where it may be already. */
void gale__coding_wait(gale_req_t *r);
/* Takes it out of the queue. */
void gale__coding_forget(gale_req_t *r);
/* Counts bytes that are put into an encoder, or that came out of a decoder. */
void gale__coding_encoded(gale_worker_t *w, unsigned coding, unsigned level, size_t n);
void gale__coding_decoded(gale_worker_t *w, size_t n);
/* A turn of the loop begins: those that wait go on, as far as it goes. */
void gale__coding_turn(gale_worker_t *w);

#endif
