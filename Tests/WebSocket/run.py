#!/usr/bin/env python3
"""The C echo server and another implementation of WebSocket: run.py ECHO (build/examples/echo)

And the other way round, the client beside it (ws_client) and another implementation's server, under every agreement
that the two come to (WS-19).

Sections 1, 2, 5, 9, 12 and 13 of what the Autobahn test suite does, with the package `websockets` (.ci/venv): messages of
all sizes, whole and in fragments, compressed under every agreement that permessage-deflate knows (WS-14, WS-15), with the
server's --deflate 0, 1 and 2. Last line: N passed, N failed.
"""
import base64
import contextlib
import itertools
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import zlib

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.sync.client import connect
from websockets.sync.server import serve

results = {"passed": 0, "failed": 0}
dice = random.Random(7)


def check(good, what, detail=""):
    results["passed" if good else "failed"] += 1
    if not good:
        print(f"FAIL {what}{': ' + str(detail)[:500] if detail != '' else ''}", flush=True)


@contextlib.contextmanager
def server(program, deflate):
    process = subprocess.Popen([program, "--port", "0", "--workers", "1", "--deflate", str(deflate)], stdout=subprocess.PIPE,
                               text=True)
    try:
        yield int(re.search(r":(\d+)\s*$", process.stdout.readline()).group(1))
    finally:
        process.terminate()
        check(process.wait(20) == 0, f"--deflate {deflate}: ends well")


# ---------------------------------------------------------------------------------------------------------- messages


def text(size):
    words = ["Gale", "wind", "météo", "風", "🌬", "of", "the", "north", '{"id": 17, "name": null}']
    made = ""
    while len(made.encode()) < size:
        made += dice.choice(words) + " "
    return made.encode()[:size].decode(errors="ignore")


