#!/usr/bin/env python3
"""Starts the examples as a user would and talks to them: examples.py FOLDER [FOLDER...]

A FOLDER holds built examples (build/examples, .build/release, build/asan/examples ...). Each program must answer, stop
by a signal with status 0, and write nothing to stderr, where a sanitizer would. Python's standard library only.
Last line: N passed, N failed.
"""
import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from chat_c import Visitor, chat_c, names
from codings import codings
from restarts import restart
from wire import ROOT, Server, WebSocket, check, connect, free_port, helps, http, refuses, results, takes_a_port

# ------------------------------------------------------------------------------------------------------- the programs

def echo_http(name, address):
    status, fields, body = http(address, "GET /hello HTTP/1.1\nHost: x")
    check(status == 200 and body == b"Hello, World!" and fields.get("content-type", "").startswith("text/plain"),
          f"{name}: /hello", (status, fields, body))
    status, fields, body = http(address, "HEAD /hello HTTP/1.1\nHost: x")
    check(status == 200 and body == b"" and fields.get("content-length") == "13", f"{name}: HEAD /hello", (status, fields))

    payload = bytes(range(256)) * 9
    for how, head, wire in [
        ("Content-Length", f"Content-Length: {len(payload)}", payload),
        ("chunked", "Transfer-Encoding: chunked", b"".join(
            b"%x\r\n%b\r\n" % (len(p), p) for p in (payload[:1], payload[1:700], payload[700:])) + b"0\r\n\r\n"),
    ]:
        status, fields, body = http(address, f'PATCH /a%20b?x=[1]\\ HTTP/1.1\nHost: x\nX-Text: "a\\b"\t\xe9\n{head}', wire)
        try:
            seen = json.loads(body)
        except ValueError:
            seen = {}
        check(status == 200 and fields.get("content-type") == "application/json" and seen.get("method") == "PATCH"
              and seen.get("target") == '/a%20b?x=[1]\\' and base64.b64decode(seen.get("body_b64", "")) == payload
              and any(n.lower() == "x-text" and v.startswith('"a\\b"\t') for n, v in seen.get("headers", [])),
              f"{name}: the request as JSON, {how}", (status, body))
    status, _, body = http(address, "DELETE /hello HTTP/1.1\nHost: x")
    check(status == 200 and b'"DELETE"' in body, f"{name}: other methods on /hello are echoed", (status, body))


def echo_others(name, address):
    """What is the same in C and Swift beside the echo: other methods, and whom the server takes the client for."""
    upgrade = "\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13"
    for path in ("/ws", "/broadcast", "/hello-class"):
        for method in ("POST", "PUT", "PURGE"):
            status, _, body = http(address, f"{method} {path} HTTP/1.1\nHost: x\nContent-Length: 2", b"{}")
            check(status == 200 and body.startswith(f'{{"method": "{method}", "target": "{path}", '.encode()) and b'"e30="' in body,
                  f"{name}: {method} {path} is echoed", (status, body))
        status, _, body = http(address, f"POST {path} HTTP/1.1\nHost: x{upgrade}")
        check((status, body) == (404, b"no WebSocket here\n"), f"{name}: no WebSocket by POST {path}", (status, body))
    for path in ("/ws", "/broadcast"):
        status, fields, body = http(address, f"HEAD {path} HTTP/1.1\nHost: x")
        check((status, fields.get("content-type"), body) == (200, "application/json", b""), f"{name}: HEAD {path}", (status, fields))
    for origin, same in [("", "true"), ("\nOrigin: http://a.example:81", "true"), ("\nOrigin: http://evil.example", "false")]:
        with connect(address) as s:
            s.sendall(f"GET /client HTTP/1.1\nHost: a.example:81{origin}\nConnection: close\n\n".replace("\n", "\r\n").encode())
            answer = b"".join(iter(lambda: s.recv(65536), b""))
            port = s.getsockname()[1]
        want = (f'{{"address": "127.0.0.1", "port": {port}, "peer": "127.0.0.1", "scheme": "http", "host": "a.example:81", '
                f'"same_origin": {same}, "worker": ')
        body = answer.partition(b"\r\n\r\n")[2].decode()
        check(body in (want + "0}", want + "1}") and b"\r\nContent-Type: application/json\r\n" in answer, f"{name}: /client", answer)


