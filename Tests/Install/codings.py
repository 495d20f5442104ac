"""Content codings with the tools that people have: curl --compressed, and Python's gzip and zlib."""
import gzip
import json
import os
import shutil
import subprocess
import zlib

from wire import Server, check, free_port, http

PAGE = b"".join(b"<li>item %d of a list that goes on</li>\n" % i for i in range(20000))


def responses(name, port, root):
    text = (root / "page.html").read_bytes()
    for coding, decode in [("gzip", gzip.decompress), ("deflate", zlib.decompress)]:
        head = f"GET /static/page.html HTTP/1.1\nHost: x\nAccept-Encoding: {coding}"
        status, fields, body = http(port, head)
        chunks, rest = b"", body
        while fields.get("transfer-encoding") == "chunked" and rest:
            size, _, rest = rest.partition(b"\r\n")
            chunks, rest = chunks + rest[:int(size, 16)], rest[int(size, 16) + 2:]
        check(status == 200 and fields.get("content-encoding") == coding and decode(chunks) == text
              and "Accept-Encoding" in fields.get("vary", "") and fields.get("etag", "W/").startswith("W/"),
              f"{name}: {coding}", (status, fields))
    status, fields, body = http(port, "GET /static/page.html HTTP/1.1\nHost: x")
    check(status == 200 and body == text and "content-encoding" not in fields, f"{name}: plain", (status, fields))
    status, fields, body = http(port, "GET /static/noise HTTP/1.1\nHost: x\nAccept-Encoding: gzip")
    check(body == (root / "noise").read_bytes() and "vary" not in fields, f"{name}: no text", (status, fields))
    if shutil.which("curl"):
        got = subprocess.run(["curl", "-s", "--compressed", "--max-time", "20", f"http://127.0.0.1:{port}/static/page.html"],
                             capture_output=True)
        check(got.returncode == 0 and got.stdout == text, f"{name}: curl --compressed", (got.returncode, len(got.stdout)))


def requests(name, port):
    for coding, body in [("gzip", gzip.compress(PAGE[:1000]) + gzip.compress(PAGE[1000:5000])),
                         ("deflate", zlib.compress(PAGE[:5000]))]:
        status, _, answer = http(port, f"POST /body HTTP/1.1\nHost: x\nContent-Encoding: {coding}\n"
                                 f"Content-Length: {len(body)}", body)
        check(status == 200 and answer == PAGE[:5000], f"{name}: a body in {coding}", (status, len(answer)))
    body = gzip.compress(b"hello")
    _, _, answer = http(port, f"POST /x HTTP/1.1\nHost: x\nContent-Encoding: gzip\nContent-Length: {len(body)}", body)
    names = [n.lower() for n, _ in json.loads(answer)["headers"]]
    check("x-consumed-content-encoding" in names and "content-encoding" not in names, f"{name}: the field's name", names)
    for what, status, body in [("cut short", 400, body[:-1]), ("a bomb", 413, gzip.compress(bytes(50 << 20)))]:
        got, _, _ = http(port, f"POST /x HTTP/1.1\nHost: x\nContent-Encoding: gzip\nContent-Length: {len(body)}", body)
        check(got == status, f"{name}: {what}", got)
    got, fields, _ = http(port, "POST /x HTTP/1.1\nHost: x\nContent-Encoding: lzma\nContent-Length: 1", b"x")
    check(got == 415 and "gzip" in fields.get("accept-encoding", ""), f"{name}: another coding", (got, fields))


def codings(name, program, folder):
    """The echo server in C with --compress."""
    root, port = folder / "www", free_port()
    root.mkdir()
    (root / "page.html").write_bytes(PAGE)
    (root / "noise").write_bytes(os.urandom(100000))
    with Server(f"{name} --compress", [program, "--port", port, "--root", root, "--compress"], port):
        responses(name, port, root)
        requests(name, port)
