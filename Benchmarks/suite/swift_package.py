"""Peers in Swift: each a package of its own, built once and kept."""

import json
import shutil
import subprocess
import sys

from .missing import Missing, last_line
from .paths import BENCHMARKS, MADE, shown


class SwiftPackage:
    def __init__(self, name):
        self.name = name
        self.package = BENCHMARKS / "peers" / f"{name}-server"
        self.folder = MADE / name
        self.program = self.folder / "release" / f"{name}-server"

    def prepare(self, may_build):
        """Returns (program, version)."""
        if not self.is_fresh():
            if not may_build:
                raise Missing("not built, and --no-build was given")
            self.build()
        return self.program, self.version()

    def is_fresh(self):
        inputs = [self.package / "Package.swift", *self.package.glob("Sources/*/*.swift")]
        return self.program.exists() and all(
            self.program.stat().st_mtime > i.stat().st_mtime for i in inputs)

    def build(self):
        if shutil.which("swift") is None:
            raise Missing("Swift is not installed, so it can't be built")
        print(f"bench: building {self.name} once, which takes some minutes ...", file=sys.stderr)
        command = ["swift", "build", "-c", "release", "--package-path", self.package,
                   "--scratch-path", self.folder]
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "bench-build.log"
        with open(log, "w") as out:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT).returncode
        if code != 0:
            lines = [line for line in log.read_text().splitlines() if "error:" in line]
            why = lines[0].strip() if lines else last_line(log.read_text())
            raise Missing(f"its build failed ({shown(log)}): {why}")
        # SwiftPM leaves an unchanged program alone; without this it would be asked each time.
        self.program.touch()

    def version(self):
        try:
            pins = json.loads((self.package / "Package.resolved").read_text())["pins"]
            return next(p["state"]["version"] for p in pins if p["identity"] == self.name)
        except (OSError, ValueError, KeyError, StopIteration):
            return ""
