/* For tests alone. */
#ifndef GALE_REDIS_MEMORY_TESTS_H
#define GALE_REDIS_MEMORY_TESTS_H

/* The count-th allocation from now on, and all after it, fail on this thread; negative: none does. */
void gale_redis_fail_allocation(long count);

#endif
