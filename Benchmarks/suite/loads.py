"""What loads a server: our own loader, or wrk for comparison with other people's figures."""

import json
import math
import re
import shutil
import subprocess
from dataclasses import dataclass

from .cpu_clock import cpu_ns
from .missing import Missing, last_line
from .paths import BENCHMARKS
from .program import program


@dataclass
class Sample:
    requests: int
    seconds: float
    cpu_ns: int
    failures: int

    @property
    def cpu_us(self):
        return self.cpu_ns / self.requests / 1000

    @property
    def rate(self):
        return self.requests / self.seconds


class OwnLoad:
    """load/load.c: reads the server's CPU clock at the ends of its own window."""

    def __init__(self, core, connections):
        self.core = core
        self.connections = connections
        self.binary = program("load", "load")

    def run(self, running, depth, seconds):
        command = ["taskset", "-c", str(self.core), self.binary, "--port", str(running.port),
                   "--path", running.server.path, "--depth", str(depth),
                   "--connections", str(self.connections), "--seconds", str(seconds)]
        for pid in running.pids():
            command += ["--cpu-of", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(f"the loader failed: {last_line(done.stderr)}")
        return Sample(**json.loads(done.stdout))


class Wrk:
    def __init__(self, core, connections):
        self.core = core
        self.connections = connections
        if shutil.which("wrk") is None:
            raise Missing("wrk is not installed: apt-get install wrk")

    def run(self, running, depth, seconds):
        url = f"http://127.0.0.1:{running.port}{running.server.path}"
        command = ["taskset", "-c", str(self.core), "wrk", "-t1", f"-c{self.connections}",
                   f"-d{max(1, math.ceil(seconds))}s"]
        if depth > 1:
            command += ["-s", BENCHMARKS / "load" / "pipeline.lua", url, "--", str(depth)]
        else:
            command += [url]
        pids = running.pids()
        before = cpu_ns(pids)
        done = subprocess.run(command, capture_output=True, text=True)
        after = cpu_ns(pids)
        return parse_wrk(done.stdout, after - before)


def parse_wrk(text, used_ns):
    total = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None or float(rate.group(1)) == 0:
        raise Missing(f"wrk failed: {last_line(text)}")
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failures = sum(map(int, errors.groups())) if errors else 0
    failures += int(refused.group(1)) if refused else 0
    requests = int(total.group(1))
    return Sample(requests, requests / float(rate.group(1)), used_ns, failures)


LOADS = {"own": OwnLoad, "wrk": Wrk}
