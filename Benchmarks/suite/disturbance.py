"""How much of the server's core others used while servers were measured on it."""

import time
from contextlib import contextmanager

from .cores import busy_seconds
from .cpu_clock import cpu_ns


class Disturbance:
    def __init__(self, core):
        self.core = core
        self.elapsed = 0.0
        self.foreign = 0.0

    @contextmanager
    def watch(self, pids):
        start, busy, own = time.monotonic(), busy_seconds(self.core), cpu_ns(pids)
        yield
        self.elapsed += time.monotonic() - start
        self.foreign += busy_seconds(self.core) - busy - (cpu_ns(pids) - own) / 1e9

    def share(self):
        """Between 0 and 1; the kernel counts in hundredths of a second, so it is an estimate."""
        return max(0.0, self.foreign / self.elapsed) if self.elapsed else 0.0
