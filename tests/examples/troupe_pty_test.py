"""troupe on a terminal: everything that job control and Ctrl-keys touch."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unittest

import proc
import program

CTRL_C, CTRL_Z, CTRL_BACKSLASH = b"\x03", b"\x1a", b"\x1c"
TRAP_INT = ("import os,signal,sys\n"
            "signal.signal(signal.SIGINT, lambda *_: os.write(1, b'INT\\n'))\n"
            "signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b'WINCH\\n'))\n"
            "os.write(1, b'ready\\n')\n"
            "while True: signal.pause()\n")


class Session:
    """A session of its own with a terminal; its leader plays the shell.

    The leader starts troupe in a foreground group and reports on a pipe how it
    stopped and ended.
    """

    def __init__(self, test, *arguments, background=False):
        self.test = test
        self.text = b""
        report, self._report = os.pipe()
        control, self._control = None, None
        leader, self.master = pty.fork()
        if leader == 0:
            try:
                os.close(report)
                self._lead(arguments, background, test)
            finally:
                os._exit(99)
        os.close(self._report)
        self.leader = leader
        self.report = os.fdopen(report, "r")
        self.pid = int(self.report.readline().split()[1])
        test.addCleanup(self._close)

    def _lead(self, arguments, background, test):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        env = {**test.environment(), "TERM": "xterm", "PS1": "$ "}
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            if not background:
                os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.chdir(test.folder)
            os.execve(program.TROUPE, ["troupe", *arguments], env)
        # As bash: the kernel tells only the leader that the terminal has gone.
        def pass_on(*_):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGHUP)
        signal.signal(signal.SIGHUP, pass_on)
        os.write(self._report, b"pid %d\n" % pid)
        while True:
            _, status = os.waitpid(pid, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                os.write(self._report, b"stopped %d\n" % os.WSTOPSIG(status))
            else:
                os.write(self._report, b"ended %d\n" % os.waitstatus_to_exitcode(status))
                os._exit(0)

    def _close(self):
        try:
            os.kill(self.leader, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.leader, 0)
        if self.master is not None:
            os.close(self.master)
        self.report.close()

    def type(self, data):
        os.write(self.master, data)

    def hang_up(self):
        os.close(self.master)
        self.master = None

    def read_more(self, deadline):
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            chunk = os.read(self.master, 65536)
        except OSError:
            return False
        self.text += chunk
        return bool(chunk)

    def wait_for(self, pattern, times=1):
        deadline = time.monotonic() + program.DEADLINE
        while len(re.findall(pattern, self.text, re.M)) < times:
            if not self.read_more(deadline):
                self.test.fail(f"no {pattern!r} in {self.text!r}")
        return re.search(pattern, self.text, re.M)

    def next_report(self):
        """`stopped 20` or `ended 130`; meanwhile the terminal is read."""
        deadline = time.monotonic() + program.DEADLINE
        while True:
            watched = [self.report] + ([self.master] if self.master is not None else [])
            ready, _, _ = select.select(watched, [], [], max(0, deadline - time.monotonic()))
            if self.report in ready:
                return self.report.readline().strip()
            if not ready:
                self.test.fail(f"no report; the terminal shows {self.text!r}")
            if not self.read_more(deadline):
                watched.remove(self.master)
                return self.report.readline().strip()

    def drain(self):
        while self.read_more(time.monotonic()):
            pass
        return self.text


class RunTest(program.TestCase):
    def session(self, *arguments, **options):
        return Session(self, "run", *arguments, **options)

    def test_the_command_reads_the_terminal(self):
        for options in ((), ("--pipe",)):
            cat = self.session(*options, "cat")
            cat.type(b"hello\n")
            cat.wait_for(rb"hello\r\nhello\r\n")
            cat.type(b"\x04")
            self.assertEqual(cat.next_report(), "ended 0", options)

    def test_ctrl_c_kills_the_command_and_we_exit_130(self):
        for options in ((), ("--pipe",)):
            cat = self.session(*options, "cat")
            cat.type(b"hello\n")
            cat.wait_for(rb"hello\r\nhello\r\n")
            cat.type(CTRL_C)
            self.assertEqual(cat.next_report(), "ended 130", options)

    def test_ctrl_backslash_quits_the_command_and_we_exit_131(self):
        cat = self.session("sh", "-c", "ulimit -c 0; echo ready; exec cat")
        cat.wait_for(rb"ready")
        cat.type(CTRL_BACKSLASH)
        self.assertEqual(cat.next_report(), "ended 131")

    def test_ctrl_c_reaches_the_command_once(self):
        for options in ((), ("--pipe",)):
            trap = self.session(*options, "python3", "-c", TRAP_INT)
            trap.wait_for(rb"^ready")
            for times in (1, 2, 3):
                trap.type(CTRL_C)
                trap.wait_for(rb"^(\^C)?INT", times)
            # What is sent after it comes after it: a second SIGINT would be before.
            os.kill(trap.pid, signal.SIGWINCH)
            trap.wait_for(rb"^(\^C)?WINCH")
            self.assertEqual(len(re.findall(rb"INT\r", trap.text)), 3, options)
            os.kill(trap.pid, signal.SIGTERM)
            self.assertEqual(trap.next_report(), "ended 143")

    def test_a_new_window_size_reaches_the_command_once(self):
        trap = self.session("python3", "-c", TRAP_INT)
        trap.wait_for(rb"^ready")
        fcntl.ioctl(trap.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
        trap.wait_for(rb"^WINCH")
        os.kill(trap.pid, signal.SIGINT)
        trap.wait_for(rb"^INT")
        self.assertEqual(trap.text.count(b"WINCH"), 1)
        os.kill(trap.pid, signal.SIGTERM)
        self.assertEqual(trap.next_report(), "ended 143")

    def test_ctrl_z_stops_both_and_continue_continues_both(self):
        for options in ((), ("--pipe",)):
            cat = self.session(*options, "cat")
            cat.type(b"one\n")
            cat.wait_for(rb"one\r\none\r\n")
            child, = proc.children(cat.pid)
            cat.type(CTRL_Z)
            self.assertEqual(cat.next_report(), f"stopped {int(signal.SIGTSTP)}", options)
            program.until(lambda: proc.state(child) == "T", "the stop of the command")
            os.killpg(cat.pid, signal.SIGCONT)
            cat.type(b"two\n")
            cat.wait_for(rb"two\r\ntwo\r\n")
            cat.type(b"\x04")
            self.assertEqual(cat.next_report(), "ended 0", options)

    def test_a_job_in_the_background_that_does_not_read_is_not_stopped(self):
        job = self.session("sh", "-c", "exit 4", background=True)
        self.assertEqual(job.next_report(), "ended 4")

    def test_an_interactive_shell_works(self):
        shell = self.session("sh", "-i")
        shell.wait_for(rb"[$#] ")
        shell.type(b"sleep 1000 & echo job $((40+2))\n")
        shell.wait_for(rb"^job 42")
        shell.type(b"kill -KILL %1; wait; exit 7\n")
        self.assertEqual(shell.next_report(), "ended 7")

    def test_a_closed_terminal_ends_the_command(self):
        cat = self.session("cat")
        cat.type(b"on\n")
        cat.wait_for(rb"on\r\non\r\n")
        cat.hang_up()
        self.assertIn(cat.next_report(), ("ended 0", "ended 1", "ended 129"))  # cat's race, not ours


class UpTest(program.TestCase):
    def session(self, procfile, *arguments):
        self.write("Procfile", procfile)
        return Session(self, "up", *arguments)

    def test_prints_colours_on_a_terminal(self):
        up = self.session("a: echo hello\nbb: sleep 1000\n")
        line = up.wait_for(rb"^(.*) \| (.*)hello\r\n")[0]
        self.assertRegex(line, rb"^\x1b\[\d+m\d\d:\d\d:\d\d a      \| \x1b\[0mhello\r\n$")
        self.assertEqual(up.next_report(), "ended 0")

    def test_prints_no_colours_when_asked(self):
        for arguments, extra in ((("--no-color",), {}), ((), {"NO_COLOR": "1"})):
            env = self.environment
            self.environment = lambda: {**env(), **extra}
            up = self.session("a: echo hello\n", *arguments)
            self.assertEqual(up.next_report(), "ended 0")
            self.assertIn(b"hello", up.drain())
            self.assertNotIn(b"\x1b", up.text)
            self.environment = env

    def test_the_processes_have_no_terminal_on_stdin(self):
        up = self.session("a: readlink /proc/self/fd/0; cat\n")
        self.assertEqual(up.next_report(), "ended 0")
        self.assertIn(b"/dev/null", up.drain())

    def test_ctrl_c_stops_all_by_plan_with_exit_0(self):
        up = self.session("a: trap 'echo stopping; exit 3' TERM; echo ready; while :; do sleep 0.05; done\n"
                          "b: exec sleep 1000\n")
        up.wait_for(rb"ready\r")
        up.wait_for(rb"b started")
        up.type(CTRL_C)
        self.assertEqual(up.next_report(), "ended 0")
        up.drain()
        self.assertRegex(up.text, rb"stopping 2 processes, because of SIGINT; once more kills them")
        self.assertRegex(up.text, rb"\| \x1b\[0mstopping\r\n")
        self.assertRegex(up.text, rb"a ended after [^\r]*: exit code 3")
        self.assertRegex(up.text, rb"b ended after [^\r]*: killed by SIGTERM")

    def test_a_second_ctrl_c_kills_at_once_and_says_so(self):
        # What was said after the second Ctrl-C was lost on a terminal.
        up = self.session("a: trap '' TERM; echo ready; while :; do sleep 1000; done\n", "--timeout", "1h")
        up.wait_for(rb"ready\r")
        up.type(CTRL_C)
        up.wait_for(rb"once more kills it")
        program.next_press()
        up.type(CTRL_C)
        self.assertEqual(up.next_report(), "ended 0")
        up.drain()
        self.assertRegex(up.text, rb"killing 1 process, because SIGINT came again")
        self.assertRegex(up.text, rb"a ended after [^\r]*: killed by SIGKILL")

    def test_ctrl_z_stops_it_and_continue_continues_it(self):
        up = self.session("a: while sleep 0.05; do echo tick; done\n")
        up.wait_for(rb"tick\r")
        up.type(CTRL_Z)
        self.assertEqual(up.next_report(), f"stopped {int(signal.SIGTSTP)}")
        os.killpg(up.pid, signal.SIGCONT)
        seen = len(re.findall(rb"tick\r", up.drain()))
        up.wait_for(rb"tick\r", seen + 3)
        up.type(CTRL_C)
        self.assertEqual(up.next_report(), "ended 0")

    def test_a_closed_terminal_stops_all(self):
        up = self.session("a: echo ready; exec sleep 1000\nb: exec sleep 1000\n")
        up.wait_for(rb"ready\r")
        up.hang_up()
        self.assertEqual(up.next_report(), "ended 0")
        program.until(lambda: not self.marked(), "the end of the processes")

    def test_the_end_of_the_shell_stops_all(self):
        up = self.session("a: echo ready; exec sleep 1000\nb: exec sleep 1000\n")
        up.wait_for(rb"ready\r")
        os.kill(up.leader, signal.SIGKILL)
        program.until(lambda: not self.marked(), "the end of troupe and the processes")

    def test_a_hangup_while_the_terminal_is_there_restarts_all(self):
        up = self.session("a: echo ready; exec sleep 1000\n")
        up.wait_for(rb"ready\r")
        os.kill(up.pid, signal.SIGHUP)
        up.wait_for(rb"ready\r", 2)
        up.type(CTRL_C)
        self.assertEqual(up.next_report(), "ended 0")


if __name__ == "__main__":
    program.main()
