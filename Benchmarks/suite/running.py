"""A server that runs: started on its core, known to answer, and stopped in the end."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .missing import Missing, last_line

START_SECONDS = 20


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_whole(answer):
    head, blank, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(blank and length) and len(body) >= int(length.group(1))


class Running:
    def __init__(self, row, core, flags=()):
        self.server = row.server
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="gale-bench-"))
        self.log = open(self.folder / "log", "w+")
        command = [str(c) for c in row.ready.command(self.port, self.folder, flags)]
        # pdeathsig: should this script be killed, its servers still go.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(core), *command],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT,
            start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_it_answers(self, scenario):
        """Returns the size of its answer in bytes, once that is what it should be."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self.process.poll() is not None:
                raise Missing(f"ended at its start: {self.said()}")
            try:
                return self.verify(scenario)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Missing(f"didn't answer in {START_SECONDS} s: {error}")
                time.sleep(0.02)

    def verify(self, scenario):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
            s.sendall(scenario.request(self.server, self.port))
            answer = b""
            while not is_whole(answer) and (more := s.recv(1 << 20)):
                answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or body != scenario.body():
            raise Missing(f"{scenario.key}: answered {answer[:60]!r} and {len(body)} bytes of body, "
                          "which is not what it should be")
        return len(answer)

    def said(self):
        self.log.flush()
        return last_line((self.folder / "log").read_text(errors="replace"))

    def pids(self):
        """The process and all that descend from it: nginx works in a child."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = Path("/proc", entry, "stat").read_text()
                except OSError:
                    continue
                # The name, in brackets, may hold anything; the parent is second behind it.
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                # Its own session, made by us above: nobody else is in this group.
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
