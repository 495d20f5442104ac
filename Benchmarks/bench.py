#!/usr/bin/env python3
"""What Gale and its peers cost, side by side: CPU a request, memory a connection, time a parsed head.

Python's standard library alone; README.md here says how it measures and how to read it.
"""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left in the source tree

from suite import broadcast, cores, idle, parsers, picture, promises, record, report
from suite.loads import LOADS
from suite.missing import Missing
from suite.rounds import Rounds, Row
from suite.scenarios import SCENARIOS
from suite.servers import SERVERS
from suite.site import make_site

IDLE, PARSER, BROADCAST = "idle", "parser", "broadcast"
QUICK = {"rounds": 1, "seconds": 0.2}
PARSER_ROUNDS = 7


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"bench: {message}\n")  # one line, without the usage before it


def arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    servers = ", ".join(server.key for server in SERVERS)
    scenarios = ", ".join([*(s.key for s in SCENARIOS), IDLE, BROADCAST, PARSER])
    parser.add_argument("--rounds", type=int, default=15, help="times each server is measured (15)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a measurement (0.5)")
    parser.add_argument("--only", metavar="KEYS", help=f"servers, with commas between: {servers}")
    parser.add_argument("--scenario", metavar="KEYS",
                        help=f"what is measured, with commas between: {scenarios}")
    parser.add_argument("--quick", action="store_true",
                        help="one short round, to see that all is there; trust no figure")
    parser.add_argument("--load", choices=LOADS, default="own", help="what loads the servers (own)")
    parser.add_argument("--json", metavar="FILE", help="keep all samples in FILE")
    parser.add_argument("--picture", metavar="FILE", help="draw the result into FILE, an SVG")
    parser.add_argument("--draw", metavar="FILE",
                        help="measure nothing: show (and draw) the run kept in FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 unless the promises are kept")
    parser.add_argument("--no-build", dest="may_build", action="store_false",
                        help="leave out the peers that would have to be installed or built")
    parser.add_argument("--prepare", action="store_true", help="install and build, then stop")
    parser.add_argument("--swift-echo", metavar="FILE", type=Path,
                        help="Gale's Swift server, when it is not at .build/release/echo")
    options = parser.parse_args()
    if options.quick:
        vars(options).update(QUICK)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds take positive numbers")
    for flag, file in (("--json", options.json), ("--picture", options.picture)):
        if file and not Path(file).resolve().parent.is_dir():
            parser.error(f"{flag} {file}: its folder is not there")
    options.servers = chosen(parser, options.only, SERVERS, "server")
    choose_scenarios(parser, options)
    return options


def chosen(parser, keys, things, what):
    if keys is None:
        return [thing for thing in things if not getattr(thing, "by_name_only", False)]
    keys = keys.split(",")
    unknown = set(keys) - {thing.key for thing in things}
    if unknown:
        parser.error(f"no {what} is called {', '.join(sorted(unknown))}")
    return [thing for thing in things if thing.key in keys]


def choose_scenarios(parser, options):
    keys = options.scenario.split(",") if options.scenario else None
    options.idle = keys is None or IDLE in keys
    options.broadcast = keys is None or BROADCAST in keys
    options.parser = keys is None and options.only is None or PARSER in (keys or ())
    loads = None if keys is None else ",".join(k for k in keys if k not in (IDLE, BROADCAST, PARSER))
    options.scenarios = [] if loads == "" else chosen(parser, loads, SCENARIOS, "scenario")


def prepared(options):
    """Returns the rows to measure, and why the others are missing."""
    rows, missing = [], {}
    load = options.scenarios or options.idle or options.broadcast
    for server in options.servers if load else ():
        try:
            rows.append(Row(server, server.prepare(options)))
        except Missing as why:
            missing[server.key] = str(why)
        else:
            asked = {s.key for s in options.scenarios}
            missing.update({f"{server.key}, {key}": why for key, why in server.lacks.items()
                            if key in asked})
    return rows, missing


def need_tools():
    for tool in ("taskset", "setpriv"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool} is not installed: apt-get install util-linux")


def measure(options, rows, missing):
    server_core, load_core = cores.choose()
    rounds = None
    if options.scenarios:
        load = LOADS[options.load](load_core)
        rounds = Rounds(rows, load, server_core, options.scenarios, options.seconds)
        rounds.run(options.rounds)
    steps = idle.QUICK_STEPS if options.quick else idle.STEPS
    held = idle.measure(rows, steps, server_core, load_core) if options.idle else []
    fanned = broadcast.measure(rows, options.rounds, options.seconds, server_core, load_core) \
        if options.broadcast else []
    parsed = parsers.measure(options, server_core, 1 if options.quick else PARSER_ROUNDS) \
        if options.parser else []
    return record.build(rows, rounds, held, fanned, parsed, parsers.size(), missing, options.load,
                        (server_core, load_core))


def keep(options, data):
    if options.json:
        Path(options.json).write_text(json.dumps(data, indent=1) + "\n")
    if options.picture:
        Path(options.picture).write_text(picture.draw(data))


def main():
    options = arguments()
    if options.draw:
        found = record.Record(json.loads(Path(options.draw).read_text()))
    else:
        # A stop by signal must still stop the servers: as an exception it unwinds to them.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        need_tools()
        make_site()
        rows, missing = prepared(options)
        if options.prepare:
            parsers.prepare(options)
            for key, why in missing.items():
                print(f"missing  {key}: {why}")
            return 0
        found = measure(options, rows, missing)
    verdicts = promises.verdicts(found)
    found.data["promises"] = [vars(verdict) for verdict in verdicts]
    print(report.text(found.data))
    keep(options, found.data)
    failed = any(line.startswith("FAILED") for line in report.troubles(found.data))
    broken = options.check and any(verdict.held is not True for verdict in verdicts)
    return 1 if failed or broken else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as why:
        print(f"bench: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
