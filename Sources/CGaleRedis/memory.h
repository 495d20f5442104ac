/* The heap, behind a door at which tests stand. What hiredis takes goes past it. */
#ifndef GALE_REDIS_MEMORY_H
#define GALE_REDIS_MEMORY_H

#include <stddef.h>

void *gale__redis_realloc(void *ptr, size_t size);
void gale__redis_free(void *ptr);

#endif
