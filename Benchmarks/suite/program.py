"""C programs of the suite, compiled when their sources are newer."""

import os
import shlex
import shutil
import subprocess

from .missing import Missing, last_line
from .paths import BENCHMARKS, MADE

FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def program(name, sources, libraries=(), flags=FLAGS, inputs=()):
    """Returns the path of the program `name`; sources are paths below this folder, or whole ones."""
    sources = [BENCHMARKS / source for source in sources]
    headers = [header for source in sources for header in source.parent.glob("*.h")]
    target = MADE / name
    newest = max(path.stat().st_mtime for path in [*sources, *headers, *inputs])
    if target.exists() and target.stat().st_mtime > newest:
        return target
    compiler = shlex.split(os.environ.get("CC", "cc"))
    if shutil.which(compiler[0]) is None:
        raise Missing(f"no C compiler: {compiler[0]}")
    MADE.mkdir(parents=True, exist_ok=True)
    command = [*compiler, *flags, "-o", target, *sources, *libraries]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode != 0:
        raise Missing(f"{name} doesn't compile: {first_error(made.stderr)}")
    return target


def with_library(package, module, name, sources, libraries):
    """The same for a program that needs a library; names the Debian package when it isn't there."""
    try:
        binary = program(name, sources, libraries)
    except Missing as missing:
        if "No such file" in str(missing) or "cannot find -l" in str(missing):
            raise Missing(f"not installed: apt-get install {package}")
        raise
    return binary, version_of(module)


def version_of(module):
    if shutil.which("pkg-config") is None:
        return ""
    asked = subprocess.run(["pkg-config", "--modversion", module], capture_output=True, text=True)
    return asked.stdout.strip()


def first_error(text):
    errors = [line for line in text.splitlines() if "error" in line or "cannot find" in line]
    return errors[0].strip() if errors else last_line(text)
