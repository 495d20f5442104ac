"""The servers that are compared, and how each is started.

Order matters: a row stands next to those it is compared with, so that the two are measured
within a second of each other.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Callable

from .hummingbird import hummingbird
from .missing import Missing
from .paths import BENCHMARKS, EXAMPLES_C, EXAMPLES_SWIFT, shown
from .program import program
from .tornado import tornado


@dataclass
class Ready:
    """A server that can be started: command(port, folder) gives its arguments."""
    command: Callable
    version: str = ""


@dataclass
class Server:
    key: str
    title: str
    prepare: Callable  # (may_build) -> Ready; raises Missing
    path: str = "/hello"
    by_name_only: bool = False  # measured when --only names it


def floor(may_build):
    binary = program("floor", "floor")
    return Ready(lambda port, folder: [binary, "--port", port])


def example(path, target):
    def prepare(may_build):
        if not path.exists():
            raise Missing(f"{shown(path)} is not there: run {target} first")
        return Ready(lambda port, folder: [
            path, "--host", "127.0.0.1", "--port", port, "--workers", "1"])
    return prepare


NGINX_CONF = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /hello {{ default_type text/plain; return 200 "Hello, World!"; }}
    }}
}}
"""


def nginx(may_build):
    # Debian keeps it in sbin, which is not on every user's path.
    binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if binary is None:
        raise Missing("not installed: apt-get install nginx-light")
    asked = subprocess.run([binary, "-v"], capture_output=True, text=True).stderr
    version = re.search(r"nginx/(\S+)", asked)

    def command(port, folder):
        conf = folder / "nginx.conf"
        conf.write_text(NGINX_CONF.format(port=port, folder=folder))
        return [binary, "-p", folder, "-c", conf]
    return Ready(command, version.group(1) if version else "")


def mhd(may_build):
    try:
        binary = program("mhd", "peers", libraries=["microhttpd"], only="mhd.c")
    except Missing as missing:
        if "microhttpd.h" in str(missing):
            raise Missing("not installed: apt-get install libmicrohttpd-dev")
        raise
    asked = subprocess.run(["pkg-config", "--modversion", "libmicrohttpd"],
                           capture_output=True, text=True) if shutil.which("pkg-config") else None
    return Ready(lambda port, folder: [binary, "--port", port],
                 asked.stdout.strip() if asked else "")


def tornado_hello(may_build):
    python, version = tornado(may_build)
    script = BENCHMARKS / "peers" / "tornado_hello.py"
    return Ready(lambda port, folder: [python, script, "--port", port], version)


def hummingbird_hello(may_build):
    binary, version = hummingbird(may_build)
    return Ready(lambda port, folder: [binary, "--port", port], version)


C_ECHO = example(EXAMPLES_C / "echo", "make examples")
SWIFT_ECHO = example(EXAMPLES_SWIFT / "echo", "make examples")

SERVERS = [
    Server("floor", "bare epoll (the floor)", floor),
    # The floor against itself: how far its ratio is from 1 is the error of the others.
    Server("floor-again", "bare epoll, again", floor, by_name_only=True),
    Server("c", "Gale C", C_ECHO),
    Server("swift", "Gale Swift closure", SWIFT_ECHO),
    Server("swift-class", "Gale Swift async class", SWIFT_ECHO, path="/hello-class"),
    Server("nginx", "nginx", nginx),
    Server("mhd", "libmicrohttpd", mhd),
    Server("hummingbird", "Hummingbird", hummingbird_hello),
    Server("tornado", "Tornado", tornado_hello),
]
