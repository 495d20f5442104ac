"""Rounds: in each, every server is measured once in every scenario, one right after the other."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field

from .disturbance import Disturbance
from .missing import Missing
from .running import Running


@dataclass
class Row:
    """What was measured of one server; samples[scenario][round] is None where it wasn't."""
    server: object
    ready: object
    answer_bytes: dict = field(default_factory=dict)  # by the scenario's target
    samples: dict = field(default_factory=dict)
    trouble: dict = field(default_factory=dict)  # by scenario

    def takes(self, scenario):
        return scenario.target in self.server.paths and scenario.key not in self.trouble

    def values(self, scenario, name):
        return [getattr(s, name) for s in self.samples.get(scenario, ()) if s is not None]

    def ratios(self, base, scenario):
        """This row's cost by the base's, round by round: both are of the same time."""
        pairs = zip(self.samples.get(scenario, ()), base.samples.get(scenario, ()))
        return [a.cpu_us / b.cpu_us for a, b in pairs if a and b]


class Rounds:
    def __init__(self, rows, load, server_core, scenarios, seconds):
        self.rows = rows
        self.load = load
        self.core = server_core
        self.scenarios = scenarios
        self.seconds = seconds
        self.count = 0
        self.disturbance = Disturbance(server_core)
        for row in rows:
            row.samples = {scenario.key: [] for scenario in scenarios}

    def run(self, count):
        for _ in range(count):
            self.run_one()
            say(f"round {self.count} of {count}")
        say("")

    def run_one(self):
        """Servers start anew each round: the luck of where memory lies is part of the noise."""
        scenarios = [s for s in self.scenarios if self.count % s.every == 0]
        rows = [r for r in self.rows if self.count % r.server.every == 0]
        with ExitStack() as stack:
            started = self.start(stack, rows, scenarios)
            for scenario in scenarios:
                # Every other time it runs backwards, so that a slow drift of the machine cancels.
                backwards = self.count // scenario.every % 2
                for row in rows[::-1] if backwards else rows:
                    running = started.get((row.server.key, row.server.flags(scenario)))
                    row.samples[scenario.key].append(self.measure(row, running, scenario))
                for row in self.rows:
                    if row not in rows:
                        row.samples[scenario.key].append(None)
        self.count += 1

    def start(self, stack, rows, scenarios):
        """Starts all, then waits for each: they start side by side."""
        started = {}
        for row in rows:
            for scenario in filter(row.takes, scenarios):
                key = (row.server.key, row.server.flags(scenario))
                if key not in started:
                    started[key] = stack.enter_context(Running(row, self.core, key[1]))
        for row in rows:
            for scenario in filter(row.takes, scenarios):
                running = started[row.server.key, row.server.flags(scenario)]
                try:
                    size = running.wait_until_it_answers(scenario)
                    row.answer_bytes.setdefault(scenario.target, size)
                except Missing as missing:
                    row.trouble[scenario.key] = str(missing)
        return started

    def measure(self, row, running, scenario):
        if running is None or not row.takes(scenario):
            return None
        try:
            with self.disturbance.watch(running.pids()):
                sample = self.load.run(running, scenario, self.seconds)
        except Missing as missing:
            row.trouble[scenario.key] = str(missing)
            return None
        except OSError as error:
            row.trouble[scenario.key] = f"stopped under load: {error}"
            return None
        if sample.failures or not sample.requests:
            row.trouble[scenario.key] = (f"{sample.failures} failures under load, "
                                         f"{sample.requests} answers")
            return None
        return sample


def say(text):
    if sys.stderr.isatty():
        print(f"\r\033[Kbench: {text}" if text else "\r\033[K", end="", file=sys.stderr, flush=True)
