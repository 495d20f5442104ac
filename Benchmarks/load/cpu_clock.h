// The CPU time, user and system, that processes have used: nanoseconds, all threads.
#ifndef BENCH_CPU_CLOCK_H
#define BENCH_CPU_CLOCK_H

#include <stdint.h>
#include <sys/types.h>

enum { CPU_CLOCK_MAX = 16 };

typedef struct {
    pid_t pids[CPU_CLOCK_MAX];
    int count;
} cpu_clock_set_t;

// The sum over the set, or -1 when one of the processes is gone.
int64_t cpu_clock_read(const cpu_clock_set_t *set);

#endif
