"""What is compared: the workloads by number, and the subjects.

To add a workload: a header in workloads/ and a module in python/ that measure
it, a line in each subject's main, and a line here.
"""
import sys
from typing import NamedTuple


class Workload(NamedTuple):
    number: str
    title: str
    variants: dict  # name: how many operations a run measures
    subjects: tuple
    cpus: int = 1
    python_share: float = 0.1  # of the operations, for the slow


# A subject's program, to which `SUBJECT WORKLOAD VARIANT COUNT` is added.
# subject.h says what it prints.
_PYTHON = [sys.executable, "-B", "python/subject.py"]
SUBJECTS = {
    "limit": ["limit"],
    "libuv": ["libuv"],
    "troupe": ["troupe"],
    "troupe-actor": ["troupe"],
    "troupe-worker": ["troupe"],
    "asyncio": _PYTHON,
    "uvloop": _PYTHON,
}

# What Troupe is compared with, and in which column.
PEERS = ("limit", "libuv", "asyncio")

_ALL = ("limit", "libuv", "troupe", "asyncio", "uvloop")

WORKLOADS = (
    Workload("W1", "a child started, awaited and reaped, with these options",
             {"plain": 2_000, "plain/1G": 2_000, "place": 2_000,
              "session": 2_000},
             ("limit", "libuv", "troupe", "troupe-actor", "asyncio")),
    Workload("W1-more", "the same with options that the others do not have",
             {"limits": 2_000, "ids": 2_000, "all": 2_000, "all/1G": 2_000},
             ("limit", "troupe", "troupe-actor")),
    Workload("W2", "children started, awaited and reaped, so many in flight",
             {"1": 5_000, "16": 5_000, "256": 5_000, "16/1G": 2_000},
             ("limit", "libuv", "troupe"), cpus=2),
    Workload("W3", "so many children that end together",
             {"100": 20_000, "1000": 20_000, "5000": 50_000},
             ("limit", "libuv", "troupe"), cpus=2),
    Workload("W4", "one child of so many ends at a time",
             {"300": 3_000, "5000": 50_000},
             ("limit", "libuv", "troupe"), cpus=2),
    Workload("W7", "echo over UNIX sockets: size of a message/connections",
             {"64/1": 200_000, "64/64": 400_000, "64/1000": 400_000,
              "65536/1": 40_000, "65536/64": 40_000, "65536/1000": 40_000},
             ("limit", "libuv", "troupe")),
    Workload("W7-tls", "the same with TLS 1.3",
             {"64/1": 100_000, "64/64": 200_000, "65536/64": 20_000},
             ("limit", "troupe")),
    Workload("W8", "signals, to 1 or 100 subscribers",
             {"single/1": 20_000, "single/100": 5_000,
              "burst/1": 32_000, "burst/100": 6_400},
             _ALL + ("troupe-actor", "troupe-worker")),
    Workload("W9", "timers: armed, nine of ten cancelled, fired",
             {"1": 500_000, "10000": 500_000, "1000000": 1_000_000,
              "lateness": 1_000},
             _ALL, python_share=1),
    Workload("W10", "echo on one UNIX socket, alone and among 10,000 idle ones",
             {"64/1+0": 200_000, "64/1+10000": 200_000},
             ("limit", "libuv", "troupe")),
    Workload("W15", "CallSoon on the loop",
             {"chain": 1_000_000, "batch": 5_000_000, "handles": 2_000_000},
             _ALL),
    Workload("W16", "CallSoonThreadsafe from another thread",
             {"flood": 1_000_000, "wake": 20_000}, _ALL, cpus=2),
    Workload("W17", "a callback for each readable pipe, of 1 or 100",
             {"1": 200_000, "100": 500_000}, _ALL + ("troupe-actor",)),
)
