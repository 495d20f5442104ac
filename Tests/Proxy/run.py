#!/usr/bin/env python3
"""Gale behind real proxies, as docs/deploy.md has them: run.py ECHO (build/examples/echo)

Takes the configurations out of the document, starts nginx, haproxy and systemd's tools with them on ports of 127.0.0.1,
and talks to the C echo server through them: rows H1-23, H1-24, H1-25, H1-27, H1-28. Needs Debian's nginx,
libnginx-mod-stream, haproxy, openssl and systemd. Python's standard library only. Last line: N passed, N failed.
"""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CLIENT = "127.0.0.9"  # whom nobody trusts; the proxies speak to Gale from 127.0.0.1
results = {"passed": 0, "failed": 0}


def check(good, what, detail=""):
    results["passed" if good else "failed"] += 1
    if not good:
        print(f"FAIL {what}{': ' + str(detail)[:800] if detail != '' else ''}")


def snippets():
    """{(language, a word of it): text} of the document's blocks."""
    text = (ROOT / "docs/deploy.md").read_text()
    return re.findall(r"^```([\w-]+)\n(.*?)^```$", text, re.M | re.S)


def snippet(language, word):
    found = [text for kind, text in snippets() if kind == language and word in text]
    if len(found) != 1:
        raise RuntimeError(f"docs/deploy.md has {len(found)} blocks of {language} with {word!r}")
    return found[0]


def put(text, **places):
    """The text with other ports and paths; each must be there."""
    for old, new in places.items():
        old = {"gale": "127.0.0.1:8080", "socket": "/run/app/gale.sock", "cert": "/etc/ssl/site.pem", "listen": "listen 80;",
               "bind": "bind :80\n", "tls": "bind :443 ", "app": "/usr/local/bin/app"}[old]
        if old not in text:
            raise RuntimeError(f"{old!r} is not in docs/deploy.md's block")
        text = text.replace(old, new)
    return text


# --------------------------------------------------------------------------------------------------------- processes


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def process(command, address, stop=signal.SIGTERM, env=None):
    """A server that answers at address (a port, or the path of a unix socket) until the block is left."""
    name = os.path.basename(str(command[0]))
    with tempfile.TemporaryFile("w+") as log:
        p = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        try:
            for _ in range(200):
                with contextlib.suppress(OSError):
                    connect(address, source=None).close()
                    break
                if p.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"{name} ended: {log.read()[-1000:]}")
                time.sleep(0.05)
            else:
                raise RuntimeError(f"{name} does not listen on {address}")
            yield p
        finally:
            p.send_signal(stop)
            try:
                status = p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                status = p.wait()
            if name == "echo":
                log.seek(0)
                text = log.read()
                check(status == 0, "echo stops with 0", (status, text[-500:]))
                check("anitizer" not in text, "no sanitizer report", text)


@contextlib.contextmanager
def echo(program, *flags, address=None):
    """The echo server; gives its port, or with an address of its own, that."""
    port = free_port() if address is None else address
    flags = [f.replace("PORT", str(port)) for f in flags]
    with process([program, "--workers", "2", *flags], port):
        yield port


def nginx(folder, http="", stream="", modules=""):
    """Command of an nginx with these blocks."""
    stream = f"stream {{ {stream} }}" if stream else ""
    config = folder / "nginx.conf"
    os.chmod(folder, 0o755)  # its workers may be another user
    config.write_text(f"""
        {modules}
        daemon off; pid {folder}/nginx.pid; error_log stderr warn; worker_processes 1;
        events {{ worker_connections 256; }}
        http {{
            access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            {http}
        }}
        {stream}""")
    return ["/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", config]


def haproxy(folder, text):
    config = folder / "haproxy.cfg"
    config.write_text("defaults\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n\n" + text)
    return ["/usr/sbin/haproxy", "-db", "-f", config]


# ----------------------------------------------------------------------------------------------------------- clients


def connect(address, source=CLIENT, tls=None):
    if isinstance(address, str):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(address)
        return s
    s = socket.create_connection(("127.0.0.1", address), 10, source_address=(source, 0) if source else None)
    return tls.wrap_socket(s, server_hostname="localhost") if tls else s


def read_response(s, data=b""):
    """(status, {field: value}, body, what came behind it)"""
    while b"\r\n\r\n" not in data:
        chunk = s.recv(65536)
        if not chunk:
            raise OSError(f"closed after {data!r}")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines[1:])}
    length = int(fields.get("content-length", 0))
    while len(body) < length:
        chunk = s.recv(65536)
        if not chunk:
            raise OSError("closed within a body")
        body += chunk
    return int(lines[0].split()[1]), fields, body[:length], body[length:]