def echo_websocket(name, address):
    ws = WebSocket(address, "/ws")
    for kind, data in [(1, "grüße".encode()), (2, b""), (2, b"\0" * 200), (2, os.urandom(1 << 20)), (1, b"x" * 70000)]:
        ws.send(kind, data)
        check(ws.receive() == (kind, data), f"{name}: /ws echoes {len(data)} bytes")
    big = b"y" * (16 << 20)
    ws.send(2, big)
    check(ws.receive() == (2, big), f"{name}: /ws echoes 16 MiB")
    ws.send(9, b"ping")
    check(ws.receive() == (10, b"ping"), f"{name}: /ws answers a ping")
    ws.send(8, struct.pack(">H", 1000))
    check(ws.receive() == (8, struct.pack(">H", 1000)), f"{name}: /ws closes")
    ws.close()
    status, _, _ = http(address, "GET /ws HTTP/1.1\nHost: x")
    check(status in (400, 405, 426), f"{name}: /ws without a handshake is refused", status)

    room = [WebSocket(address, "/broadcast") for _ in range(8)]
    for i, sender in enumerate(room):
        sender.send(1, b"message %d" % i)
        got = [member.receive() for member in room]
        check(got == [(1, b"message %d" % i)] * 8, f"{name}: /broadcast reaches all sockets", got)
    room[3].close()
    room[0].send(2, b"after one left")
    got = [m.receive() for i, m in enumerate(room) if i != 3]
    check(got == [(2, b"after one left")] * 7, f"{name}: /broadcast goes on when one has left", got)
    return room


def echo_static(name, address, root):
    status, fields, body = http(address, "GET /static/a.txt HTTP/1.1\nHost: x")
    check(status == 200 and body == b"a file\n" and fields.get("content-type", "").startswith("text/plain"),
          f"{name}: /static/a.txt", (status, fields, body))
    status, _, body = http(address, "GET /static/big HTTP/1.1\nHost: x")
    check(status == 200 and body == (root / "big").read_bytes(), f"{name}: /static/big", (status, len(body)))
    for path, want in [("none", (404,)), ("../secret", (400, 403, 404)), ("..%2fsecret", (400, 403, 404))]:
        status, _, body = http(address, f"GET /static/{path} HTTP/1.1\nHost: x")
        check(status in want and b"top secret" not in body, f"{name}: /static/{path} is refused", (status, body))
    status, fields, _ = http(address, "POST /static/a.txt HTTP/1.1\nHost: x\nContent-Length: 0")
    check(status == 405 and "GET" in fields.get("allow", ""), f"{name}: POST /static/a.txt is not allowed", (status, fields))


def echo(name, program, folder):
    root = folder / "www"
    root.mkdir()
    (root / "a.txt").write_text("a file\n")
    (root / "big").write_bytes(os.urandom(3 << 20))
    (folder / "secret").write_text("top secret")
    port, path = free_port(), str(folder / "echo.sock")
    with Server(name, [program, "--port", port, "--host", "127.0.0.1", "--workers", "2", "--root", root], port) as server:
        echo_http(name, port)
        echo_others(name, port)
        room = echo_websocket(name, port)
        echo_static(name, port, root)
        printed = server.text(server.out) + server.text(server.err)
        leaving(name, server, port)
        check(printed.count("\n") >= 1 and f"127.0.0.1:{port}" in printed, f"{name} says where it listens", printed)
        refuses(name, [program, "--port", port], 1, "a port in use")
        server.signal()
        goodbye = room[0].receive()
        check(goodbye[0] == 8 and goodbye[1][:2] == struct.pack(">H", 1001), f"{name}: sockets get 1001", goodbye)
        for member in room:
            member.close()
    with Server(name + " on a unix socket", [program, "--unix", path], path, stop=signal.SIGINT):
        status, _, body = http(path, "GET /hello HTTP/1.1\nHost: x")
        check((status, body) == (200, b"Hello, World!"), f"{name}: --unix", (status, body))
    check(not os.path.exists(path), f"{name} removes its unix socket")
    twice(name, program)
    refuses(name, [program, "--port", free_port(), "--root", folder / "missing"], 1, "a missing folder")
    helps(name, [program])
    refuses(name, [program, "--frobnicate"], 2, "an unknown flag", "--frobnicate")
    refuses(name, [program, "--port", "http"], 2, "a bad port")
    refuses(name, [program, "--port"], 2, "a flag without its value")
    refuses(name, [program, "--port", "0", "--trust", "foo"], 1, "a network that is none", "trust")


