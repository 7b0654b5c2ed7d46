"""What the tests of the program `troupe` share: real processes, no mocks.

    class UpTest(program.TestCase):
        def test_prints_what_a_process_writes(self):
            up = self.up("a: echo hello\n")
            self.assertEqual(up.wait(), 0)
            self.assertRegex(up.out, r"a +\\| hello\\n")

    program.main()   # as unittest.main(), with each test a case in test.xml

Nothing sleeps to let something happen: whatever a test needs is waited for,
with a deadline. Every process that a test starts, and all that come of it,
carry a mark in the environment; at the end of the test none may be left.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

import proc
import xml_result

TROUPE = os.path.abspath("examples/troupe/troupe")
CHILDREN = os.path.abspath("tests/children")
DEADLINE = 30  # seconds until a wait is given up

# Memory and speed say nothing in a sanitizer's program.
with open(TROUPE, "rb") as binary:
    SANITIZED = b"__asan_init" in binary.read()


def until(condition, what, deadline=DEADLINE):
    """Waits for something that nobody announces; returns what it returned."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for {what}")
        time.sleep(0.005)


def settled(read, what, quiet=0.3):
    """Waits until a value has not changed for `quiet` seconds; returns it."""
    last, since = read(), time.monotonic()
    end = since + DEADLINE
    while time.monotonic() - since < quiet:
        time.sleep(0.02)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() > end:
            raise AssertionError(f"{what} does not settle")
    return last


def next_press():
    """The least time that a finger needs between two presses of a key."""
    time.sleep(0.15)


# -- processes -----------------------------------------------------------------


class Collector:
    """Reads a pipe to its end on a thread and knows when each line came."""

    def __init__(self, pipe):
        self._pipe = pipe
        self._bytes = bytearray()
        self._lines = []  # (when, text)
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        partial = b""
        while chunk := os.read(self._pipe.fileno(), 1 << 16):
            now = time.monotonic()
            with self._changed:
                self._bytes += chunk
                *lines, partial = (partial + chunk).split(b"\n")
                self._lines += [(now, line.decode("utf-8", "replace")) for line in lines]
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, pattern, times=1, deadline=DEADLINE):
        """The match of the `times`-th line with the pattern; `.when` is in `at`."""
        end = time.monotonic() + deadline
        with self._changed:
            while True:
                found = [(when, m) for when, line in self._lines if (m := re.search(pattern, line))]
                if len(found) >= times:
                    self.at = found[times - 1][0]
                    return found[times - 1][1]
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    why = "it ended" if self._ended else f"{deadline} s passed"
                    raise AssertionError(f"no {pattern!r}, {why}; there is:\n{self.text()[-3000:]}")
                self._changed.wait(left)

    def raw(self):
        with self._changed:
            return bytes(self._bytes)

    def text(self):
        return self.raw().decode("utf-8", "replace")

    def join(self, deadline=DEADLINE):
        self._thread.join(deadline)
        if self._thread.is_alive():
            raise AssertionError("the output has no end")
        self._pipe.close()


class Program:
    """One `troupe`, or another program, running. `out` and `err` are read if they
    are pipes of ours."""

    def __init__(self, arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 stderr=subprocess.PIPE, read_stdout=True, program=TROUPE, **options):
        self.popen = subprocess.Popen([program, *arguments], stdin=stdin, stdout=stdout,
                                      stderr=stderr, **options)
        self.pid = self.popen.pid
        self.stdout = self.popen.stdout
        self._out = Collector(self.popen.stdout) if self.popen.stdout and read_stdout else None
        self._err = Collector(self.popen.stderr) if self.popen.stderr else None

    @property
    def out(self):
        return self._out.text()

    @property
    def raw_out(self):
        return self._out.raw()

    @property
    def err(self):
        return self._err.text()

    def wait_out(self, pattern, times=1, deadline=DEADLINE):
        return self._out.wait_for(pattern, times, deadline)

    def wait_err(self, pattern, times=1, deadline=DEADLINE):
        return self._err.wait_for(pattern, times, deadline)

    @property
    def err_at(self):
        """When the line that wait_err found last came."""
        return self._err.at

    def send(self, number):
        self.popen.send_signal(number)

    def send_again(self, number):
        """A second press of a key: what comes sooner counts as one press."""
        next_press()
        self.send(number)

    def pid_of(self, name, times=1):
        """The pid of a process of `up`, when it has been started so often."""
        return int(self.wait_err(rf"\| {re.escape(name)} (?:re)?started, pid (\d+)", times)[1])

    def wait(self, deadline=DEADLINE):
        """The exit code (minus the signal), when all output is read."""
        try:
            code = self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            said = self.err if self._err else ""
            raise AssertionError(f"troupe still runs after {deadline} s: {said[-3000:]}") from None
        for collector in (self._out, self._err):
            if collector:
                collector.join()
        return code


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.mark = "TROUPE_TEST=" + uuid.uuid4().hex
        self.programs = []
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self._expect_nothing_left)

    def marked(self):
        """Every process that comes from this test, as (pid, what it is)."""
        return [(p, proc.read(p, "cmdline").replace("\0", " ")) for p in proc.pids()
                if p != os.getpid() and self.mark in proc.read(p, "environ").split("\0")]

    def _expect_nothing_left(self):
        ended = all(program.popen.poll() is not None for program in self.programs)
        try:
            until(lambda: not self.marked(), "", 0.5 if ended else 0)
            left = []
        except AssertionError:
            left = self.marked()
        for pid, _ in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for program in self.programs:
            program.popen.wait()
            for pipe in (program.popen.stdin, program.popen.stdout, program.popen.stderr):
                if pipe:
                    try:
                        pipe.close()
                    except OSError:
                        pass
        self.assertEqual(left, [], "processes are left")

    def kill_left(self, count):
        """For processes that left their group: they may survive, so many."""
        left = until(lambda: len(self.marked()) == count and self.marked(), f"{count} survivors")
        for pid, _ in left:
            os.kill(pid, signal.SIGKILL)
        until(lambda: not self.marked(), "the end of the survivors")

    def environment(self, **extra):
        base = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "TMPDIR")}
        name, value = self.mark.split("=")
        return {**base, name: value, **extra}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self, *arguments, env=None, **options):
        options.setdefault("cwd", self.folder)
        program = Program(arguments, env=env or self.environment(), **options)
        self.programs.append(program)
        return program

    def up(self, procfile, *arguments, **options):
        return self.start("up", "-f", self.write("Procfile", procfile), *arguments, **options)

    def run_command(self, *arguments, **options):
        """`troupe run`, to its end."""
        program = self.start("run", *arguments, **options)
        program.code = program.wait()
        return program


def main():
    only = os.environ.get("TESTBRIDGE_TEST_ONLY")  # bazel test --test_filter
    loader = unittest.TestLoader()
    if only:
        loader.testNamePatterns = [f"*{only}*"]
    suite = loader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(verbosity=2, resultclass=xml_result.XmlResult).run(suite)
    if "XML_OUTPUT_FILE" in os.environ:
        result.write_xml(os.environ["XML_OUTPUT_FILE"])
    sys.exit(not result.wasSuccessful())
