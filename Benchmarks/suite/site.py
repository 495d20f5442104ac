"""The files that are served: bytes that say nothing, the same in every run."""

import random

from .paths import MADE

FOLDER = MADE / "site"
SMALL = FOLDER / "small.bin"
LARGE = FOLDER / "large.bin"
SIZES = {SMALL: 10 * 1024, LARGE: 1024 * 1024}


def make_site():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, size in SIZES.items():
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(random.Random(size).randbytes(size))