def leaving(name, server, port):
    """Clients that leave with requests on the way: served on, and nothing to read in the log."""
    before = server.text(server.err)
    for path in ("/x", "/hello", "/hello-class"):
        for index in range(90):
            with connect(port) as s:
                if index % 3:  # a reset in place of an end
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                with contextlib.suppress(OSError):
                    s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 20)
                if index % 3 == 2:
                    time.sleep(0.001)
    check(http(port, "GET /hello HTTP/1.1\nHost: x")[0] == 200, f"{name}: goes on when clients leave")
    lines = server.text(server.err)[len(before):]
    check(lines == "", f"{name}: clients that leave are no errors", lines[:300])


def twice(name, program):
    """A second signal, whenever it comes, is no crash."""
    for delay in (0, 0.0002, 0.001, 0.002, 0.005, 0.02):
        port = free_port()
        server = Server(name, [program, "--port", port], port, clean_stop=False)
        with server:
            server.signal()
            time.sleep(delay)
            server.process.send_signal(signal.SIGTERM)
        status = server.process.returncode
        check(status == 0, f"{name}: a second signal {delay * 1000:g} ms after the first", status)


def chat(name, program, folder):
    port = free_port()
    with Server(name, [program, "--port", port, "--host", "127.0.0.1"], port):
        status, fields, body = http(port, "GET / HTTP/1.1\nHost: localhost")
        check(status == 200 and b"<html" in body.lower() or status in (302, 303) and "location" in fields,
              f"{name}: GET /", (status, fields, body[:200]))
        names(name, Visitor(port))
        refuses(name, [program, "--port", port], 1, "a port in use")
    refuses(name, [program, "--frobnicate"], 2, "an unknown flag")
    refuses(name, [program, "--workers", "0"], 2, "no worker")
    refuses(name, [program, "--redis", "http://127.0.0.1"], 2, "a URL that is no Redis")


def hello(name, program, folder):
    """Its port is fixed, so it is only started when that is free; Tests/Install/run builds it with another port."""
    with contextlib.suppress(OSError):
        connect(8080, 1).close()
        refuses(name, [program], 1, "a port in use")
        return
    with Server(name, [program], 8080, clean_stop=False):
        status, fields, body = http(8080, "GET / HTTP/1.1\nHost: x")
        check((status, body) == (200, b"Hello, World!"), f"{name}: GET /", (status, body))
        refuses(name, [program], 1, "a port in use")


def embed_loop(name, program, folder):
    port = free_port()
    with Server(name, [program, port], port, stop=signal.SIGINT):
        first = int(http(port, "GET / HTTP/1.1\nHost: x")[2].split()[0])
        time.sleep(0.5)
        later = int(http(port, "GET / HTTP/1.1\nHost: x")[2].split()[0])
        check(later > first, f"{name}: the timer runs beside the server", (first, later))
        takes_a_port(name, [program])
        refuses(name, [program, port], 1, "a port in use")


def worker_thread(name, program, folder):
    port = free_port()
    with Server(name, [program, port], port):
        takes_a_port(name, [program])
        check(http(port, "GET /27 HTTP/1.1\nHost: x")[2] == b"196418\n", f"{name}: answered from the thread")
        check(http(port, "GET /x HTTP/1.1\nHost: x")[0] == 404, f"{name}: 404")
        with connect(port) as gone:  # leaves before its answer is ready
            gone.sendall(b"GET /30 HTTP/1.1\r\nHost: x\r\n\r\n")
        check(http(port, "GET /10 HTTP/1.1\nHost: x")[2] == b"55\n", f"{name}: goes on when a client has left")
        refuses(name, [program, port], 1, "a port in use")


def form(parts, boundary="xYz"):
    """Body of multipart/form-data: [(name, file name or None, bytes)]"""
    body = b""
    for field, file, data in parts:
        file = f'; filename="{file}"' if file is not None else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'.encode() + data + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def second_of(post, store, name):
    """What a file is called whose name is taken, if it came whole."""
    post(form([("file", name, b"first")]))
    before = set(store.iterdir())
    status, _, _ = post(form([("file", name, b"second")]))
    return [p.name for p in set(store.iterdir()) - before if status == 200 and p.read_bytes() == b"second"]


