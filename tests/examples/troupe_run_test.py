"""`troupe run`: as if troupe were not there."""
import fcntl
import hashlib
import os
import re
import signal
import subprocess
import time
import unittest

import proc
import program

LINES = 5_000_000
TRAP = """
import os, signal, sys
for number in {numbers}:
    signal.signal(number, lambda n, _: os.write(1, b"got %d\\n" % n))
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


class ExitTest(program.TestCase):
    def test_exits_with_the_code_of_the_command(self):
        for code in (0, 1, 3, 255):
            self.assertEqual(self.run_command("sh", "-c", f"exit {code}").code, code)

    def test_exits_with_128_and_the_signal_that_killed_the_command(self):
        for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM, signal.SIGPIPE):
            done = self.run_command("--", "sh", "-c", f"ulimit -c 0; kill -{number} $$")
            self.assertEqual(done.code, 128 + number)
            self.assertEqual((done.out, done.err), ("", ""))

    def test_a_missing_program_is_named_with_step_and_reason_and_exits_127(self):
        for options in ((), ("--pipe",)):
            done = self.run_command(*options, "--", "/no/such")
            self.assertEqual(done.code, 127)
            self.assertEqual(done.err, 'troupe: exec "/no/such": No such file or directory\n')
            self.assertEqual(self.run_command(*options, "no-such-program").code, 127)

    def test_what_cannot_be_executed_is_named_with_step_and_reason_and_exits_126(self):
        path = self.write("plain", "text\n")
        done = self.run_command("--", path)
        self.assertEqual(done.code, 126)
        self.assertEqual(done.err, f'troupe: exec "{path}": Permission denied\n')

    def test_the_command_line_behind_the_program_is_the_commands(self):
        done = self.run_command("echo", "--pipe", "--help", "--", "-f", "a b", "")
        self.assertEqual(done.out, "--pipe --help -- -f a b \n")
        self.assertEqual(self.run_command("--", "echo", "x").out, "x\n")

    def test_a_stopped_time_is_124(self):
        for options in ((), ("--pipe",)):
            began = time.monotonic()
            done = self.run_command("--timeout", "100ms", *options, "sleep", "1000")
            self.assertEqual((done.code, done.out, done.err), (124, "", ""))
            self.assertLess(time.monotonic() - began, 4)

    def test_a_command_within_its_time_is_not_touched(self):
        self.assertEqual(self.run_command("--timeout", "1h", "sh", "-c", "exit 4").code, 4)

    def test_a_command_that_ignores_sigterm_is_killed_by_its_plan(self):
        began = time.monotonic()
        done = self.run_command("--timeout", "100ms", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        self.assertEqual(done.code, 124)
        self.assertGreater(time.monotonic() - began, 5)

    def test_prints_nothing_of_its_own(self):
        done = self.run_command("sh", "-c", "echo out; echo err >&2; exit 2")
        self.assertEqual((done.out, done.err, done.code), ("out\n", "err\n", 2))

    def test_a_killed_troupe_takes_the_command_with_it(self):
        run = self.start("run", "sh", "-c", "echo ready; while :; do sleep 1000; done")
        run.wait_out("ready")
        child, = proc.children(run.pid)
        run.send(signal.SIGKILL)
        program.until(lambda: proc.state(child) in ("", "Z"), "the end of the command")
        for pid, _ in self.marked():  # its sleep was nobody's direct child
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(run.wait(), -signal.SIGKILL)


class SignalTest(program.TestCase):
    def test_signals_go_to_the_command(self):
        numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1,
                   signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH, signal.SIGRTMIN + 1, signal.SIGRTMAX]
        script = TRAP.format(numbers=[int(n) for n in numbers])
        for options in ((), ("--pipe",)):
            run = self.start("run", *options, "python3", "-c", script)
            run.wait_out("ready")
            for number in numbers:
                run.send(number)
                run.wait_out(f"^got {int(number)}$")
            self.assertEqual(run.out.count("got"), len(numbers))
            os.kill(proc.children(run.pid)[0], signal.SIGKILL)
            self.assertEqual(run.wait(), 137)

    def test_the_code_is_that_of_the_forwarded_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            run = self.start("run", "sh", "-c", "echo ready; exec sleep 1000")
            run.wait_out("ready")
            run.send(number)
            self.assertEqual(run.wait(), 128 + number)

    def test_a_burst_of_real_time_signals_arrives_whole(self):
        script = TRAP.format(numbers=[int(signal.SIGRTMIN)]).replace("n)", "n) and None")
        run = self.start("run", "python3", "-c", f"""
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
os.write(1, b"ready\\n")
for _ in range(300):
    signal.sigwait([signal.SIGRTMIN])
