"""The result, as a table to read and as JSON to keep."""

import platform
import time
from statistics import median


def spread(values, form):
    return f"{form(min(values))}-{form(max(values))}"


def microseconds(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def thousands(value):
    return f"{value / 1000:.1f}k" if value < 1e6 else f"{value / 1000:.0f}k"


def ratio(row, base, depth):
    ratios = row.ratios(base, depth) if base else []
    return f"{median(ratios):.3f}" if ratios else "-"


def cells(row, depth, floor, c):
    cost = row.values(depth, "cpu_us")
    if not cost:
        return ["-"] * 5
    # Only Gale's Swift rows are held against its C.
    against_c = ratio(row, c, depth) if row.server.key.startswith("swift") else ""
    return [microseconds(median(cost)), spread(cost, microseconds),
            thousands(median(row.values(depth, "rate"))), ratio(row, floor, depth), against_c]


def table(rows, depths):
    by_key = {row.server.key: row for row in rows}
    floor, c = by_key.get("floor"), by_key.get("c")
    over = ["", ""]
    head = ["server", "bytes"]
    for depth in depths:
        over += [f"| depth {depth}", "", "", "", ""]
        head += ["| CPU us", "min-max", "req/s", "/floor", "/C"]
    lines = [over, head]
    for row in rows:
        line = [f"{row.server.title} {row.ready.version}".strip(), str(row.answer_bytes or "-")]
        for depth in depths:
            first, *rest = cells(row, depth, floor, c)
            line += [f"| {first:>6}", *rest]
        lines.append(line)
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    left = {0} | {i for i, name in enumerate(head) if name.startswith("|")}
    return "\n".join(
        "  ".join(cell.ljust(w) if i in left else cell.rjust(w)
                  for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def as_json(rows, rounds, missing, load, cores):
    by_key = {row.server.key: row for row in rows}

    def measured(row, depth):
        result = {"cpu_us": [s and round(s.cpu_us, 4) for s in row.samples[depth]],
                  "requests_per_second": [s and round(s.rate) for s in row.samples[depth]]}
        if row.values(depth, "cpu_us"):
            result["median_cpu_us"] = round(median(row.values(depth, "cpu_us")), 4)
            result["median_requests_per_second"] = round(median(row.values(depth, "rate")))
        for base in ("floor", "c"):
            ratios = row.ratios(by_key[base], depth) if base in by_key else []
            if ratios:
                result[f"ratio_to_{base}"] = round(median(ratios), 4)
        return result

    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"system": platform.platform(), "cpu": cpu_name(), "cores": list(cores)},
        "load": load, "rounds": rounds.count, "seconds": rounds.seconds,
        "others_share_of_server_core": round(rounds.disturbance.share(), 3),
        "servers": {
            row.server.key: {
                "title": row.server.title, "version": row.ready.version,
                "answer_bytes": row.answer_bytes, "trouble": row.trouble,
                "depths": {str(d): measured(row, d) for d in rounds.depths},
            } for row in rows},
        "missing": missing,
    }


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