def upload(name, program, folder):
    port, store = free_port(), folder / "files"
    store.mkdir()
    big = os.urandom(5 << 20)

    def post(body):
        return http(port, f"POST / HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=xYz\n"
                          f"Content-Length: {len(body)}", body)

    with Server(name, [program, port, store], port) as server:
        status, fields, body = http(port, "GET / HTTP/1.1\nHost: x")
        check(status == 200 and b"multipart/form-data" in body, f"{name}: the page", (status, body))
        parts = [("note", None, "grüße".encode()), ("file", "../../big.bin", big), ("file", "empty", b"")]
        status, _, body = post(form(parts))
        want = f"note: 7 bytes\nfile: ../../big.bin, {len(big)} bytes\nfile: empty, 0 bytes\n"
        check((status, body.decode()) == (200, want), f"{name}: says what came", (status, body))
        stored = {p.name: p.read_bytes() for p in store.iterdir()}
        check(stored == {"big.bin": big, "empty": b""}, f"{name}: stores the files", sorted(stored))
        post(form([("file", "big.bin", b"another")]))
        check((store / "1-big.bin").read_bytes() == b"another", f"{name}: overwrites nothing")
        check(second_of(post, store, "n" * 255) == ["1-" + "n" * 251], f"{name}: a long name is cut for its prefix")
        check(second_of(post, store, "a" + "ü" * 127) == ["1-a" + "ü" * 125], f"{name}: between characters")
        for n in range(1000):
            (store / (f"{n}-taken" if n else "taken")).touch()
        status, _, body = post(form([("file", "taken", b"no room"), ("file", "after it", b"x")]))
        check(status == 500 and body.startswith(b"not stored, nor what comes after it: taken: "),
              f"{name}: what cannot be stored is no success", (status, body))
        check(all(p.stat().st_size == 0 for p in store.glob("*taken")) and not (store / "after it").exists(),
              f"{name}: nor stored")
        check(post(form([("file", "after all", b"x")]))[0] == 200, f"{name}: goes on after it")
        check("5 MiB of a body of" in server.text(server.out), f"{name}: shows how far it is", server.text(server.out))
        for wrong in (form(parts)[:-10], b"junk"):
            status, _, body = post(wrong)
            check(status == 400 and body.startswith(b"400 Bad Request: "), f"{name}: a broken form", (status, body))
        check(http(port, "POST / HTTP/1.1\nHost: x\nContent-Length: 2", b"{}")[0] == 415, f"{name}: no form")
        files, open_before = sorted(store.iterdir()), len(os.listdir(f"/proc/{server.process.pid}/fd"))
        for size in (100, 100_000, 3_000_000):
            with connect(port) as gone:
                gone.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=xYz\r\n"
                             b"Content-Length: 9000000\r\n\r\n" + form([("file", "gone", big)])[:size])
        http(port, "GET / HTTP/1.1\nHost: x")  # those before it have been accepted by then

        def left():
            return len(os.listdir(f"/proc/{server.process.pid}/fd")) > open_before or sorted(store.iterdir()) != files

        deadline = time.monotonic() + 10
        while left() and time.monotonic() < deadline:
            time.sleep(0.01)
        check(not left(),
              f"{name}: a client that leaves leaves nothing", (open_before, sorted(store.iterdir())))
        refuses(name, [program, port], 1, "a port in use")
    takes_a_port(name, [program], most=2)
    for wrong in (folder / "missing", store / "empty"):
        refuses(name, [program, free_port(), wrong], 1, "what is no folder", str(wrong))