def messages(sizes):
    for size in sizes:
        yield text(size)
        yield json.dumps({"rows": [dice.randrange(1000) for _ in range(size // 5)]}).encode()
        yield dice.randbytes(size)


def pieces(message):
    """Cut at random; empty ones, too."""
    at = 0
    while at < len(message):
        n = dice.choice([0, 1, 100, 1000, 30000])
        yield message[at:at + n]
        at += n
    yield message[:0]


SOME = [0, 1, 64, 127, 4097, 70000]
ALL = [0, 1, 16, 63, 64, 125, 126, 127, 1024, 4096, 4097, 16384, 65535, 65536, 131072]


def converse(ws, what, sizes=ALL):
    bad = 0
    for message in messages(sizes):
        ws.send(message)
        bad += ws.recv(20) != message
        ws.send(pieces(message))
        bad += ws.recv(20) != message
    for message in [text(size) for size in (100, 2000)] * 10:  # the window of many
        ws.send(message)
        bad += ws.recv(20) != message
    check(bad == 0, what, f"{bad} messages came back otherwise")
    check(ws.ping().wait(10), f"{what}: pong")


# ------------------------------------------------------------------------------------------------------------ offers


def agreements(program):
    """Each combination of parameters."""
    kept = list(itertools.product([False, True], [False, True], [None, 9, 15], [None, True, 9, 15]))
    forgotten = list(itertools.product([False], [False], [None, 9, 12], [None, True, 9]))
    for deflate, rows in ((1, forgotten), (2, kept)):
        with server(program, deflate) as port:
            for no_server, no_client, server_bits, client_bits in rows:
                factory = ClientPerMessageDeflateFactory(
                    server_no_context_takeover=no_server, client_no_context_takeover=no_client,
                    server_max_window_bits=server_bits, client_max_window_bits=client_bits)
                what = f"--deflate {deflate}, offered {factory.get_request_params()}"
                try:
                    with connect(f"ws://127.0.0.1:{port}/ws", extensions=[factory], compression=None, max_size=None) as ws:
                        check([e.name for e in ws.protocol.extensions] == ["permessage-deflate"], f"{what}: agreed")
                        converse(ws, what, SOME)
                except Exception as error:
                    check(False, what, repr(error))


def declined(program):
    with server(program, 0) as port, connect(f"ws://127.0.0.1:{port}/ws", max_size=None) as ws:
        check(ws.protocol.extensions == [], "--deflate 0: nothing agreed")
        converse(ws, "--deflate 0")
    factory = ClientPerMessageDeflateFactory(server_max_window_bits=8)
    with server(program, 2) as port, connect(f"ws://127.0.0.1:{port}/ws", extensions=[factory], compression=None) as ws:
        check(ws.protocol.extensions == [], "a window of 2^8: nothing agreed")
    with server(program, 1) as port:
        factories = [factory, ClientPerMessageDeflateFactory(server_max_window_bits=10)]
        with connect(f"ws://127.0.0.1:{port}/ws", extensions=factories, compression=None, max_size=None) as ws:
            check(len(ws.protocol.extensions) == 1, "the second of two offers")
            converse(ws, "the second of two offers")


# ------------------------------------------------------------------------------------------------------- by hand


class Raw:
    """A client that says what it likes."""

    def __init__(self, port, offer):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                            f"Sec-WebSocket-Extensions: {offer}\r\n\r\n".encode())
        self.input = self.socket.makefile("rb")
        self.head = b"".join(iter(self.input.readline, b"\r\n")).decode()

    def send(self, first, payload):
        key = os.urandom(4)
        size = len(payload)
        head = bytes([first, 0x80 | (size if size < 126 else 126)]) + (struct.pack(">H", size) if size >= 126 else b"")
        self.socket.sendall(head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload)))

    def frame(self):
        first, size = self.input.read(2)
        if size == 126:
            size = struct.unpack(">H", self.input.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.input.read(8))[0]
        return first, self.input.read(size)


def squeeze(data, flush=zlib.Z_SYNC_FLUSH, bits=-15):
    c = zlib.compressobj(9, zlib.DEFLATED, bits)
    return c.compress(data) + c.flush(flush)


def by_hand(program):
    hello = squeeze(b"hello " * 20)[:-4]
    with server(program, 2) as port:
        ws = Raw(port, "permessage-deflate")
        ws.send(0x41, hello[:3])
        ws.send(0x89, b"between")
        ws.send(0x00, b"")
        ws.send(0x80, hello[3:])
        check(ws.frame() == (0x8a, b"between"), "a pong in the midst of a compressed message")
        first, payload = ws.frame()
        check(first == 0xc1 and zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff") == b"hello " * 20,
              "and the message behind it")
        ws.send(0xc1, squeeze(b"the end", zlib.Z_FINISH) + b"\0")
        check(ws.frame() == (0x81, b"the end"), "a block with BFINAL")
        ws.send(0xc1, squeeze(b"full", zlib.Z_FULL_FLUSH)[:-4])
        check(ws.frame() == (0x81, b"full"), "a full flush")
        for first, payload, code, what in [
                (0xc0, b"x", 1002, "RSV1 on a continuation"), (0xc9, b"", 1002, "RSV1 on a ping"),
                (0xe1, b"", 1002, "RSV2"), (0xc1, b"\xff" * 9, 1007, "no DEFLATE data"),
                (0xc1, squeeze(b"\xff\xff")[:-4], 1007, "no UTF-8"), (0xc1, hello[:9], 1007, "cut off"),
                (0xc2, squeeze(bytes(17 << 20))[:-4], 1009, "too big")]:
            ws = Raw(port, "permessage-deflate")
            ws.send(first, payload)
            first, payload = ws.frame()
            check(first == 0x88 and payload[:2] == struct.pack(">H", code), f"{what} is {code}", payload)
            check(ws.input.read() == b"", f"{what}: and no more")
        check("101" in Raw(port, "a; b=c, d").head, "extensions that nobody knows")
        check(" 400 " in Raw(port, "permessage-deflate;;").head, "a malformed field is 400")


# ------------------------------------------------------------------------------------------------------- the client


class Peer:
    """A server of the other implementation's, for one client, which it echoes, or says `first` to before it closes."""

    def __init__(self, first=None, **options):
        self.first, self.heard, self.close, self.extensions, self.subprotocol = first, [], None, [], None
        self.server = serve(self.talk, "127.0.0.1", 0, max_size=None, **options)
        self.port = self.server.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def talk(self, ws):
        self.extensions = [e.name for e in ws.protocol.extensions]
        if self.first is not None:
            ws.send(self.first)
            return ws.close(4001, "that was it")
        for message in ws:
            self.heard.append(message)
            ws.send(message)
            ws.send(pieces(message))
        self.close = (ws.close_code, ws.close_reason)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.thread.join(20)


def run_client(program, port, lines, *flags, answers=0):
    """Its input ends when so many lines have come back: who closes is not told the rest."""
    process = subprocess.Popen([program, *flags, f"ws://127.0.0.1:{port}/a?b"], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    clock = threading.Timer(60, process.kill)
    clock.start()
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write("".join(line + "\n" for line in lines))
        process.stdin.flush()
    heard = [process.stdout.readline() for _ in range(answers)]
    out, errors = process.communicate()
    clock.cancel()
    return subprocess.CompletedProcess(process.args, process.returncode, "".join(heard) + out, errors)


def client_talks(program, what, peer, flags, compressed):
    lines = [text(size) for size in [0, 1, 63, 64, 125, 126, 127, 1000, 4096, 4097, 16384, 65000]] + [text(300)] * 30
    with peer:
        done = run_client(program, peer.port, lines, *flags, answers=2 * len(lines))
    check(done.returncode == 0 and "closed 1000" in done.stderr, f"{what}: ends well", done.stderr)
    check(peer.heard == lines, f"{what}: what the server heard", [len(m) for m in peer.heard])
    check(done.stdout == "".join(f"{line}\n{line}\n" for line in lines), f"{what}: what came back", len(done.stdout))
    check(peer.extensions == (["permessage-deflate"] if compressed else []), f"{what}: agreed on", peer.extensions)
    check(peer.close == (1000, ""), f"{what}: how it closed", peer.close)


def client(echo):
    program = os.path.join(os.path.dirname(echo), "ws_client")
    client_talks(program, "client", Peer(compression=None), [], False)
    client_talks(program, "client, no compression here", Peer(compression=None), ["-z"], False)
    client_talks(program, "client, no compression there", Peer(), [], False)
    for no_server, no_client, server_bits, client_bits in itertools.product([False, True], [False, True], [None, 9, 12],
                                                                           [None, 9, 12]):
        factory = ServerPerMessageDeflateFactory(
            server_no_context_takeover=no_server, client_no_context_takeover=no_client,
            server_max_window_bits=server_bits, client_max_window_bits=client_bits)
        what = f"client, {(no_server, no_client, server_bits, client_bits)}"
        client_talks(program, what, Peer(compression=None, extensions=[factory]), ["-z"], True)
    with Peer(first=bytes(range(256))) as peer:
        done = run_client(program, peer.port, [], answers=2)  # and the end
    check((done.returncode, done.stdout) == (1, "[256 bytes]\n") and "closed 4001: that was it" in done.stderr,
          "client: the server closes", (done.stdout, done.stderr))
    with Peer(process_request=lambda ws, request: ws.respond(401, "no\n")) as peer:
        done = run_client(program, peer.port, ["x"])
    refused = "GALE_EHANDSHAKE -5007: the server answered 401"
    check(done.returncode == 1 and refused in done.stderr, "client: refused", done.stderr)
    done = run_client(program, 1, ["x"])
    check(done.returncode == 1 and "ECONNREFUSED" in done.stderr, "client: nobody there", done.stderr)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for part in (by_hand, declined, agreements, client):
        part(sys.argv[1])
    print(f"{results['passed']} passed, {results['failed']} failed")
    sys.exit(1 if results["failed"] or not results["passed"] else 0)


main()
