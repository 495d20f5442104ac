"""Where things are: everything that is made goes under build/, which git ignores."""

from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
BUILD = ROOT / "build"
PROGRAMS = BUILD / "bench"
EXAMPLES_C = BUILD / "examples"
EXAMPLES_SWIFT = ROOT / ".build" / "release"
VENV = BUILD / "bench-venv"
HUMMINGBIRD = BUILD / "bench-hummingbird"


def shown(path):
    """The path as a reader at the root of the checkout would write it."""
    return str(path.relative_to(ROOT))
