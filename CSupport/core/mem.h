/* The one door to the heap: every allocation of the core goes through the process's
 * gale_allocator_t. */
#ifndef GALE_CORE_MEM_H
#define GALE_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "gale.h"

void *gale__malloc(size_t size);
void *gale__calloc(size_t count, size_t size);
void *gale__realloc(void *ptr, size_t size);
void gale__free(void *ptr);

/* Whether all comes from the C library's own. */
bool gale__mem_is_standard(void);

/* Called by gale_set_allocator; null restores the C library's functions. */
void gale__mem_set(const gale_allocator_t *allocator);

#endif
