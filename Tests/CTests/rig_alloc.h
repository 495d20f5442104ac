/*
 * Allocators for tests: one that counts, one that fails. Both stand behind gale_set_allocator and,
 * for the figures, behind malloc itself where the build lets malloc be replaced.
 */
#ifndef GALE_TESTS_RIG_ALLOC_H
#define GALE_TESTS_RIG_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* From now on Gale's allocations are counted, and the fail-th of them (from 1; 0: none) and, when `sticky`, all after it
 * fail. Only while no server exists. */
void rig_alloc_begin(unsigned long fail, bool sticky);
/* Back to malloc; checks that nothing is left of what was given. */
void rig_alloc_end(void);
/* Calls through the hook since rig_alloc_begin (malloc, calloc, realloc); whether one was refused. */
unsigned long rig_alloc_calls(void);
bool rig_alloc_refused(void);
/* While paused nothing is counted or refused: for setting up and tearing down. */
void rig_alloc_pause(bool paused);

/* Whether malloc is watched in this build; and calls of malloc, calloc and realloc by this process. */
bool rig_malloc_watched(void);
unsigned long rig_malloc_calls(void);

#endif
