"""The result as a picture: an SVG of our own making that fits light and dark pages."""

import math
from xml.sax.saxutils import escape

from .report import name, number

WIDTH, MARGIN, LABEL = 940, 20, 205
ROW = 19
TRACK, COLUMN = 62, 115  # of a cost: where its dot moves, and the whole column with its number
STYLE = """
    .page { fill: #ffffff; stroke: #d0d7de; }
    text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 15px; font-weight: 600; }
    .head { font-weight: 600; }
    .soft { fill: #59636e; }
    .number { font-variant-numeric: tabular-nums; }
    .track { stroke: #d0d7de; stroke-width: 1; }
    .other { fill: #818b98; }
    .gale { fill: #0969da; }
    text.gale { font-weight: 600; }
    .floor { fill: #1a7f37; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .soft { fill: #9198a1; }
      .track { stroke: #3d444d; }
      .other { fill: #656c76; }
      .gale { fill: #4493f8; }
      .floor { fill: #3fb950; }
    }"""

# What stands over a column of costs; the scenarios' own titles are too long for it.
COLUMNS = {
    "depth1": ("keep-alive", "depth 1"),
    "depth16": ("keep-alive", "depth 16"),
    "close": ("connection", "a request"),
    "small": ("file", "10 KB"),
    "large": ("file", "1 MB"),
    "post": ("POST", "echo"),
}


class Canvas:
    def __init__(self):
        self.lines = []

    def text(self, x, y, words, kind="", anchor="start"):
        self.lines.append(f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">'
                          f"{escape(words)}</text>")

    def line(self, x1, x2, y):
        self.lines.append(f'<line x1="{x1:g}" x2="{x2:g}" y1="{y:g}" y2="{y:g}" class="track"/>')

    def dot(self, x, y, kind):
        self.lines.append(f'<circle cx="{x:.1f}" cy="{y:g}" r="4" class="{kind}"/>')

    def bar(self, x, y, width, kind):
        self.lines.append(f'<rect x="{x:g}" y="{y:g}" width="{max(width, 1):.1f}" height="10" rx="2" '
                          f'class="{kind}"/>')


def kind(key):
    if key.startswith("floor"):
        return "floor"
    return "gale" if key.split("-")[0] in ("c", "swift", "gale") else "other"


def label_kind(key):
    return "gale" if kind(key) == "gale" else ""


def costs(canvas, data, y):
    """A row for each server, a column for each scenario: a dot on a logarithmic scale."""
    columns = [key for key in COLUMNS if key in data["scenarios"]]
    if not columns:
        return y
    canvas.text(MARGIN, y, "Server CPU a request, µs", "head")
    canvas.text(MARGIN, y + 17, "each column on its own", "soft")
    canvas.text(MARGIN, y + 32, "logarithmic scale, from its least", "soft")
    for i, key in enumerate(columns):
        x = MARGIN + LABEL + i * COLUMN
        for j, words in enumerate(COLUMNS[key]):
            canvas.text(x, y + 15 * j + 2, words, "head")
    y += 50
    rows = [(key, server) for key, server in data["servers"].items()]
    for i, key in enumerate(columns):
        column(canvas, rows, key, MARGIN + LABEL + i * COLUMN, y)
    for j, (key, server) in enumerate(rows):
        canvas.text(MARGIN, y + j * ROW + 4, name(server), label_kind(key))
    return y + len(rows) * ROW + 14


def column(canvas, rows, scenario, x, y):
    found = [server["scenarios"].get(scenario, {}).get("median_cpu_us") for _, server in rows]
    values = [value for value in found if value]
    if not values:
        return
    least, span = min(values), math.log(max(values) / min(values)) or 1
    for j, ((key, _), value) in enumerate(zip(rows, found)):
        if value:
            at = y + j * ROW
            canvas.line(x, x + TRACK, at)
            canvas.dot(x + 4 + (TRACK - 8) * math.log(value / least) / span, at, kind(key))
            canvas.text(x + COLUMN - 8, at + 4, number(value), f"number {label_kind(key)}", "end")


def bars(canvas, title, note, entries, x, y):
    """entries: (key, label, value, words)."""
    canvas.text(x, y, title, "head")
    canvas.text(x, y + 16, note, "soft")
    y += 38
    most = max(value for _, _, value, _ in entries)
    for key, label, value, words in entries:
        canvas.text(x, y + 4, label, label_kind(key))
        canvas.bar(x + LABEL, y - 5, 170 * value / most, kind(key))
        canvas.text(x + LABEL + 170 * value / most + 6, y + 4, words, f"number {label_kind(key)}")
        y += ROW
    return y


def below(canvas, data, y):
    idle = [(key, entry["title"], entry["bytes_each"], f"{entry['bytes_each']:.0f}")
            for key, entry in data["idle"].items() if entry.get("bytes_each")]
    parsed = [(key, entry["title"].split(" (")[0] + entry["title"].partition(")")[2],
               entry["gigabytes_per_second"], f"{entry['gigabytes_per_second']:.2f}")
              for key, entry in data["parsers"].items() if entry.get("median_ns")]
    bottom = y
    if idle:
        count = max(int(n) for entry in data["idle"].values() for n in entry["rss"])
        bottom = bars(canvas, "Idle connection, bytes of memory",
                      f"resident, by the growth up to {count:,} connections", idle, MARGIN, y)
    if parsed:
        x = MARGIN + (WIDTH // 2 if idle else 0)
        bottom = max(bottom, bars(canvas, "Request head parsed, GB a second",
                                  f"a browser's, {data['parsed_bytes']} bytes; more is better",
                                  parsed, x, y))
    return bottom + 14 if bottom > y else y


def draw(data):
    canvas = Canvas()
    canvas.text(MARGIN, 36, "What Gale costs, and its peers", "title")
    y = costs(canvas, data, 70)
    y = below(canvas, data, y + 10)
    canvas.text(MARGIN, y + 2, f"{data['when'][:10]}, {data['machine']['cpu']}, one core for the "
                f"server, one for the load; medians of {data['rounds']} rounds in one run. Less is "
                "better unless said.", "soft")
    height = y + 20
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img" aria-labelledby="t">',
        '<title id="t">Server CPU a request, memory an idle connection and parsing speed of Gale and '
        "its peers</title>",
        f"<style>{STYLE}\n</style>",
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
        *canvas.lines, "</svg>", ""])
