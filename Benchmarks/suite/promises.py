"""What Gale promises of its cost, and whether a run shows it held."""

from dataclasses import dataclass
from statistics import median

PEERS = ("nginx", "h2o", "mhd", "evhttp")  # none of which may cost less than Gale's C


@dataclass
class Verdict:
    text: str
    held: bool | None  # None: it could not be judged
    figures: str


def at_most(key, base, bound, scenario, text):
    """The median over the rounds of the ratio within a round."""
    def judge(record):
        ratio = record.ratio(key, base, scenario)
        a, b = record.cost(key, scenario), record.cost(base, scenario)
        if ratio is None or a is None or b is None:
            return Verdict(text, None, f"{key} or {base} was not measured")
        return Verdict(text, ratio <= bound,
                       f"{ratio:.3f}, bound {bound:.2f} ({a:.2f} and {b:.2f} us)")
    return judge


def no_peer_cheaper(scenario):
    def judge(record):
        text = f"no peer below Gale C, {scenario}"
        ratios = {key: record.ratio(key, "c", scenario) for key in PEERS}
        measured = {key: ratio for key, ratio in ratios.items() if ratio is not None}
        if not measured:
            return Verdict(text, None, "no peer was measured")
        least = min(measured, key=measured.get)
        absent = [key for key in PEERS if key not in measured]
        note = f"; not measured: {', '.join(absent)}" if absent else ""
        return Verdict(text, measured[least] >= 1,
                       f"the cheapest, {least}, at {measured[least]:.3f} of Gale C{note}")
    return judge


def parser_faster(base, factor):
    def judge(record):
        text = f"parser at least {factor} times as fast as {base}"
        own, other = record.parse_ns("gale"), record.parse_ns(base)
        if own is None or other is None:
            return Verdict(text, None, "not measured")
        return Verdict(text, other / own >= factor,
                       f"{other / own:.2f} times ({own:.0f} and {other:.0f} ns)")
    return judge


def idle_at_most(key, bound, over=None):
    def judge(record):
        text = f"idle connection of {key}: " + (
            f"at most {bound} bytes over {over}" if over else f"under {bound} bytes")
        own, less = record.idle_bytes(key), record.idle_bytes(over) if over else 0
        if own is None or less is None:
            return Verdict(text, None, "not measured")
        figures = f"{own:.0f} bytes" + (f", {own - less:+.0f}" if over else "")
        return Verdict(text, own - less <= bound if over else own < bound, figures)
    return judge


def broadcast_at_most(key, depth, bound):
    """A figure in microseconds: there is no floor to hold it against."""
    def judge(record):
        text = f"broadcast of {key} to 1,000 sockets, {depth} in flight: at most {bound} us"
        cost = record.broadcast_us(key, depth)
        if cost is None:
            return Verdict(text, None, "not measured")
        return Verdict(text, cost <= bound, f"{cost:.2f} us a delivery")
    return judge


def broadcast_ratio(key, base, depth, bound, least=False):
    """CPU a delivery, by that of another; `least`: at least so many times as much."""
    def judge(record):
        text = (f"broadcast of {key}, {depth} in flight: at {'least' if least else 'most'} "
                f"{bound:g} times {base}'s")
        ratio = record.broadcast_ratio(key, base, depth)
        if ratio is None:
            return Verdict(text, None, "not measured")
        return Verdict(text, ratio >= bound if least else ratio <= bound, f"{ratio:.3g}")
    return judge


def stalled_at_most(key, bound):
    def judge(record):
        text = f"broadcast of {key}: p99 beside a socket that never reads, at most {bound:g} of without"
        ratio = record.stalled_ratio(key)
        if ratio is None:
            return Verdict(text, None, "not measured")
        return Verdict(text, ratio <= bound, f"{ratio:.3f}")
    return judge


PROMISES = [
    at_most("c", "floor", 1.08, "depth1", "Gale C of the floor, depth 1"),
    at_most("c", "floor", 1.45, "depth16", "Gale C of the floor, depth 16"),
    at_most("swift", "c", 1.08, "depth1", "Swift closure of Gale C, depth 1"),
    at_most("swift-class", "c", 1.20, "depth1", "Swift async class of Gale C, depth 1"),
    no_peer_cheaper("depth1"),
    no_peer_cheaper("depth16"),
    parser_faster("llhttp", 3.5),
    at_most("c", "nginx", 1.00, "small", "Gale C of nginx, file of 10 KB"),
    at_most("c", "nginx", 1.00, "large", "Gale C of nginx, file of 1 MB"),
    idle_at_most("c", 512),
    idle_at_most("swift", 64, over="c"),
    idle_at_most("c-websocket", 640),
    idle_at_most("swift-websocket", 1000),
    # One page of memory more or less in 15,000 sockets: what cannot be told from nothing.
    idle_at_most("c-deflate", 1, over="c-websocket"),
    broadcast_at_most("c", 16, 0.9),
    broadcast_ratio("swift", "c", 16, 1.10),
    broadcast_ratio("tornado", "c", 16, 50, least=True),
    stalled_at_most("c", 1.10),
]


def verdicts(record):
    return [judge(record) for judge in PROMISES]
