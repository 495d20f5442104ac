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
from .scenarios import HELLO


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

    def __init__(self, core):
        self.core = core
        self.binary = program("load", [f"load/{n}.c" for n in
                                       ("load", "connect", "responses", "cpu_clock")])

    def run(self, running, scenario, seconds):
        command = ["taskset", "-c", str(self.core), self.binary, "--port", str(running.port),
                   "--path", running.server.paths[scenario.target], "--seconds", str(seconds),
                   "--depth", str(scenario.depth), "--connections", str(scenario.connections)]
        if scenario.closes:
            command += ["--close"]
        if scenario.posts:
            command += ["--post", HELLO.decode()]
        if scenario.file:
            command += ["--body-file", scenario.file]
        for pid in running.pids():
            command += ["--cpu-of", str(pid)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Missing(f"the loader failed: {last_line(done.stderr)}")
        return Sample(**json.loads(done.stdout))


class Wrk:
    def __init__(self, core):
        self.core = core
        if shutil.which("wrk") is None:
            raise Missing("wrk is not installed: apt-get install wrk")

    def run(self, running, scenario, seconds):
        url = f"http://127.0.0.1:{running.port}{running.server.paths[scenario.target]}"
        command = ["taskset", "-c", str(self.core), "wrk", "-t1", f"-c{scenario.connections}",
                   f"-d{max(1, math.ceil(seconds))}s"]
        if scenario.closes:
            command += ["-H", "Connection: close"]
        if scenario.posts:
            raise Missing("wrk posts nothing here")
        if scenario.depth > 1:
            command += ["-s", BENCHMARKS / "load" / "pipeline.lua", url, "--", str(scenario.depth)]
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
