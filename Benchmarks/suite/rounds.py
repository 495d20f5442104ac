"""Rounds: in each, every server is measured once at every depth, one right after the other."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field

from .disturbance import Disturbance
from .missing import Missing
from .running import Running


@dataclass
class Row:
    """What was measured of one server; samples[depth][round] is None where it failed."""
    server: object
    ready: object
    answer_bytes: int = 0
    samples: dict = field(default_factory=dict)
    trouble: str = ""

    def values(self, depth, name):
        return [getattr(s, name) for s in self.samples[depth] if s is not None]

    def ratios(self, base, depth):
        """This row's cost by the base's, round by round: both are of the same time."""
        pairs = zip(self.samples[depth], base.samples[depth])
        return [a.cpu_us / b.cpu_us for a, b in pairs if a and b]


class Rounds:
    def __init__(self, rows, load, server_core, depths, seconds):
        self.rows = rows
        self.load = load
        self.core = server_core
        self.depths = depths
        self.seconds = seconds
        self.count = 0
        self.disturbance = Disturbance(server_core)
        for row in rows:
            row.samples = {depth: [] for depth in depths}

    def run(self, count):
        for _ in range(count):
            self.run_one()
            if sys.stderr.isatty():
                print(f"\rbench: round {self.count}", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def run_one(self):
        """Servers start anew each round: the luck of where memory lies is part of the noise."""
        with ExitStack() as stack:
            started = {}
            for row in self.rows:
                if not row.trouble:
                    started[row.server.key] = running = Running(row.server, row.ready, self.core)
                    stack.callback(running.stop)
            for row in self.rows:
                if row.server.key in started:
                    self.wait(row, started)
            # Every other round runs backwards, so that a slow drift of the machine cancels.
            order = self.rows if self.count % 2 == 0 else self.rows[::-1]
            for depth in self.depths:
                for row in order:
                    running = started.get(row.server.key)
                    row.samples[depth].append(self.measure(row, running, depth))
        self.count += 1

    def wait(self, row, started):
        try:
            row.answer_bytes = started[row.server.key].wait_until_it_answers()
        except Missing as missing:
            row.trouble = str(missing)
            del started[row.server.key]

    def measure(self, row, running, depth):
        if running is None or row.trouble:
            return None
        try:
            with self.disturbance.watch(running.pids()):
                sample = self.load.run(running, depth, self.seconds)
        except Missing as missing:
            row.trouble = str(missing)
            return None
        except OSError as error:
            row.trouble = f"stopped under load: {error}"
            return None
        if sample.failures or not sample.requests:
            row.trouble = (f"{sample.failures} failures under load at depth {depth}, "
                           f"{sample.requests} answers")
            return None
        return sample
