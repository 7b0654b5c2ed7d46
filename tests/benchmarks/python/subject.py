"""The subjects `asyncio` and `uvloop`; says and takes what subject.h says.

    subject.py SUBJECT WORKLOAD VARIANT COUNT
    subject.py uvloop            # exit code 0 if it is installed
"""
import asyncio
import json
import sys
import threading

import calls
import readers
import signals
import spawns
import timers
from frame import Report, children, descriptors, status_kib

WORKLOADS = {"W1": spawns.spawns, "W8": signals.signals, "W9": timers.timers, "W15": calls.on_loop,
             "W16": calls.from_thread, "W17": readers.readers}


def main(name, workload, variant, count):
    new_loop(name).close()  # libuv keeps two descriptors from its first loop on
    opened, threads = descriptors(), threading.active_count()
    report = Report()
    loop = new_loop(name)
    WORKLOADS[workload](loop, variant, int(count), report)
    loop.close()
    print(json.dumps({
        "metrics": report,
        "peak_kib": status_kib("VmHWM:"),
        "left": {"descriptors": descriptors() - opened,
                 "threads": threading.active_count() - threads,
                 "children": children()}}))


def new_loop(name):
    if name == "asyncio":
        return asyncio.new_event_loop()
    import uvloop
    return uvloop.new_event_loop()


if __name__ == "__main__":
    if len(sys.argv) == 2:
        try:
            new_loop(sys.argv[1]).close()
        except ImportError:
            sys.exit(1)
    else:
        main(*sys.argv[1:])
