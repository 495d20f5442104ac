"""C programs of the suite, compiled when their sources are newer."""

import os
import shlex
import shutil
import subprocess

from .missing import Missing, last_line
from .paths import BENCHMARKS, PROGRAMS

FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def program(name, folder, libraries=(), only=None):
    """Returns the path of the program `name`, made of the C files of a folder (or of one)."""
    sources = [BENCHMARKS / folder / only] if only else sorted((BENCHMARKS / folder).glob("*.c"))
    inputs = sources + sorted((BENCHMARKS / folder).glob("*.h"))
    target = PROGRAMS / name
    if target.exists() and all(target.stat().st_mtime > i.stat().st_mtime for i in inputs):
        return target
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        raise Missing(f"no C compiler: {compiler[0]}")
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    command = [*compiler, *FLAGS, "-o", target, *sources, *(f"-l{l}" for l in libraries)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        raise Missing(f"{name} doesn't compile: {first_error(made.stderr)}")
    return target


def first_error(text):
    errors = [line for line in text.splitlines() if "error" in line]
    return errors[0].strip() if errors else last_line(text)
