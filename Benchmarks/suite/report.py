"""The result as tables to read."""

from statistics import median, quantiles


def number(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def spread(values):
    """Half of the middle half of the rounds, in percent of the median."""
    values = [v for v in values if v is not None]
    if len(values) < 2:
        return ""
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return f"±{(high - low) / 2 / middle:.0%}"


def name(entry):
    return f"{entry['title']} {entry.get('version', '')}".strip()


def cells(found):
    if not found:
        return ["-", "", ""]
    if "failed" in found:
        return ["FAILED", "", ""]
    ratio = found.get("ratio_to_floor")
    return [number(found.get("median_cpu_us")), spread(found.get("cpu_us", [])),
            f"{ratio:.3f}" if ratio and ratio < 10 else f"{ratio:.1f}" if ratio else "-"]


def align(lines, left):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(
        cell.ljust(w) if i in left else cell.rjust(w)
        for i, (cell, w) in enumerate(zip(line, widths))).rstrip() for line in lines)


def costs(data):
    keys = list(data["scenarios"])
    if not keys:
        return ""
    over, head = ["server CPU, us a request"], [""]
    for key in keys:
        over += [f"| {key}", "", ""]
        head += ["|", "", "/floor"]
    lines = [over, head]
    for server in data["servers"].values():
        line = [name(server)]
        for key in keys:
            first, *rest = cells(server["scenarios"].get(key))
            line += [f"| {first:>6}", *rest]
        lines.append(line)
    left = {0} | {1 + 3 * i for i in range(len(keys))}
    return align(lines, left)


def files(data):
    keys = [k for k in ("small", "large") if k in data["scenarios"]]
    if not keys:
        return ""
    lines = [["files, CPU ns a KB", *(data["scenarios"][k]["title"] for k in keys)]]
    for server in data["servers"].values():
        found = [server["scenarios"].get(k, {}).get("median_ns_per_kb") for k in keys]
        if any(found):
            lines.append([name(server), *map(number, found)])
    return align(lines, {0})


def idle(data):
    if not data["idle"]:
        return ""
    steps = sorted({int(n) for i in data["idle"].values() for n in i["rss"]})
    lines = [["idle connections, RSS in KB", *(f"{n}" for n in steps), "bytes each"]]
    for entry in data["idle"].values():
        sizes = [entry["rss"].get(str(n)) for n in steps]
        each = entry.get("bytes_each")
        lines.append([entry["title"], *("-" if s is None else f"{s // 1024}" for s in sizes),
                      "FAILED" if "failed" in entry else "-" if each is None else f"{each:.0f}"])
    return align(lines, {0})


def broadcast(data):
    found = data.get("broadcast", {})
    if not found:
        return ""
    depths = sorted({int(n) for entry in found.values() for n in entry["cpu_us"]})
    lines = [["broadcast to 1,000 sockets, CPU us a delivery",
              *(x for n in depths for x in (f"{n} in flight", "")), "p99 of a round, ms", "beside one stalled"]]
    for entry in found.values():
        cells = [(number(entry["median_cpu_us"].get(str(n))), spread(entry["cpu_us"].get(str(n), [])))
                 for n in depths]
        rounds = [number(median(entry[key]) / 1000 if entry.get(key) else None)
                  for key in ("p99_us", "stalled_p99_us")]
        lines.append([entry["title"], *(x for cell in cells for x in cell), *rounds])
    return align(lines, {0})


def parsers(data):
    if not data["parsers"]:
        return ""
    lines = [[f"request head of {data['parsed_bytes']} bytes", "ns", "", "GB/s"]]
    for entry in data["parsers"].values():
        found = entry.get("median_ns")
        lines.append([entry["title"], number(found), spread(entry["ns"]),
                      f"{entry['gigabytes_per_second']:.2f}" if found else "-"])
    return align(lines, {0})


def promises(data):
    words = {True: "held", False: "MISSED", None: "not judged"}
    lines = [["promise", "", ""]]
    lines += [[p["text"], words[p["held"]], p["figures"]] for p in data["promises"]]
    return align(lines, {0, 1, 2})


def troubles(data):
    for key, why in data["missing"].items():
        yield f"missing  {key}: {why}"
    for key, server in data["servers"].items():
        for scenario, found in server["scenarios"].items():
            if "failed" in found:
                yield f"FAILED   {key}, {scenario}: {found['failed']}"
    for part in ("idle", "broadcast", "parsers"):
        for key, entry in data.get(part, {}).items():
            if "failed" in entry:
                yield f"FAILED   {part}, {key}: {entry['failed']}"


def conditions(data):
    server, load = data["machine"]["cores"]
    yield (f"{data['rounds']} rounds of {data['seconds']:g} s; medians; server on core {server}, "
           f"load on core {load}; others used {data['others_share_of_server_core']:.0%} of the "
           "server's core meanwhile")
    if server == load:
        yield "one core only: server and load disturb each other, trust no figure"


def text(data):
    parts = [costs(data), files(data), idle(data), broadcast(data), parsers(data), promises(data),
             "\n".join([*troubles(data), *conditions(data)])]
    return "\n\n".join(part for part in parts if part)
