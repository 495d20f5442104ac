"""What is asked of the servers under load. Idle connections and parsers are in idle.py and parsers.py."""

from dataclasses import dataclass
from pathlib import Path

from . import site

HELLO = b"Hello, World!"


@dataclass(frozen=True)
class Scenario:
    key: str
    title: str
    target: str  # what of a server's paths it asks for
    depth: int = 1
    connections: int = 64
    closes: bool = False  # a connection for each request
    file: Path | None = None  # what the answer's body must be; without it HELLO
    every: int = 1  # measured in each so manieth round

    @property
    def posts(self):
        return self.target == "body"

    def body(self):
        return self.file.read_bytes() if self.file else HELLO

    def kilobytes(self):
        return site.SIZES[self.file] / 1024 if self.file else None

    def request(self, server, port):
        """One request, with which the server is tried before it is loaded."""
        head = f"{'POST' if self.posts else 'GET'} {server.paths[self.target]} HTTP/1.1\r\n" \
               f"Host: 127.0.0.1:{port}\r\n" + ("Connection: close\r\n" if self.closes else "")
        if not self.posts:
            return head.encode() + b"\r\n"
        return head.encode() + b"Content-Length: %d\r\n\r\n" % len(HELLO) + HELLO


SCENARIOS = [
    Scenario("depth1", "keep-alive, one request at a time", "hello"),
    Scenario("depth16", "pipeline of 16", "hello", depth=16),
    Scenario("close", "a connection for each request", "hello", closes=True, every=2),
    Scenario("small", "file of 10 KB", "small", file=site.SMALL, every=2),
    # Few connections: sixteen megabytes in flight are no load to be proud of.
    Scenario("large", "file of 1 MB", "large", file=site.LARGE, connections=16, every=2),
    Scenario("post", "POST of 13 bytes, echoed", "body", every=2),
]
