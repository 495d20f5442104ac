"""Hummingbird's hello: a Swift package of its own, built once and kept."""

import json
import shutil
import subprocess
import sys

from .missing import Missing, last_line
from .paths import BENCHMARKS, HUMMINGBIRD, shown

PACKAGE = BENCHMARKS / "peers" / "hummingbird-hello"
PROGRAM = HUMMINGBIRD / "release" / "hummingbird-hello"


def is_fresh():
    inputs = [PACKAGE / "Package.swift", *PACKAGE.glob("Sources/*/*.swift")]
    return PROGRAM.exists() and all(
        PROGRAM.stat().st_mtime > i.stat().st_mtime for i in inputs)


def hummingbird(may_build):
    """Returns (program, version)."""
    if not is_fresh():
        if not may_build:
            raise Missing("not built, and --no-build was given")
        build()
    return PROGRAM, version()


def build():
    if shutil.which("swift") is None:
        raise Missing("Swift is not installed, so its hello can't be built")
    print("bench: building Hummingbird once, which takes some minutes ...", file=sys.stderr)
    command = ["swift", "build", "-c", "release", "--package-path", PACKAGE,
               "--scratch-path", HUMMINGBIRD]
    HUMMINGBIRD.mkdir(parents=True, exist_ok=True)
    log = HUMMINGBIRD / "bench-build.log"
    with open(log, "w") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
    if code != 0:
        lines = [line for line in log.read_text().splitlines() if "error:" in line]
        why = lines[0].strip() if lines else last_line(log.read_text())
        raise Missing(f"its build failed ({shown(log)}): {why}")
    # SwiftPM leaves an unchanged program alone; without this it would be asked each time.
    PROGRAM.touch()


def version():
    try:
        pins = json.loads((PACKAGE / "Package.resolved").read_text())["pins"]
        return next(p["state"]["version"] for p in pins if p["identity"] == "hummingbird")
    except (OSError, ValueError, KeyError, StopIteration):
        return ""
