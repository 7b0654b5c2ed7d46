#!/usr/bin/env -S /usr/bin/python3 -B
"""Troupe, the limit, libuv and asyncio side by side, in one run.

    ./bazelw run -c opt //tests/benchmarks:compare -- --quick --only W9

Every run of a subject is a process of its own on the same CPU; subjects take
turns forwards and backwards, so that a change of the machine's speed meets all.
Only ratios within one run count. Exit code 1 if a subject failed or left
something behind.
"""
import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from measure import Failed, count_system_calls, measure
from table import Results, markdown_table
from workloads import SUBJECTS, WORKLOADS


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="compare", description="Troupe and its peers in one run; "
        "`x libuv` 2.0 means half of libuv's time.")
    parser.add_argument("--quick", action="store_true",
                        help="3 runs of a tenth of the operations")
    parser.add_argument("--only", metavar="W8,W9", type=chosen,
                        default=WORKLOADS, help="these workloads")
    parser.add_argument("--json", metavar="FILE", help="one object a line",
                        type=argparse.FileType("w"))
    parser.add_argument("--markdown", metavar="FILE",
                        type=argparse.FileType("w"),
                        help="the table of docs/benchmarks.md")
    parser.add_argument("--runs", type=int, help="instead of 7")
    parser.add_argument("--scale", type=float,
                        help="this share of the operations")
    parser.add_argument("--syscalls", action="store_true",
                        help="count system calls (strace), measure no time")
    options = parser.parse_args(arguments)
    options.runs = options.runs or (3 if options.quick else 7)
    options.scale = options.scale or (0.1 if options.quick else 1)
    if options.syscalls and not shutil.which("strace"):
        parser.error("--syscalls needs strace")
    return options


def chosen(text):
    by_number = {workload.number: workload for workload in WORKLOADS}
    try:
        return [by_number[number] for number in text.split(",")]
    except KeyError as unknown:
        raise argparse.ArgumentTypeError(
            f"no {unknown.args[0]}; there are {', '.join(by_number)}")


def programs(folder):
    """The command of each subject that there is."""
    found = {}
    for name, command in SUBJECTS.items():
        local = [folder / word if (folder / word).is_file() else word
                 for word in command]
        found[name] = [str(word) for word in local]
    if subprocess.run(found["uvloop"] + ["uvloop"]).returncode:
        del found["uvloop"]
        print("uvloop is not installed (Debian's python3-uvloop): left out",
              file=sys.stderr)
    return found


def runfiles():
    """Where Bazel put the subjects."""
    own = Path(os.path.abspath(sys.argv[0]))
    beside = Path(f"{own}.runfiles/troupe/tests/benchmarks")
    return beside if beside.is_dir() else own.parent


class Comparison:

    def __init__(self, options):
        self.options = options
        self.programs = programs(runfiles())
        self.cpus = sorted(os.sched_getaffinity(0))
        self.failures = 0

    def run(self, workload, variant):
        results = Results(workload, variant)
        subjects = [s for s in workload.subjects if s in self.programs]
        for turn in range(1 if self.options.syscalls else self.options.runs):
            for subject in subjects[::-1] if turn % 2 else subjects:
                try:
                    results.add(subject,
                                self.one(workload, variant, subject))
                except Failed as why:
                    self.failures += 1
                    print(why, file=sys.stderr)
        return results

    def one(self, workload, variant, subject):
        count = workload.variants[variant] * self.options.scale
        if self.programs[subject] == self.programs["asyncio"]:
            count *= workload.python_share
        count = max(int(count), 10)
        cpus = self.cpus[-workload.cpus:]
        command = self.programs[subject] + [subject, workload.number, variant]
        if not self.options.syscalls:
            return measure(command + [str(count)], cpus)
        # The difference of two runs is without start and end.
        calls = [count_system_calls(command + [str(n)], cpus)
                 for n in (count, 2 * count)]
        per_op = (calls[1] - calls[0]) / count
        return {"metrics": {"syscalls_per_op": {"value": per_op}},
                "peak_kib": 0}


def main(arguments):
    # `bazel run` starts in another folder than the user's.
    os.chdir(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
    options = parse(arguments)
    comparison = Comparison(options)
    everything = []
    for workload in options.only:
        for variant in workload.variants:
            everything.append(comparison.run(workload, variant))
            print(everything[-1].to_table(), flush=True)
    if options.json:
        options.json.writelines(results.to_json() for results in everything)
    if options.markdown:
        options.markdown.write(markdown_table(everything))
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
