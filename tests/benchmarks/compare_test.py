#!/usr/bin/env -S /usr/bin/python3 -B
"""The harness itself: what it runs, prints and refuses. Never a time."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import compare
from measure import Failed, measure
from workloads import SUBJECTS, WORKLOADS

FOLDER = Path(os.path.abspath(sys.argv[0])).parent
CPUS = sorted(os.sched_getaffinity(0))
KEYS = {"workload", "variant", "subject", "metric", "median", "p99_us",
        "peak_kib"}
NOTHING_LEFT = '{"descriptors": 0, "threads": 0, "children": 0}'


def result(left=NOTHING_LEFT):
    return f'{{"metrics": {{}}, "peak_kib": 1, "left": {left}}}'


class CompareTest(unittest.TestCase):

    def test_every_subject_reports_every_variant(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results.json"
            table = Path(folder) / "table.md"
            ran = subprocess.run(
                [FOLDER / "compare", "--quick", "--runs=1", "--scale=0.001",
                 f"--json={file}", f"--markdown={table}"], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            rows = [json.loads(line) for line in file.open()]
            cells = [line.split(" | ") for line in table.open()]
        uvloop = "uvloop is not installed" not in ran.stderr
        self.assertEqual(
            {(r["workload"], r["variant"], r["subject"]) for r in rows},
            {(w.number, variant, subject) for w in WORKLOADS
             for variant in w.variants for subject in w.subjects
             if uvloop or subject != "uvloop"})
        for row in rows:
            self.assertEqual(set(row), KEYS)
            self.assertGreater(row["peak_kib"], 0, row)
            if "ns" in row["metric"].split("_"):
                self.assertNotEqual(row["median"], 0, row)
        for workload in WORKLOADS:
            self.assertIn(workload.title, ran.stdout)
        self.assertEqual({len(line) for line in cells}, {len(cells[0])})
        named = {line[0] for line in cells}
        self.assertLessEqual(
            {f"| {r['workload']} {r['variant']}, {r['metric']}" for r in rows},
            named)

    def test_refuses_a_workload_that_is_not_there(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaises(SystemExit) as refused:
                compare.parse(["--only", "W8,W99"])
        self.assertEqual(refused.exception.code, 2)
        self.assertIn("no W99", said.getvalue())

    def test_a_subject_that_fails_is_the_exit_code(self):
        commands = SUBJECTS["limit"][:]
        SUBJECTS["limit"][:] = ["false"]
        try:
            with contextlib.redirect_stderr(io.StringIO()) as said, \
                    contextlib.redirect_stdout(io.StringIO()) as printed:
                code = compare.main(["--only=W15", "--runs=1",
                                     "--scale=0.0001"])
        finally:
            SUBJECTS["limit"][:] = commands
        self.assertEqual(code, 1)
        self.assertIn("exit code 1", said.getvalue())
        self.assertIn("libuv", printed.getvalue())


class MeasureTest(unittest.TestCase):

    def test_pins_the_subject(self):
        script = ("import os, json; print(json.dumps({'cpus': "
                  "list(os.sched_getaffinity(0)), 'left': {}}))")
        measured = measure([sys.executable, "-c", script], CPUS[:1])
        self.assertEqual(measured["cpus"], CPUS[:1])

    def test_refuses_what_is_no_result(self):
        with self.assertRaisesRegex(Failed, "printed 'hello"):
            measure(["echo", "hello"], CPUS)

    def test_refuses_a_subject_that_says_it_leaked(self):
        measure(["echo", result()], CPUS)
        with self.assertRaisesRegex(Failed, "left 2 descriptors"):
            measure(["echo", result(NOTHING_LEFT.replace("0", "2", 1))], CPUS)

    def test_finds_a_process_that_was_left_behind(self):
        script = f"echo '{result()}'; sleep 1000 >&- 2>&- &"
        with self.assertRaisesRegex(Failed, "left a process"):
            measure(["sh", "-c", script], CPUS)


class SubjectTest(unittest.TestCase):

    def test_says_what_it_does_not_have(self):
        ran = subprocess.run([FOLDER / "limit", "limit", "W99", "1", "1"],
                             stderr=subprocess.PIPE, text=True)
        self.assertEqual(ran.returncode, 2)
        self.assertIn("no W99 by limit", ran.stderr)


if __name__ == "__main__":
    unittest.main()
