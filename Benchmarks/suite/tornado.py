"""Tornado from PyPI, in a virtual environment of its own."""

import subprocess
import sys

from .missing import Missing, last_line
from .paths import VENV

PYTHON = VENV / "bin" / "python3"


def tornado(may_build):
    """Returns (python, version)."""
    version = installed()
    if version is None:
        if not may_build:
            raise Missing("not installed, and --no-build was given")
        install()
        version = installed()
    if version is None:
        raise Missing("pip installed it, but it can't be imported")
    return PYTHON, version


def installed():
    if not PYTHON.exists():
        return None
    asked = subprocess.run([PYTHON, "-c", "import tornado; print(tornado.version)"],
                           capture_output=True, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else None


def install():
    print("bench: installing Tornado in build/bench-venv ...", file=sys.stderr)
    for command in ([sys.executable, "-m", "venv", VENV],
                    [PYTHON, "-m", "pip", "install", "--quiet", "tornado"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Missing(f"no virtual environment: {error}")
        if done.returncode != 0:
            said = last_line(done.stderr or done.stdout)
            raise Missing(f"can't be installed (Debian needs python3-venv, and pip a network): {said}")
