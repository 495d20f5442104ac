"""What the tests of the examples speak with: a program that runs, HTTP, WebSocket. Python's standard library only."""
import contextlib
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
results = {"passed": 0, "failed": 0}


def check(good, what, detail=""):
    results["passed" if good else "failed"] += 1
    if not good:
        print(f"FAIL {what}{': ' + str(detail)[:600] if detail != '' else ''}")
    return good


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(address, timeout=10.0):
    s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    s.settimeout(timeout)
    s.connect(address if isinstance(address, str) else ("127.0.0.1", address))
    return s


class Server:
    """A running example. Leaving the block stops it and checks how it ends."""

    def __init__(self, name, command, address, stop=signal.SIGTERM, clean_stop=True):
        self.name, self.command, self.address, self.stop, self.clean_stop = name, command, address, stop, clean_stop
        self.stopping = False

    def __enter__(self):
        self.out = tempfile.TemporaryFile("w+")
        self.err = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(c) for c in self.command], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err)
        for _ in range(200):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                connect(self.address).close()
                return self
            time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"{self.name} did not start: {self.text(self.err)}")

    @staticmethod
    def text(file):
        file.seek(0)
        return file.read()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def signal(self):
        """Once: a second signal cuts what is still open."""
        if not self.stopping and self.process.poll() is None:
            self.process.send_signal(self.stop)
        self.stopping = True

    def __exit__(self, kind, error, trace):
        self.signal()
        try:
            status = self.process.wait(15)
        except subprocess.TimeoutExpired:
            status = "still running after 15 s"
            self.kill()
        if self.clean_stop:
            check(status == 0, f"{self.name} stops by {self.stop.name} with 0", f"{status} {self.text(self.err)}")
            check("Sanitizer" not in self.text(self.err), f"{self.name}: no sanitizer report", self.text(self.err))
        return False


def http(address, head, body=b""):
    """One exchange on a connection of its own: (status, {field: value}, body)."""
    with connect(address) as s:
        s.sendall(head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n" + body)
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    top, _, rest = data.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]) if data else 0, fields, rest


class WebSocket:
    def __init__(self, address, path, fields=""):
        self.socket, self.buffer = connect(address), b""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise OSError("closed in the handshake")
            self.buffer += data
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101") or b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" not in head:
            raise OSError(f"no handshake: {head!r}")

    def send(self, kind, data):
        n, key = len(data), b"\1\2\3\4"
        length = (bytes([128 | n]) if n < 126 else bytes([254]) + struct.pack(">H", n) if n < 65536
                  else bytes([255]) + struct.pack(">Q", n))
        mask = int.from_bytes((key * (n // 4 + 1))[:n], "big")
        self.socket.sendall(bytes([128 | kind]) + length + key + (int.from_bytes(data, "big") ^ mask).to_bytes(n, "big"))

    def take(self, n):
        parts, have = [self.buffer], len(self.buffer)
        while have < n:
            data = self.socket.recv(1 << 18)
            if not data:
                raise OSError("closed")
            parts.append(data)
            have += len(data)
        data = b"".join(parts)
        self.buffer = data[n:]
        return data[:n]

    def receive(self):
        first, n = self.take(2)
        if n > 125:
            n = struct.unpack(">H" if n == 126 else ">Q", self.take(2 if n == 126 else 8))[0]
        return first & 15, self.take(n)

    def close(self):
        self.socket.close()


def helps(name, command):
    done = subprocess.run([str(c) for c in [*command, "--help"]], capture_output=True, text=True, timeout=20)
    check((done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: "), f"{name} --help", done)


def refuses(name, command, status, what, naming=""):
    """One line that says what is wrong, with the word that is."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    lines = done.stderr.strip().split("\n")
    check(done.returncode == status and len(lines) == 1 and lines[0] != "" and naming in lines[0] and done.stdout.strip() == "",
          f"{name}: {what} gives one line and {status}", (done.returncode, done.stdout, done.stderr))


def takes_a_port(name, command, most=1):
    """What is wrong on the command line is named in one line."""
    helps(name, command)
    for bad in ("abc", "99999", "", "1x"):
        refuses(name, [*command, bad], 2, f"the port {bad!r}", f"not a port: '{bad}'")
    refuses(name, [*command, "--bogus"], 2, "an unknown flag", "--bogus")
    refuses(name, [*command, free_port(), *["other"] * most], 2, "a word too many", "other")
