"""Where things are: everything that is made goes under build/, which git ignores."""

from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
BUILD = ROOT / "build"
MADE = BUILD / "bench"
EXAMPLES_C = BUILD / "examples"
EXAMPLES_SWIFT = ROOT / ".build" / "release"


def shown(path):
    """The path as a reader at the root of the checkout would write it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
