"""Request heads a second: Gale's parser beside llhttp and picohttpparser, on a browser's request."""

import json
import subprocess
from dataclasses import dataclass, field
from statistics import median

from .missing import Missing, last_line
from .paths import BUILD, ROOT
from .program import FLAGS, program
from .rounds import say
from .venv import source

REQUEST = ROOT / "Tests" / "CTests" / "fuzz" / "corpus" / "request" / "browser"
LLHTTP = ("httptools", "0.9.0")
PICO = ("gunicorn_h1c", "0.6.10")


@dataclass
class Parser:
    key: str
    title: str
    make: object  # (options) -> program; raises Missing
    binary: object = None
    ns: list = field(default_factory=list)  # of a request, in each round
    trouble: str = ""

    def median_ns(self):
        return median(self.ns) if self.ns else None


def gale(options):
    library = BUILD / "lib" / "libgale.a"
    if not library.exists():
        raise Missing("build/lib/libgale.a is not there: run make lib first")
    return program("parser-gale", ["parser/main.c", "parser/gale.c", library],
                   flags=[*FLAGS, f"-I{ROOT / 'include'}", f"-I{ROOT / 'CSupport' / 'core'}"],
                   libraries=["-luv", "-lz", "-lpthread"])


def llhttp(*more):
    def make(options):
        folder = source(options.may_build, *LLHTTP) / "vendor" / "llhttp"
        sources = [folder / "src" / name for name in ("llhttp.c", "http.c", "api.c")]
        # As its own makefile builds it; its warnings are its own.
        flags = ["-std=gnu11", "-O3", "-w", f"-I{folder / 'include'}", *more]
        return program("-".join(["parser-llhttp", *(m.strip("-") for m in more)]),
                       ["parser/main.c", "parser/llhttp.c", *sources], flags=flags)
    return make


def pico(options):
    folder = source(options.may_build, *PICO) / "src" / "gunicorn_h1c" / "picohttpparser"
    flags = ["-std=gnu11", "-O3", "-w", "-march=native", f"-I{folder}"]
    return program("parser-pico", ["parser/main.c", "parser/pico.c", folder / "picohttpparser.c"],
                   flags=flags)


def parsers():
    return [
        Parser("gale", "Gale", gale),
        Parser("llhttp", f"llhttp ({' '.join(LLHTTP)}), no callbacks", llhttp()),
        Parser("llhttp-fields", "llhttp, fields kept", llhttp("-DKEEP_FIELDS")),
        Parser("picohttpparser", f"picohttpparser ({' '.join(PICO)}), SSE4.2", pico),
    ]


def prepare(options):
    found = parsers()
    for parser in found:
        try:
            parser.binary = parser.make(options)
        except Missing as missing:
            parser.trouble = str(missing)
    return found


def measure(options, core, rounds):
    found = prepare(options)
    for number in range(rounds):
        say(f"parsers, round {number + 1} of {rounds}")
        for parser in found[::-1] if number % 2 else found:
            run(parser, core)
    say("")
    return found


def run(parser, core):
    if parser.trouble:
        return
    done = subprocess.run(["taskset", "-c", str(core), parser.binary, REQUEST],
                          capture_output=True, text=True)
    if done.returncode != 0:
        parser.trouble = last_line(done.stderr)
        return
    parser.ns.append(json.loads(done.stdout)["ns"])


def size():
    return REQUEST.stat().st_size
