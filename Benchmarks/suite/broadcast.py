"""What it costs a server to send a WebSocket message on to many sockets."""

import json
import subprocess
from dataclasses import dataclass, field
from statistics import median

from .missing import Missing, last_line
from .program import program
from .rounds import say
from .running import Running
from .scenarios import SCENARIOS

SOCKETS = 1000
BYTES = 100
DEPTHS = (1, 16)  # messages in flight
STALLED_DEPTH = 16


@dataclass
class Broadcast:
    key: str
    title: str
    cpu_us: dict = field(default_factory=dict)  # samples a delivery, by depth
    rate: dict = field(default_factory=dict)  # deliveries a second
    p99_us: list = field(default_factory=list)  # from the first byte sent until all sockets have all
    stalled_p99_us: list = field(default_factory=list)  # with one more socket, which never reads
    trouble: str = ""

    def cost(self, depth):
        samples = self.cpu_us.get(depth)
        return median(samples) if samples else None


def measure(rows, rounds, seconds, server_core, load_core):
    """One Broadcast for each server that takes part."""
    found = [(row, Broadcast(row.server.key, row.server.title)) for row in rows
             if row.server.broadcast]
    for number in range(rounds):
        for row, result in found:
            if number % row.server.every == 0 and not result.trouble:
                say(f"broadcast of {row.server.key}, round {number + 1} of {rounds}")
                run(row, result, seconds, server_core, load_core)
    say("")
    return [result for _, result in found]


def run(row, result, seconds, server_core, load_core):
    hello = next(s for s in SCENARIOS if s.key == "depth1")
    try:
        with Running(row, server_core) as running:
            running.wait_until_it_answers(hello)
            for depth in DEPTHS:
                sample = load(running, depth, seconds, load_core)
                result.cpu_us.setdefault(depth, []).append(
                    sample["cpu_ns"] / sample["requests"] / 1000)
                result.rate.setdefault(depth, []).append(sample["requests"] / sample["seconds"])
                if depth == STALLED_DEPTH:
                    result.p99_us.append(sample["p99_us"])
            if row.server.bounds_slow:
                sample = load(running, STALLED_DEPTH, seconds, load_core, "--stalled", "1")
                result.stalled_p99_us.append(sample["p99_us"])
    except Missing as missing:
        result.trouble = str(missing)


def load(running, depth, seconds, core, *flags):
    command = ["taskset", "-c", str(core), client(), "--port", str(running.port),
               "--path", running.server.broadcast, "--connections", str(SOCKETS),
               "--size", str(BYTES), "--depth", str(depth), "--seconds", str(seconds), *flags]
    for pid in running.pids():
        command += ["--cpu-of", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"broadcast: {last_line(done.stderr)}")
    return json.loads(done.stdout)


def client():
    return program("broadcast", [f"load/{n}.c" for n in ("broadcast", "connect", "cpu_clock")])
