"""What Gale promises of its cost: a row, what it is compared with, and the bound."""

from dataclasses import dataclass
from statistics import median


@dataclass
class Promise:
    key: str
    base: str
    bound: float
    depth: int = 1


PROMISES = [
    Promise("c", "floor", 1.10),
    Promise("swift", "c", 1.10),
    Promise("swift-class", "c", 1.25),
]


def shortfalls(servers, rows, missing):
    """One phrase for each promise of these servers that isn't kept, or can't be judged."""
    found = []
    by_key = {row.server.key: row for row in rows}
    for p in PROMISES:
        if p.key not in {server.key for server in servers}:
            continue
        absent = [k for k in (p.key, p.base) if k not in by_key]
        if absent:
            why = missing.get(absent[0], f"{absent[0]} was not among those measured")
            found.append(f"{p.key} can't be judged: {why}")
            continue
        ratios = by_key[p.key].ratios(by_key[p.base], p.depth)
        if not ratios:
            found.append(f"{p.key} can't be judged: no round in which it and {p.base} answered")
        elif median(ratios) > p.bound:
            found.append(f"{p.key} costs {median(ratios):.3f} of {p.base} at depth {p.depth}, "
                         f"promised {p.bound:.2f}")
    return found
