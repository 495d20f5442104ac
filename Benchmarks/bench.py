#!/usr/bin/env python3
"""What a request costs Gale and its peers: server CPU and requests a second, side by side.

Python's standard library alone; README.md here says how it measures and how to read it.
"""

import argparse
import json
import shutil
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is left in the source tree

from suite import cores, report
from suite.loads import LOADS
from suite.missing import Missing
from suite.promises import shortfalls
from suite.rounds import Rounds, Row
from suite.servers import SERVERS


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, f"bench: {message}\n")  # one line, without the usage before it


def arguments():
    parser = Parser(description=__doc__.splitlines()[0])
    keys = ", ".join(server.key for server in SERVERS)
    parser.add_argument("--rounds", type=int, default=15, help="times each server is measured (15)")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of a measurement (0.5)")
    parser.add_argument("--only", metavar="KEYS", help=f"servers, with commas between: {keys}")
    parser.add_argument("--depths", default="1,16", help="requests in flight a connection (1,16)")
    parser.add_argument("--connections", type=int, default=64, help="how many (64)")
    parser.add_argument("--load", choices=LOADS, default="own", help="what loads the servers (own)")
    parser.add_argument("--json", metavar="FILE", help="keep all samples in FILE")
    parser.add_argument("--check", action="store_true", help="exit 1 unless the promises are kept")
    parser.add_argument("--no-build", action="store_true",
                        help="leave out the peers that would have to be installed or built")
    parser.add_argument("--prepare", action="store_true", help="install and build, then stop")
    options = parser.parse_args()
    try:
        options.depths = [int(depth) for depth in options.depths.split(",")]
    except ValueError:
        parser.error("--depths takes numbers with commas between")
    if options.rounds < 1 or options.seconds <= 0 or options.connections < 1 \
            or not all(1 <= depth <= 1024 for depth in options.depths):
        parser.error("--rounds, --seconds, --connections and --depths take positive numbers")
    if options.json and not Path(options.json).resolve().parent.is_dir():
        parser.error(f"--json {options.json}: its folder is not there")
    options.servers = chosen(parser, options.only)
    return options


def chosen(parser, only):
    if only is None:
        return [server for server in SERVERS if not server.by_name_only]
    keys = only.split(",")
    unknown = set(keys) - {server.key for server in SERVERS}
    if unknown:
        parser.error(f"no server is called {', '.join(sorted(unknown))}")
    return [server for server in SERVERS if server.key in keys]


def prepared(servers, may_build):
    """Returns the rows to measure, and why the others are missing."""
    rows, missing = [], {}
    for server in servers:
        try:
            rows.append(Row(server, server.prepare(may_build)))
        except Missing as why:
            missing[server.key] = str(why)
    return rows, missing


def need_tools():
    for tool in ("taskset", "setpriv"):
        if shutil.which(tool) is None:
            raise Missing(f"{tool} is not installed: apt-get install util-linux")


def show(rows, rounds, missing, server_core, load_core):
    print(report.table(rows, rounds.depths))
    for key, why in missing.items():
        print(f"missing  {key}: {why}")
    for row in rows:
        if row.trouble:
            print(f"FAILED   {row.server.key}: {row.trouble}")
    print(f"{rounds.count} rounds of {rounds.seconds:g} s; medians; server on core {server_core}, "
          f"load on core {load_core}; others used "
          f"{rounds.disturbance.share():.0%} of the server's core meanwhile")
    if server_core == load_core:
        print("one core only: server and load disturb each other, trust no figure")


def main():
    options = arguments()
    # A stop by signal must still stop the servers: as an exception it unwinds to them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    need_tools()
    rows, missing = prepared(options.servers, not options.no_build)
    server_core, load_core = cores.choose()
    load = LOADS[options.load](load_core, options.connections)
    if options.prepare:
        for key, why in missing.items():
            print(f"missing  {key}: {why}")
        return 0
    rounds = Rounds(rows, load, server_core, options.depths, options.seconds)
    rounds.run(options.rounds)
    short = shortfalls(options.servers, rows, missing) if options.check else []
    if any("promised" in phrase for phrase in short):
        # A miss may be the machine's: as many rounds again, and all are judged together.
        rounds.run(options.rounds)
        short = shortfalls(options.servers, rows, missing)
    show(rows, rounds, missing, server_core, load_core)
    if options.json:
        with open(options.json, "w") as file:
            kept = report.as_json(rows, rounds, missing, options.load, (server_core, load_core))
            json.dump(kept, file, indent=1)
            file.write("\n")
    if short:
        print("bench: " + "; ".join(short), file=sys.stderr)
        return 1
    return 1 if any(row.trouble for row in rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Missing as why:
        print(f"bench: {why}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
