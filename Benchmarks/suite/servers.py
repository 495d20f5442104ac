"""The servers that are compared, and how each is started.

Order matters: a row stands next to those it is compared with, so that the two are measured
within a second of each other.
"""

from dataclasses import dataclass, field
from typing import Callable

from . import nginx, site
from .missing import Missing
from .paths import BENCHMARKS, EXAMPLES_C, EXAMPLES_SWIFT, shown
from .program import program, with_library
from .swift_package import SwiftPackage
from .venv import packages

HELLO = {"hello": "/hello"}
FILES = {"small": "/static/small.bin", "large": "/static/large.bin"}
ALL = {**HELLO, **FILES, "body": "/body"}


@dataclass
class Ready:
    """A server that can be started: command(port, folder, flags) gives its arguments."""
    command: Callable
    version: str = ""


@dataclass
class Server:
    key: str
    title: str
    prepare: Callable  # (options) -> Ready; raises Missing
    paths: dict = field(default_factory=lambda: ALL)  # what it is asked for, by target
    lacks: dict = field(default_factory=dict)  # why it has no part in a scenario
    flags: Callable = lambda scenario: ()  # with other flags another process is started
    every: int = 1  # measured in each so manieth round: ratios of 20 need no 15 rounds
    idle: bool = False
    websocket: str = ""  # path of one, to be held idle
    broadcast: str = ""  # path of one that sends each message on to all
    bounds_slow: bool = False  # and a socket that never reads ends at a limit
    by_name_only: bool = False  # measured when --only names it


def floor(options):
    binary = program("floor", ["floor/floor.c", "floor/large.c"])
    return Ready(lambda port, folder, flags: [binary, "--port", port, *flags])


def floor_flags(scenario):
    if scenario.file:
        return ("--body-file", scenario.file)
    return ("--close",) if scenario.closes else ()


def gale_c(options):
    return echo(EXAMPLES_C / "echo")


def gale_swift(options):
    return echo(options.swift_echo or EXAMPLES_SWIFT / "echo")


def echo(path):
    if not path.exists():
        raise Missing(f"{shown(path)} is not there: run make examples first")
    return Ready(lambda port, folder, flags: [
        path, "--host", "127.0.0.1", "--port", port, "--workers", "1", "--root", site.FOLDER])


def nginx_server(cached):
    def prepare(options):
        binary, version = nginx.find()
        return Ready(lambda port, folder, flags: nginx.command(
            binary, port, folder, site.FOLDER, cached), version)
    return prepare


def peer(binary, version, *before):
    return Ready(lambda port, folder, flags: [
        *before, binary, "--port", port, "--root", site.FOLDER], version)


def c_peer(name, package, module, *libraries):
    def prepare(options):
        sources = [f"peers/c/{name}.c", "peers/c/flags.c"]
        return peer(*with_library(package, module, name, sources, libraries))
    return prepare


def swift_peer(name):
    return lambda options: peer(*SwiftPackage(name).prepare(options.may_build))


def python_peer(module, *names):
    def prepare(options):
        python, version = packages(options.may_build, module, *names)
        return peer(BENCHMARKS / "peers" / f"{module}_server.py", version, python)
    return prepare


NGINX_PATHS = ALL if nginx.HAS_LUA else {**HELLO, **FILES}
NO_LUA = {"post": "needs its Lua module: apt-get install libnginx-mod-http-lua"}

SERVERS = [
    Server("floor", "bare epoll (the floor)", floor, flags=floor_flags),
    # The floor against itself: how far its ratio is from 1 is the error of the others.
    Server("floor-again", "bare epoll, again", floor, flags=floor_flags, by_name_only=True),
    Server("c", "Gale C", gale_c, idle=True, websocket="/ws",
           broadcast="/broadcast", bounds_slow=True),
    Server("swift", "Gale Swift closure", gale_swift, idle=True, websocket="/ws",
           broadcast="/broadcast", bounds_slow=True),
    Server("swift-class", "Gale Swift async class", gale_swift, paths={"hello": "/hello-class"}),
    Server("nginx", "nginx", nginx_server(False), paths=NGINX_PATHS,
           lacks={} if nginx.HAS_LUA else NO_LUA, idle=True),
    Server("nginx-cache", "nginx, open_file_cache", nginx_server(True), paths=FILES),
    Server("h2o", "h2o (libh2o)", c_peer(
        "h2o", "libh2o-evloop-dev libssl-dev", "libh2o-evloop", "-lh2o-evloop"), idle=True),
    Server("mhd", "libmicrohttpd", c_peer(
        "mhd", "libmicrohttpd-dev", "libmicrohttpd", "-lmicrohttpd")),
    Server("evhttp", "libevent (evhttp)", c_peer(
        "evhttp", "libevent-dev", "libevent", "-levent")),
    Server("hummingbird", "Hummingbird", swift_peer("hummingbird"), every=3),
    Server("flyingfox", "FlyingFox", swift_peer("flyingfox"), every=3),
    Server("uvicorn", "uvicorn with uvloop", python_peer(
        "uvicorn", "uvicorn", "uvloop", "httptools", "starlette"), every=3),
    Server("tornado", "Tornado", python_peer("tornado", "tornado"), every=3,
           broadcast="/broadcast"),
]