class Mirror:
    """A target that reads to the end and then sends all of it back."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(8)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.socket.accept()
                threading.Thread(target=self.mirror, args=(s,), daemon=True).start()

    @staticmethod
    def mirror(s):
        data = b""
        with contextlib.suppress(OSError), s:
            while chunk := s.recv(65536):
                data += chunk
            s.sendall(data)

    def __exit__(self, kind, error, trace):
        self.socket.close()


def tunnel(name, program, folder):
    port = free_port()

    def through(target, data):
        with connect(port) as s:
            s.sendall(f"CONNECT 127.0.0.1:{target} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + data[:10])
            s.sendall(data[10:])
            s.shutdown(socket.SHUT_WR)
            back = b""
            while chunk := s.recv(65536):
                back += chunk
        return back

    with Mirror() as target, Server(name, [program, port, target.port], port):
        data = os.urandom(5 << 20)
        head, _, back = through(target.port, data).partition(b"\r\n\r\n")
        check(head.startswith(b"HTTP/1.1 200 OK\r\n") and b"Content-Length" not in head and back == data,
              f"{name}: bytes go through and come back behind a half-close", (head, len(back)))
        check(through(target.port, b"").endswith(b"\r\n\r\n"), f"{name}: nothing goes through as well")
        check(through(target.port + 1, b"").startswith(b"HTTP/1.1 403 "), f"{name}: another target is refused")
        check(http(port, "GET / HTTP/1.1\nHost: x")[0] == 403, f"{name}: GET is refused")
        with connect(port) as gone:
            gone.sendall(f"CONNECT 127.0.0.1:{target.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        refuses(name, [program, port, target.port], 1, "a port in use")
        helps(name, [program])
        refuses(name, [program], 2, "no ports")
        refuses(name, [program, "--port", "1"], 2, "an unknown flag", "--port")
        refuses(name, [program, port, "x"], 2, "a bad port", "not a port: 'x'")
        held = connect(port)  # the stop ends it
        held.sendall(f"CONNECT 127.0.0.1:{target.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        check(held.recv(100).startswith(b"HTTP/1.1 200 "), f"{name}: a tunnel that stays open")
    held.close()
    port, nobody = free_port(), free_port()
    with Server(name, [program, port, nobody], port):
        check(through(nobody, b"").startswith(b"HTTP/1.1 502 "), f"{name}: a target that is not there")


def ws_client(name, program, folder):
    """To the echo server beside it; Tests/WebSocket/run.py has another implementation's (WS-19)."""
    port = free_port()
    lines = ["grüße", "", "x" * 70000, "last"]
    with Server(name, [pathlib.Path(program).parent / "echo", "--port", port], port):
        for flags in ([], ["-z"]):
            client = subprocess.Popen([program, *flags, f"ws://127.0.0.1:{port}/ws"], text=True, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            clock = threading.Timer(30, client.kill)
            clock.start()
            client.stdin.write("".join(line + "\n" for line in lines))
            client.stdin.flush()
            heard = "".join(client.stdout.readline() for _ in range(5))  # the long line is two messages
            out, errors = client.communicate()
            clock.cancel()
            want = "".join(f"{line}\n" for line in ["grüße", "", "x" * 65536, "x" * 4464, "last"])
            check((client.returncode, heard + out) == (0, want), f"{name} {flags}: what came back", errors)
            check(errors == "open\nclosed 1000\n", f"{name} {flags}: open, closed", errors)
    refuses(name, [program, f"ws://127.0.0.1:{free_port()}/"], 1, "nobody there")
    refuses(name, [program, "http://127.0.0.1/"], 1, "no WebSocket URL")
    helps(name, [program])
    refuses(name, [program], 2, "no URL")
    refuses(name, [program, "-z"], 2, "no URL")
    refuses(name, [program, "--bogus", "ws://127.0.0.1/"], 2, "an unknown flag", "--bogus")
    refuses(name, [program, "ws://127.0.0.1/", "other"], 2, "a word too many", "other")


def python_hello(name, program, folder):
    port = free_port()
    command = [sys.executable, program]
    with Server(name, command + [port], port, stop=signal.SIGINT):
        for _ in range(50):
            status, fields, body = http(port, "GET / HTTP/1.1\nHost: x")
            if (status, body) != (200, b"Hello, World!"):
                break
        check((status, body) == (200, b"Hello, World!"), f"{name}: GET /", (status, fields, body))
        check(http(port, "GET /x HTTP/1.1\nHost: x")[0] == 404, f"{name}: 404")
        refuses(name, command + [port], 1, "a port in use")
    takes_a_port(name, command)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    runs = []
    for folder in map(pathlib.Path, sys.argv[1:]):
        for test in (hello, echo, embed_loop, worker_thread, upload, tunnel, ws_client, restart, chat, chat_c):
            program = folder / test.__name__.replace("_", "-" if test is chat_c else "_")
            if program.is_file() and os.access(program, os.X_OK):
                runs.append((test, program))
                if test is echo and "--compress" in subprocess.run([program, "--help"], capture_output=True, text=True).stdout:
                    runs.append((codings, program))
        if (folder.parent / "lib/libgale.so").exists() and not re.search("asan|tsan", str(folder)):
            os.environ.setdefault("GALE_LIB", str(folder.parent / "lib/libgale.so"))
            runs.append((python_hello, ROOT / "examples/python/hello.py"))
    for test, program in runs:
        name = os.path.relpath(program, ROOT)
        before = results["failed"]
        with tempfile.TemporaryDirectory() as temporary:
            try:
                test(name, program, pathlib.Path(temporary))
            except (OSError, RuntimeError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
                check(False, name, repr(error))
        print(("ok   " if results["failed"] == before else "FAIL ") + name)
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not runs else 0


sys.exit(main())
