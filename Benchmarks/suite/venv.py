"""What comes from PyPI: peers in a virtual environment of their own, and sources of parsers."""

import subprocess
import sys
import tarfile

from .missing import Missing, last_line
from .paths import MADE

FOLDER = MADE / "venv"
PYTHON = FOLDER / "bin" / "python3"
SOURCES = MADE / "sources"


def packages(may_build, module, *names):
    """Installs what isn't there; returns (python, version of the first)."""
    version = installed(module)
    if version is None:
        if not may_build:
            raise Missing("not installed, and --no-build was given")
        print(f"bench: installing {' '.join(names)} in build/bench/venv ...", file=sys.stderr)
        pip("install", *names)
        version = installed(module)
    if version is None:
        raise Missing(f"pip installed it, but {module} can't be imported")
    return PYTHON, version


def installed(module):
    if not PYTHON.exists():
        return None
    asked = subprocess.run(
        [PYTHON, "-c", f"import {module}, importlib.metadata as m; print(m.version('{module}'))"],
        capture_output=True, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else None


def source(may_build, name, version):
    """The folder of a package's unpacked sources; they are compiled here and kept nowhere else."""
    folder = SOURCES / f"{name}-{version}"
    if not folder.exists():
        if not may_build:
            raise Missing("its sources aren't here, and --no-build was given")
        SOURCES.mkdir(parents=True, exist_ok=True)
        pip("download", "--no-deps", "--no-binary", name.replace("_", "-"), "--dest", SOURCES,
            f"{name.replace('_', '-')}=={version}")
        with tarfile.open(SOURCES / f"{name}-{version}.tar.gz") as archive:
            archive.extractall(SOURCES, filter="data")
    return folder


def pip(verb, *words):
    steps = [[PYTHON, "-m", "pip", verb, "--quiet", "--disable-pip-version-check", *words]]
    if not PYTHON.exists():
        steps.insert(0, [sys.executable, "-m", "venv", FOLDER])
    for command in steps:
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Missing(f"no virtual environment: {error}")
        if done.returncode != 0:
            said = last_line(done.stderr or done.stdout)
            raise Missing(f"can't be had (Debian needs python3-venv, and pip a network): {said}")
