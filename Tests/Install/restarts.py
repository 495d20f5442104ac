"""examples/c/restart, taken over by its next build while clients ask it."""
import collections
import os
import pathlib
import signal
import threading
import time

from wire import Server, check, connect, free_port, refuses, takes_a_port


def ask_on(s, close):
    """The body of an answer on a connection that is there, and whether that stays."""
    s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + (b"Connection: close\r\n" if close else b"") + b"\r\n")
    data = b""
    while not data.endswith(b"\n") or b"\r\n\r\n" not in data:
        chunk = s.recv(65536)
        if not chunk:
            raise OSError(f"closed after {data!r}")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(f"answered {data!r}")
    return int(body), b"Connection: close" not in head


class Load:
    """Clients that never pause: half keep their connections, half need a new one for each request."""

    def __init__(self, port):
        self.port, self.stopped, self.lost, self.served = port, False, [], collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(i % 2 == 0,)) for i in range(4)]

    def run(self, keep):
        s = None
        while not self.stopped:
            try:
                s = s or connect(self.port)
                process, stays = ask_on(s, close=not keep)
                self.served[process] += 1
            except OSError as error:
                self.lost.append(repr(error))
                stays = False
            if not stays and s:
                s.close()
                s = None
        if s:
            s.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopped = True
        for thread in self.threads:
            thread.join()


def ends(process, seconds):
    """Whether the process is gone by then; a zombie is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def restart_by_name(name, program):
    """Started through PATH it knows its name alone, and where to look for it."""
    port, program = free_port(), pathlib.Path(program)
    command = ["env", f"PATH={program.parent}:{os.environ['PATH']}", program.name, port]
    with Server(name, command, port, stop=signal.SIGHUP) as server:
        with connect(port) as s:
            first = ask_on(s, close=True)[0]
        server.signal()
        check(ends(first, 10), f"{name}: started through PATH, another process takes over")
        with connect(port) as s:
            second = ask_on(s, close=True)[0]
        os.kill(second, signal.SIGTERM)
        check(second != first and ends(second, 10), f"{name}: and serves", (first, second))


def restart(name, program, folder):
    """H1-25, H1-26: five restarts under load, and no request is refused or lost."""
    port, generations = free_port(), 5
    with Server(name, [program, port], port, stop=signal.SIGHUP) as server:
        current = server.process.pid
        with Load(port) as load:
            for _ in range(generations):
                time.sleep(0.3)
                before, old = sum(load.served.values()), current
                os.kill(old, signal.SIGHUP)
                server.stopping = True
                deadline = time.monotonic() + 30
                while current == old and time.monotonic() < deadline:
                    with connect(port) as s:
                        current = ask_on(s, close=True)[0]
                check(current != old, f"{name}: another process serves")
                check(ends(old, 10), f"{name}: the one before ends")
                check(sum(load.served.values()) > before, f"{name}: clients were served meanwhile")
            time.sleep(0.3)
        check(load.lost == [], f"{name}: no request is lost in {generations} restarts", load.lost[:5])
        takes_a_port(name, [program])
        check(len(load.served) == generations + 1, f"{name}: each process has served", load.served)
        refuses(name, [program, port], 1, "a port in use")
        os.kill(current, signal.SIGTERM)
        check(ends(current, 10), f"{name}: the last one stops")
    restart_by_name(name, program)
