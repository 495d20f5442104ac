"""The CPU time that processes have used."""

import time


def cpu_ns(pids):
    """User and system, all threads; the clock's id is made as clock_getcpuclockid(3) makes it."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)
