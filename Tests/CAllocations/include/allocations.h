/* Counts what a thread allocates, for tests: linked into a program, it stands before the C library's allocator. */
#ifndef GALE_TEST_ALLOCATIONS_H
#define GALE_TEST_ALLOCATIONS_H

#include <stdbool.h>

/* Whether there is a count: with glibc, and not under a sanitizer, which has an allocator of its own. */
bool allocations_are_counted(void);

/* How often the calling thread has allocated since it began. */
long allocations_of_thread(void);

#endif