def who(s, port, fields=""):
    """What Gale takes this client for."""
    text = f"GET /client HTTP/1.1\nHost: localhost:{port}\n{fields}\n"
    s.sendall(text.replace("\n", "\r\n").encode())
    status, _, body, _ = read_response(s)
    if status != 200:
        raise OSError(f"{status} {body!r}")
    return json.loads(body)


def is_client(got, want, what):
    check(all(got[k] == v for k, v in want.items()), what, f"{got}, want {want}")


# ------------------------------------------------------------------------------------------------------------- tests

LIES = ("X-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil.example\nX-Real-Ip: 6.6.6.6\n"
        "X-Scheme: https\nForwarded: for=6.6.6.6;proto=https;host=evil.example\n")


def talk(name, front, scheme="http", peer="127.0.0.1", tls=None):
    """Everything a client may do through a proxy that knows HTTP, or only bytes."""
    page = f"{scheme}://localhost:{front}"
    want = {"address": CLIENT, "scheme": scheme, "host": f"localhost:{front}", "peer": peer, "same_origin": True}
    with connect(front, tls=tls) as s:
        for i in range(20):  # on one connection; each request for itself
            is_client(who(s, front, LIES if i % 2 else ""), want, f"{name}: the client, request {i}, lies {i % 2}")
        is_client(who(s, front, f"Origin: {page}\n"), {"same_origin": True}, f"{name}: its own origin")
        is_client(who(s, front, "Origin: http://evil.example\n"), {"same_origin": False}, f"{name}: another origin")
        if scheme == "https":
            is_client(who(s, front, f"Origin: http://localhost:{front}\n"), {"same_origin": False},
                      f"{name}: the same host by http")
        body = os.urandom(300_000)
        s.sendall(f"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        got = read_response(s)
        check(got[2] == body, f"{name}: a body there and back", (got[0], got[1], len(got[2]), got[2][:200]))
    with connect(front, tls=tls) as s:
        s.sendall((f"GET /ws HTTP/1.1\r\nHost: localhost:{front}\r\nOrigin: {page}\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        status, _, _, rest = read_response(s)
        s.sendall(b"\x81\x85\0\0\0\0hello")
        while len(rest) < 7:
            rest += s.recv(100)
        check((status, rest) == (101, b"\x81\x05hello"), f"{name}: a WebSocket", (status, rest))
    workers = set()
    for _ in range(20):
        with connect(front, tls=tls) as s:
            workers.add(who(s, front)["worker"])
    return workers


def behind_nginx(program, folder):
    front = free_port()
    with echo(program, "--port", "PORT", "--trust", "127.0.0.1") as port:
        http = put(snippet("nginx", "map "), gale=f"127.0.0.1:{port}", listen=f"listen 127.0.0.1:{front};")
        with process(nginx(folder, http), front, signal.SIGQUIT):
            talk("nginx", front)
    with echo(program, "--port", "PORT") as port:  # trusted by nobody
        http = put(snippet("nginx", "map "), gale=f"127.0.0.1:{port}", listen=f"listen 127.0.0.1:{front};")
        with process(nginx(folder, http), front, signal.SIGQUIT), connect(front) as s:
            is_client(who(s, front), {"address": "127.0.0.1", "scheme": "http"}, "nginx, not trusted: the proxy")


def behind_nginx_on_a_unix_socket(program, folder):
    """H1-27"""
    front, path = free_port(), str(folder / "gale.sock")
    site = snippet("nginx", "map ")
    upstream = put(snippet("nginx", "gale.sock"), socket=path)
    site = re.sub(r"upstream gale \{.*?\n\}\n", lambda _: upstream, site, flags=re.S)
    with echo(program, "--listen", f"unix:{path}?mode=0660", "--trust", "unix", address=path):
        check(os.stat(path).st_mode & 0o777 == 0o660, "unix socket: its mode", oct(os.stat(path).st_mode))
        os.chmod(path, 0o666)  # nginx's workers may be in no group of ours
        with process(nginx(folder, put(site, listen=f"listen 127.0.0.1:{front};")), front, signal.SIGQUIT):
            talk("nginx, unix socket", front, peer="")
    check(not os.path.exists(path), "unix socket: its file goes")


def behind_haproxy(program, folder):
    front = free_port()
    with echo(program, "--port", "PORT", "--trust", "127.0.0.1") as port:
        text = put(snippet("haproxy", "forwardfor"), gale=f"127.0.0.1:{port}", bind=f"bind 127.0.0.1:{front}\n")
        with process(haproxy(folder, text), front):
            talk("haproxy", front)


def certificate(folder):
    pem, key = folder / "site.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    context = ssl.create_default_context(cafile=str(pem))
    pem.write_bytes(pem.read_bytes() + key.read_bytes())
    return pem, context


def behind_haproxy_by_proxy_protocol(program, folder):
    """H1-28, H1-24: versions 1 and 2, with checksum, with TLS that ends in front."""
    front = free_port()
    pem, tls = certificate(folder)
    with echo(program, "--listen", "http://127.0.0.1:PORT?proxy=required", "--trust", "127.0.0.1") as port:
        text = put(snippet("haproxy", "send-proxy-v2-ssl"), gale=f"127.0.0.1:{port}", cert=str(pem),
                   tls=f"bind 127.0.0.1:{front} ")
        with process(haproxy(folder, text), front):
            workers = talk("haproxy, version 2 with TLS", front, scheme="https", tls=tls)
            check(workers == {0, 1}, "both workers serve", workers)
        plain = text.replace(f" ssl crt {pem}", "")
        for kind in ("send-proxy", "send-proxy-v2"):
            with process(haproxy(folder, plain.replace("send-proxy-v2-ssl proxy-v2-options crc32c", kind)), front):
                talk(f"haproxy, {kind}", front)
        with connect(port, source=None) as s:  # around the proxy
            s.sendall(b"GET /client HTTP/1.1\r\nHost: h\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                check(s.recv(100) == b"", "PROXY header required: a connection without one is cut")


def behind_nginx_by_proxy_protocol(program, folder):
    """H1-28, H1-24"""
    front = free_port()
    with echo(program, "--listen", "http://127.0.0.1:PORT?proxy=required") as port:
        stream = put(snippet("nginx-stream", "proxy_protocol"), gale=f"127.0.0.1:{port}", listen=f"listen 127.0.0.1:{front};")
        module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;"
        with process(nginx(folder, stream=stream, modules=module), front, signal.SIGQUIT):
            talk("nginx, stream", front)


def other_families(program, folder):
    """H1-23: the family that is asked for, and no other."""
    for family, fields in (("rfc7239", 'Forwarded "for=$remote_addr;proto=https;host=front.example"'),
                           ("x-real-ip", "X-Real-Ip $remote_addr; proxy_set_header X-Scheme https")):
        front = free_port()
        with echo(program, "--port", "PORT", "--trust", "127.0.0.1", "--forwarded", family) as port:
            http = (f"server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://127.0.0.1:{port}; "
                    f"proxy_set_header Host $http_host; proxy_set_header {fields}; }} }}")
            with process(nginx(folder, http), front, signal.SIGQUIT), connect(front) as s:
                host = "front.example" if family == "rfc7239" else f"localhost:{front}"
                lies = LIES.replace("Forwarded: for", "X-Other: for") if family == "rfc7239" else LIES
                is_client(who(s, front, lies), {"address": CLIENT, "scheme": "https", "host": host}, f"nginx, {family}")


def by_systemd(program, folder):
    """H1-25: sockets handed over by systemd's own tool, one of them by name; and READY=1."""
    web, admin = free_port(), free_port()
    ready = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(ready)
        manager.settimeout(10)
        # It starts the program in its own process at the first client, which the program then finds in the queue.
        command = ["systemd-socket-activate", "-l", f"127.0.0.1:{web}", "-l", f"127.0.0.1:{admin}", "--fdname=web:admin", "-E",
                   f"NOTIFY_SOCKET={ready}", program, "--workers", "2", "--listen", "systemd:"]
        with process(command, web, signal.SIGTERM):
            check(manager.recv(100) == b"READY=1", "systemd: READY=1")
            workers = set()
            for port in (web, admin):
                for _ in range(10):
                    with connect(port) as s:
                        got = who(s, port)
                    is_client(got, {"address": CLIENT, "peer": CLIENT}, "systemd: the client")
                    workers.add(got["worker"])
            check(workers == {0, 1}, "systemd: both workers serve the handed sockets", workers)


def units(program, folder):
    """What docs/deploy.md says of systemd is what systemd understands."""
    for kind, text in snippets():
        if kind != "ini":
            continue
        name = re.match(r"# /etc/systemd/system/(\S+)\n", text).group(1)
        (folder / name).write_text(text.replace("/usr/local/bin/app", str(pathlib.Path(program).resolve())))
    names = sorted(str(p) for p in folder.iterdir())
    check([os.path.basename(n) for n in names] == ["app.service", "app.socket"], "two units", names)
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *names], capture_output=True, text=True)
    check(verified.returncode == 0 and not verified.stderr.strip(), "systemd-analyze verify", verified.stderr)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    for test in (behind_nginx, behind_nginx_on_a_unix_socket, behind_haproxy, behind_haproxy_by_proxy_protocol,
                 behind_nginx_by_proxy_protocol, other_families, by_systemd, units):
        before = results["failed"]
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(program, pathlib.Path(folder))
            except (OSError, RuntimeError, ValueError, KeyError, subprocess.SubprocessError) as error:
                check(False, test.__name__, repr(error))
        print(("ok   " if results["failed"] == before else "FAIL ") + test.__name__.replace("_", " "))
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not results["passed"] else 0


sys.exit(main())
