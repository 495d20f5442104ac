"""The two cores: one for the server, one for the loader, and how busy they are."""

import os

HUNDREDTHS = os.sysconf("SC_CLK_TCK")


def choose():
    """Returns (server core, load core); they are the same on a machine with one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1] if len(usable) > 1 else usable[0]


def busy_seconds(core):
    """What the core has worked or had stolen since the machine started."""
    with open("/proc/stat") as lines:
        for line in lines:
            words = line.split()
            if words[0] == f"cpu{core}":
                user, nice, system, idle, iowait, irq, softirq, steal = map(int, words[1:9])
                return (user + nice + system + irq + softirq + steal) / HUNDREDTHS
    return 0.0