""")
        run.wait_out("ready")
        for _ in range(300):
            run.send(signal.SIGRTMIN)
        self.assertEqual(run.wait(), 0)

    def test_without_a_terminal_a_stop_stops_both_and_continue_continues_both(self):
        run = self.start("run", "sh", "-c", "echo ready; exec sleep 1000")
        run.wait_out("ready")
        child, = proc.children(run.pid)
        run.send(signal.SIGTSTP)
        for pid in (run.pid, child):
            program.until(lambda: proc.state(pid) == "T", "the stop")
        run.send(signal.SIGCONT)
        for pid in (run.pid, child):
            program.until(lambda: proc.state(pid) == "S", "the continuation")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 143)

    def test_an_ignored_signal_stays_ignored(self):
        run = self.start("run", "grep", "SigIgn", "/proc/self/status",
                         preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertEqual(run.wait(), 0)
        self.assertTrue(int(run.out.split()[1], 16) & 1, run.out)


class InheritTest(program.TestCase):
    def test_the_command_has_the_very_same_streams(self):
        paths = [self.write(name, "") for name in ("in", "out", "err")]
        with open(paths[0]) as a, open(paths[1], "w") as b, open(paths[2], "w") as c:
            run = self.start("run", "sh", "-c", "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2",
                             stdin=a, stdout=b, stderr=c)
            self.assertEqual(run.wait(), 0)
        with open(paths[1]) as file:
            self.assertEqual(file.read().split(), [os.path.realpath(p) for p in paths])

    def test_the_streams_are_not_made_non_blocking(self):
        for options in ((), ("--pipe",)):
            ends = [os.pipe() for _ in range(3)]
            ours = [ends[0][0], ends[1][1], ends[2][1]]
            run = self.start("run", *options, "sh", "-c", "exec sleep 1000", stdin=ours[0],
                             stdout=ours[1], stderr=ours[2])
            program.until(lambda: proc.children(run.pid), "the command")
            for fd in ours:
                self.assertEqual(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK, 0, options)
            run.send(signal.SIGTERM)
            self.assertEqual(run.wait(), 143)
            for end in ends:
                os.close(end[0]), os.close(end[1])

    def test_the_command_has_no_descriptor_of_ours(self):
        done = self.run_command(os.path.join(program.CHILDREN, "print_fds"))
        self.assertEqual(done.out, "0 blocking\n1 blocking\n2 blocking\n")

    def test_a_closed_stream_is_not_one_of_our_descriptors(self):
        # It was: stdin of `troupe run … <&-` was our epoll descriptor.
        read = "import os\ntry: os.read(0, 1)\nexcept OSError as e: print(e.errno)"
        for options in ((), ("--pipe",)):
            run = self.start("run", *options, "python3", "-c", read, preexec_fn=lambda: os.close(0))
            self.assertEqual((run.wait(), run.out), (0, "9\n"), options)
            run = self.start("run", *options, "sh", "-c", "echo lost; exit 3",
                             preexec_fn=lambda: os.close(1))
            self.assertEqual(run.wait(), 3, options)
            self.assertRegex(run.err, r"Bad file descriptor|I/O error|write error")
            run = self.start("run", *options, "sh", "-c", "echo lost >&2; exit 3",
                             preexec_fn=lambda: os.close(2))
            self.assertEqual((run.wait(), run.out), (3, ""), options)
            run = self.start("run", *options, "sh", "-c", "exit 5",
                             preexec_fn=lambda: os.closerange(0, 3))
            self.assertEqual(run.wait(), 5, options)


class PipeTest(program.TestCase):
    def digest(self, **streams):
        run = self.start("run", "--pipe", "--", "cat", read_stdout=False, **streams)
        digest = hashlib.md5()
        while chunk := os.read(run.stdout.fileno(), 1 << 20):
            digest.update(chunk)
        self.assertEqual(run.wait(), 0)
        self.assertEqual(run.err, "")
        return digest.hexdigest()

    def numbers(self):
        path = self.path("numbers")
        with open(path, "w") as file:
            subprocess.run(["seq", str(LINES)], stdout=file, check=True)
        with open(path, "rb") as file:
            return path, hashlib.file_digest(file, "md5").hexdigest()

    def test_five_million_lines_from_a_file_and_from_a_pipe_are_the_same(self):
        path, expected = self.numbers()
        with open(path) as file:
            self.assertEqual(self.digest(stdin=file), expected)
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
            self.assertEqual(self.digest(stdin=cat.stdout), expected)

    def test_binary_data_is_the_same(self):
        data = os.urandom(1 << 20) + bytes(range(256)) * 1000
        with open(self.path("data"), "wb") as file:
            file.write(data)
        with open(self.path("data")) as file:
            self.assertEqual(self.digest(stdin=file), hashlib.md5(data).hexdigest())

    def test_stderr_stays_apart(self):
        done = self.run_command("--pipe", "sh", "-c", "echo out; echo err >&2")
        self.assertEqual((done.code, done.out, done.err), (0, "out\n", "err\n"))

    def test_the_null_device_is_an_empty_input(self):
        self.assertEqual((lambda d: (d.code, d.out))(self.run_command("--pipe", "wc", "-c")), (0, "0\n"))

    def test_a_command_that_closes_its_input_leaves_us_running(self):
        with open("/dev/zero") as zero:
            run = self.start("run", "--pipe", "sh", "-c", "head -c 10 >&2; exec <&-; echo on; exit 6", stdin=zero)
            self.assertEqual(run.wait(), 6)
            self.assertEqual(run.out, "on\n")

    def test_a_command_that_reads_nothing_ends_with_its_own_code(self):
        with open("/dev/zero") as zero:
            run = self.start("run", "--pipe", "sh", "-c", "exit 8", stdin=zero)
            self.assertEqual((run.wait(), run.err), (8, ""))

    def test_a_reader_that_leaves_ends_the_command_quietly(self):
        run = self.start("run", "--pipe", "yes", read_stdout=False)
        os.read(run.stdout.fileno(), 2)
        run.stdout.close()
        self.assertEqual(run.wait(), 128 + signal.SIGPIPE)
        self.assertEqual(run.err, "")

    def test_a_reader_that_leaves_stdout_leaves_stderr_open(self):
        # The other stream was closed, too.
        run = self.start("run", "--pipe", "sh", "-c",
                         "trap '' PIPE; while echo x; do :; done 2>/dev/null; echo still here >&2; exit 3",
                         read_stdout=False)
        os.read(run.stdout.fileno(), 1)
        run.stdout.close()
        self.assertEqual(run.wait(), 3)
        self.assertEqual(run.err, "still here\n")

    def test_output_that_cannot_be_written_is_said_and_fails(self):
        with open("/dev/full", "w") as full:
            run = self.start("run", "--pipe", "echo", "lost", stdout=full)
            self.assertEqual(run.wait(), 1)
            self.assertEqual(run.err, "troupe: stdout: No space left on device\n")

    @unittest.skipIf(program.SANITIZED, "memory of a sanitizer's program")
    def test_a_reader_that_is_stuck_stops_the_command_in_bounded_memory(self):
        run = self.start("run", "--pipe", "head", "-c", str(1 << 30), "/dev/zero", read_stdout=False)
        child, = program.until(lambda: proc.children(run.pid), "the command")
        program.settled(lambda: proc.read(child, "io"), "what it has written")
        self.assertLess(proc.peak_mib(run.pid), 64)
        total = 0
        while chunk := os.read(run.stdout.fileno(), 1 << 20):
            total += len(chunk)
            if total < (1 << 30) - (1 << 21):
                peak = proc.peak_mib(run.pid)
        self.assertEqual((run.wait(), total), (0, 1 << 30))
        self.assertLess(peak, 64)

    @unittest.skipIf(program.SANITIZED, "memory of a sanitizer's program")
    def test_a_stuck_reader_of_a_bytewise_writer_holds_bounded_memory(self):
        run = self.start("run", "--pipe", "dd", "if=/dev/zero", "bs=1", "status=none", read_stdout=False)
        child, = program.until(lambda: proc.children(run.pid), "the command")
        program.settled(lambda: proc.read(child, "io"), "what it has written")
        self.assertLess(proc.peak_mib(run.pid), 64)
        run.stdout.close()
        self.assertEqual(run.wait(), 128 + signal.SIGPIPE)

    def test_a_second_signal_gives_up_output_that_nobody_reads(self):
        # Every signal went to a command that had ended long ago.
        run = self.start("run", "--pipe", "head", "-c", "200000", "/dev/zero", read_stdout=False)
        os.read(run.stdout.fileno(), 1)
        # While its output is not read it may stay a zombie.
        program.until(lambda: all(proc.state(child) in ("", "Z") for child in proc.children(run.pid)),
                      "the end of the command")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 0)

    def test_a_grandchild_that_holds_stdout_does_not_hold_us(self):
        for how in ("", "setsid "):
            began = time.monotonic()
            run = self.start("run", "--pipe", "sh", "-c", f"echo on; {how}sleep 1000 & exit 9")
            self.assertEqual(run.wait(), 9)
            self.assertEqual(run.out, "on\n")
            self.assertLess(time.monotonic() - began, 5)
            self.kill_left(1)

    def test_a_closed_stdout_of_the_command_is_closed_for_our_reader(self):
        run = self.start("run", "--pipe", "sh", "-c", "echo on; exec >&-; exec sleep 1000")
        run.wait_out("on")
        run.send(signal.SIGTERM)
        self.assertEqual(run.wait(), 143)


if __name__ == "__main__":
    program.main()
