"""What an idle connection costs a server in memory: one that was answered and is kept alive."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .missing import Missing, last_line
from .program import program
from .rounds import say
from .running import Running
from .scenarios import SCENARIOS

STEPS = (1, 1000, 5000, 10000, 15000)
QUICK_STEPS = (1, 5000)
# By what is behind the server's key: what is behind its title. Empty: HTTP.
KINDS = {"": "", "-websocket": ", WebSocket", "-deflate": ", WebSocket that compresses"}


@dataclass
class Idle:
    key: str
    title: str
    rss: dict = field(default_factory=dict)  # bytes by number of connections
    trouble: str = ""

    def each(self):
        """Bytes for a connection, between the first step and the last."""
        if len(self.rss) < 2:
            return None
        first, last = min(self.rss), max(self.rss)
        return (self.rss[last] - self.rss[first]) / (last - first)


def measure(rows, steps, server_core, load_core):
    """One Idle for each server that takes part, and two more for those with a WebSocket."""
    found = []
    for row in rows:
        for kind in KINDS:
            if row.server.websocket if kind else row.server.idle:
                say(f"idle connections of {row.server.key}")
                found.append(hold(row, kind, steps, server_core, load_core))
    say("")
    return found


def hold(row, kind, steps, server_core, load_core):
    idle = Idle(f"{row.server.key}{kind}", row.server.title + KINDS[kind])
    path = row.server.websocket if kind else row.server.paths["hello"]
    hello = next(s for s in SCENARIOS if s.key == "depth1")
    try:
        with Running(row, server_core) as running:
            running.wait_until_it_answers(hello)
            command = ["taskset", "-c", str(load_core), client(), "--port", str(running.port),
                       "--path", path, "--steps", ",".join(map(str, steps))]
            climb(idle, running, command + (["-" + kind] if kind else []))
    except Missing as missing:
        idle.trouble = str(missing)
    return idle


def climb(idle, running, command):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as client:
        for line in client.stdout:
            count, *closed = line.split()
            if closed:
                if count != "0":
                    raise Missing(f"closed {count} of the connections meanwhile")
                continue
            idle.rss[int(count)] = resident(running.pids())
            client.stdin.write("\n")
            client.stdin.flush()
        if client.wait() != 0:
            raise Missing(last_line(client.stderr.read()))


def client():
    return program("idle", ["load/idle.c", "load/connect.c"])


def resident(pids):
    """Bytes; smaps_rollup counts pages, where statm is only roughly right."""
    total = 0
    for pid in pids:
        text = Path("/proc", str(pid), "smaps_rollup").read_text()
        total += int(re.search(r"^Rss:\s+(\d+) kB", text, re.M).group(1)) * 1024
    return total
