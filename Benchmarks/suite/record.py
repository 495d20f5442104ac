"""What a run found, in one place: for the table, the promises, the JSON and the picture."""

import platform
import time
from statistics import median


class Record:
    """Made of the JSON's own shape, so that a kept run can be drawn again."""

    def __init__(self, data):
        self.data = data

    def of(self, key, scenario):
        server = self.data["servers"].get(key, {})
        return server.get("scenarios", {}).get(scenario, {})

    def cost(self, key, scenario):
        return self.of(key, scenario).get("median_cpu_us")

    def ratio(self, key, base, scenario):
        return self.of(key, scenario).get(f"ratio_to_{base}")

    def parse_ns(self, key):
        return self.data["parsers"].get(key, {}).get("median_ns")

    def broadcast_us(self, key, depth):
        return self.data.get("broadcast", {}).get(key, {}).get("median_cpu_us", {}).get(str(depth))

    def broadcast_ratio(self, key, base, depth):
        return self.data.get("broadcast", {}).get(key, {}).get(f"ratio_to_{base}", {}).get(str(depth))

    def stalled_ratio(self, key):
        """The p99 with a socket that never reads, by that without."""
        return self.data.get("broadcast", {}).get(key, {}).get("stalled_ratio")

    def idle_bytes(self, key):
        return self.data["idle"].get(key, {}).get("bytes_each")


BASES = ("floor", "c", "nginx")


def measured(row, by_key, scenario):
    cost = row.values(scenario.key, "cpu_us")
    result = {"cpu_us": [s and round(s.cpu_us, 4) for s in row.samples[scenario.key]],
              "requests_per_second": [s and round(s.rate) for s in row.samples[scenario.key]]}
    if scenario.key in row.trouble:
        result["failed"] = row.trouble[scenario.key]
    if scenario.target in row.answer_bytes:
        result["answer_bytes"] = row.answer_bytes[scenario.target]
    if cost:
        result["median_cpu_us"] = round(median(cost), 4)
        result["median_requests_per_second"] = round(
            median(row.values(scenario.key, "rate")))
        if scenario.file:
            result["median_ns_per_kb"] = round(
                median(cost) * 1000 / scenario.kilobytes(), 2)
    for base in BASES:
        ratios = row.ratios(by_key[base], scenario.key) if base in by_key else []
        if ratios:
            result[f"ratio_to_{base}"] = round(median(ratios), 4)
    return result


def server(row, by_key, scenarios):
    asked = [s for s in scenarios if s.target in row.server.paths]
    return {"title": row.server.title, "version": row.ready.version,
            "scenarios": {s.key: measured(row, by_key, s) for s in asked}}


def idle_row(idle):
    each = idle.each()
    return {"title": idle.title, "rss": {str(n): size for n, size in idle.rss.items()},
            **({"bytes_each": round(each, 1)} if each is not None else {}),
            **({"failed": idle.trouble} if idle.trouble else {})}


def pairs_ratio(own, other):
    """The median of the ratios; samples of one round stand at one place."""
    ratios = [a / b for a, b in zip(own, other) if b]
    return round(median(ratios), 4) if ratios else None


def broadcast_ratios(found, by_key):
    """To Gale's C, within each round; servers that take part in each third are held against the median."""
    for key, base in by_key.items():
        if key != found.key and base.cpu_us:
            yield f"ratio_to_{key}", {
                str(n): pairs_ratio(found.cpu_us[n], base.cpu_us[n])
                if len(found.cpu_us[n]) == len(base.cpu_us.get(n, ()))
                else round(found.cost(n) / base.cost(n), 4) for n in found.cpu_us}


def broadcast_row(found, by_key):
    stalled = pairs_ratio(found.stalled_p99_us, found.p99_us)
    return {"title": found.title,
            "cpu_us": {str(n): [round(s, 4) for s in samples] for n, samples in found.cpu_us.items()},
            "median_cpu_us": {str(n): round(found.cost(n), 4) for n in found.cpu_us},
            "deliveries_per_second": {str(n): [round(r) for r in rates]
                                      for n, rates in found.rate.items()},
            "p99_us": found.p99_us, "stalled_p99_us": found.stalled_p99_us,
            **({"stalled_ratio": stalled} if stalled else {}),
            **dict(broadcast_ratios(found, by_key)),
            **({"failed": found.trouble} if found.trouble else {})}


def parser_row(parser, size):
    ns = parser.median_ns()
    return {"title": parser.title, "ns": parser.ns,
            **({"median_ns": ns, "gigabytes_per_second": round(size / ns, 3)} if ns else {}),
            **({"failed": parser.trouble} if parser.trouble else {})}


def build(rows, rounds, idle, broadcast, parsers, request_size, missing, load, cores):
    by_key = {row.server.key: row for row in rows}
    scenarios = rounds.scenarios if rounds else []
    return Record({
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"system": platform.platform(), "cpu": cpu_name(), "cores": list(cores)},
        "load": load,
        "rounds": rounds.count if rounds else 0,
        "seconds": rounds.seconds if rounds else 0,
        "others_share_of_server_core": round(rounds.disturbance.share(), 3) if rounds else 0,
        "scenarios": {s.key: {"title": s.title, "connections": s.connections} for s in scenarios},
        "servers": {row.server.key: server(row, by_key, scenarios) for row in rows},
        "idle": {i.key: idle_row(i) for i in idle},
        "broadcast": {b.key: broadcast_row(b, {o.key: o for o in broadcast if o.key == "c"})
                      for b in broadcast},
        "parsers": {p.key: parser_row(p, request_size) for p in parsers},
        "parsed_bytes": request_size,
        "missing": missing,
    })


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
