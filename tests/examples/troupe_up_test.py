"""`troupe up`: what it runs, prints and restarts, in how much memory."""
import os
import re
import signal
import time
import unittest

import proc
import program

FOREVER = "exec sleep 1000"


class OutputTest(program.TestCase):
    def test_each_line_has_time_and_aligned_name_on_stdout_and_notices_go_to_stderr(self):
        up = self.up("a: echo one; echo two >&2\nlong-name: sleep 0; echo three\n", "--on-exit", "ignore")
        self.assertEqual(up.wait(), 0)
        lines = up.out.splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d\d:\d\d:\d\d (a        |long-name) \| (one|two|three)$")
        self.assertEqual(sorted(line[-5:].split()[-1] for line in lines), ["one", "three", "two"])
        for line in up.err.splitlines():
            self.assertRegex(line, r"^\d\d:\d\d:\d\d troupe    \| ")

    def test_has_no_colours_but_on_a_terminal(self):
        up = self.up("a: echo one\n")
        self.assertEqual(up.wait(), 0)
        self.assertNotIn("\x1b", up.out + up.err)

    def check_lines(self, slow):
        up = self.up("a: seq 200000\nb: seq 200000\n", "--on-exit", "ignore", read_stdout=False)
        if slow:  # the reader sleeps on its feet
            for name in "ab":
                child = up.pid_of(name)
                program.settled(lambda: proc.read(child, "io"), "what it has written", 0.5)
        text = bytearray()
        while chunk := os.read(up.stdout.fileno(), 1 << 12 if slow else 1 << 20):
            text += chunk
        self.assertEqual(up.wait(), 0)
        seen = {b"a": [], b"b": []}
        for line in text.splitlines():
            match = re.fullmatch(rb"\d\d:\d\d:\d\d (a|b)      \| (\d+)", line)
            self.assertIsNotNone(match, line)
            seen[match[1]].append(int(match[2]))
        for numbers in seen.values():
            self.assertEqual(numbers, list(range(1, 200001)))

    def test_400000_lines_arrive_whole_and_in_order(self):
        self.check_lines(slow=False)

    def test_400000_lines_arrive_whole_and_in_order_at_a_slow_reader(self):
        self.check_lines(slow=True)

    def test_a_long_line_is_cut_into_marked_pieces(self):
        up = self.up("a: head -c 150000 /dev/zero | tr '\\0' x; echo; echo next\n")
        self.assertEqual(up.wait(), 0)
        pieces = [line.split("| ")[1] for line in up.out.splitlines()]
        self.assertEqual([len(p) for p in pieces], [65537, 65537, 150000 - 131072, 4])
        self.assertEqual([p[-1] for p in pieces], ["\\", "\\", "x", "t"])

    def test_a_last_line_without_its_end_is_a_line(self):
        up = self.up("a: printf 'one\\ntwo'\n")
        self.assertEqual(up.wait(), 0)
        self.assertRegex(up.out, r"\| one\n.*\| two\n$")

    def test_bytes_of_a_line_are_left_as_they_are(self):
        up = self.up(r"a: printf '\001\200\377\t\r x \n\n'" + "\n")
        self.assertEqual(up.wait(), 0)
        self.assertRegex(up.raw_out, rb"\| \x01\x80\xff\t\r x \n[^\n]*\| \n$")

    def test_lines_of_many_processes_are_not_torn(self):
        up = self.up("".join(f"p{i}: for i in $(seq 300); do printf x; printf {i}y; echo z; done\n"
                             for i in range(8)), "--on-exit", "ignore")
        self.assertEqual(up.wait(), 0)
        lines = up.out.splitlines()
        self.assertEqual(len(lines), 8 * 300)
        for line in lines:
            name, text = re.fullmatch(r"\S+ p(\d) +\| x(\d)yz", line).groups()
            self.assertEqual(name, text)


@unittest.skipIf(program.SANITIZED, "memory of a sanitizer's program")
class MemoryTest(program.TestCase):
    LIMIT = 64  # MiB, of done-when 2

    def peak_while_stuck(self, command, count=1):
        up = self.up("".join(f"p{i}: {command}\n" for i in range(count)), read_stdout=False)
        writers = [up.pid_of(f"p{i}") for i in range(count)]
        program.settled(lambda: [proc.read(p, "io") for p in writers], "what they have written", 0.5)
        peak = proc.peak_mib(up.pid)
        up.send(signal.SIGINT)
        up.wait_err("once more kills")
        up.send_again(signal.SIGINT)
        self.assertEqual(up.wait(), 0)
        return peak

    def test_a_reader_that_is_stuck_holds_up_1_gib_in_bounded_memory(self):
        line = "x" * 99
        up = self.up(f"a: yes {line} | head -c {1 << 30}\nb: {FOREVER}\n", "--on-exit", "ignore",
                     read_stdout=False)
        child = up.pid_of("a")
        program.settled(lambda: [proc.read(p, "io") for p in proc.children(child)], "what it writes")
        self.assertLess(proc.peak_mib(up.pid), self.LIMIT)
        lines = 0
        while lines < (1 << 30) // 100:
            lines += os.read(up.stdout.fileno(), 1 << 16).count(b"\n")
        up.wait_err("a ended after .*: exit code 0")
        self.assertLess(proc.peak_mib(up.pid), self.LIMIT)
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)

    def test_a_writer_of_single_bytes_is_held_up_in_bounded_memory(self):
        self.assertLess(self.peak_while_stuck("exec dd if=/dev/zero bs=1 status=none"), self.LIMIT)

    def test_a_writer_of_single_line_ends_is_held_up_in_bounded_memory(self):
        self.write("newlines", "\n" * 65536)
        self.assertLess(self.peak_while_stuck("while :; do dd if=newlines bs=1 status=none; done"), self.LIMIT)

    def test_a_flood_of_line_ends_is_held_up_in_bounded_memory(self):
        self.assertLess(self.peak_while_stuck("exec yes ''"), self.LIMIT)

    def test_many_writers_are_held_up_in_bounded_memory(self):
        self.assertLess(self.peak_while_stuck("exec yes ''", 40), self.LIMIT)
        self.assertLess(self.peak_while_stuck("exec dd if=/dev/zero bs=1 status=none", 40), self.LIMIT)


class RestartTest(program.TestCase):
    def test_restarts_with_a_growing_delay_and_says_so(self):
        up = self.up("# troupe: on-exit=restart\na: exit 3\nb: " + FOREVER + "\n")
        for i, delay in enumerate(("100ms", "200ms", "400ms", "800ms"), 1):
            up.wait_err(rf"\| a restarts in {delay} \(restart {i}\)$")
            up.wait_err(rf"\| a restarted, pid \d+ \(restart {i}\)$")
        up.wait_err(r"\| a ended after \S.*: exit code 3$", 5)
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)

    def test_names_the_signal_that_killed_a_process(self):
        up = self.up("a: kill -KILL $$\nb: " + FOREVER + "\n")
        self.assertEqual(up.wait(), 137)
        self.assertRegex(up.err, r"\| a ended after [^\n]*: killed by SIGKILL\n")

    def test_on_exit_restart_restarts_what_ended_well(self):
        up = self.up("a: true\n", "--on-exit", "restart")
        up.wait_err("a restarted", 2)
        up.send(signal.SIGINT)
        self.assertEqual(up.wait(), 0)

    def test_a_stop_does_not_wait_for_a_restart(self):
        up = self.up("a: false\n", "--on-exit", "restart")
        up.wait_err("a restarts in 1.6s")
        began = time.monotonic()
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        self.assertLess(time.monotonic() - began, 1)
        self.assertRegex(up.err, r"\| stopping, because of SIGTERM\n$")

    def test_sighup_restarts_all_once(self):
        up = self.up(f"a: {FOREVER}\nb: {FOREVER}\n# troupe: on-exit=ignore\ntask: true\n")
        first = [up.pid_of(name) for name in "ab"]
        up.wait_err("task ended")
        up.send(signal.SIGHUP)
        second = [up.pid_of(name, 2) for name in "ab"]
        up.wait_err("task restarted")
        self.assertFalse(set(first) & set(second))
        up.wait_err("restarting all, because of SIGHUP")
        program.until(lambda: not any(proc.state(p) for p in first), "the reaping of the first")
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)

    def test_sighup_that_is_ignored_stays_ignored(self):
        up = self.up("a: grep SigIgn /proc/self/status; " + FOREVER + "\n",
                     preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.assertTrue(int(up.wait_out(r"SigIgn:\s*(\w+)")[1], 16) & 1)
        up.send(signal.SIGHUP)
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        self.assertNotIn("restart", up.err)


class StreamTest(program.TestCase):
    def test_a_reader_that_leaves_ends_everything_quietly(self):
        up = self.up(f"a: while echo tick; do sleep 0.01; done\nb: {FOREVER}\n", read_stdout=False)
        os.read(up.stdout.fileno(), 1)
        up.stdout.close()
        self.assertEqual(up.wait(), 0)
        self.assertNotRegex(up.err, "(?i)broken|error|stdout")

    def test_a_reader_that_leaves_is_noticed_without_a_write(self):
        up = self.up(f"a: echo ready; {FOREVER}\n", read_stdout=False)
        os.read(up.stdout.fileno(), 1)
        up.stdout.close()
        self.assertEqual(up.wait(), 0)

    def test_output_that_cannot_be_written_is_said_and_fails(self):
        with open("/dev/full", "w") as full:
            up = self.up(f"a: echo lost; {FOREVER}\n", stdout=full)
            self.assertEqual(up.wait(), 1)
        self.assertIn("| stdout: No space left on device; stopping all\n", up.err)

    def test_a_closed_stdout_is_one_clear_line_and_exit_2(self):
        up = self.up("a: echo lost\n", preexec_fn=lambda: os.close(1))
        self.assertEqual(up.wait(), 2)
        self.assertEqual(up.err, "troupe: stdout: Bad file descriptor\n")

    def test_a_closed_stdin_or_stderr_does_not_matter(self):
        for number in (0, 2):
            up = self.up("a: readlink /proc/self/fd/0; exit 3\n", preexec_fn=lambda: os.close(number))
            self.assertEqual(up.wait(), 3)
            self.assertRegex(up.out, r"\| /dev/null\n$")

    def test_a_stderr_whose_reader_leaves_does_not_matter(self):
        read, write = os.pipe()
        up = self.up("a: echo on; sleep 0.2; echo off; exit 3\n", stderr=write)
        os.close(write), os.close(read)
        self.assertEqual(up.wait(), 3)
        self.assertRegex(up.out, r"\| on\n.*\| off\n")

    def test_output_to_a_file_is_appended_where_others_write(self):
        path = self.path("log")
        with open(path, "w") as log:
            log.write("header\n")
            log.flush()
            up = self.up("a: seq 1000\n", stdout=log, stderr=log)
            self.assertEqual(up.wait(), 0)
            log.write("footer\n")
        with open(path) as log:
            lines = log.read().splitlines()
        self.assertEqual((lines[0], lines[-1]), ("header", "footer"))
        self.assertEqual(len([l for l in lines if re.fullmatch(r"\S+ a +\| \d+", l)]), 1000)


class ProcfileTest(program.TestCase):
    def test_a_count_runs_a_process_so_often(self):
        up = self.up("web: echo web\nworker: echo worker\n", "-m", "web=2,worker=3", "--on-exit", "ignore")
        self.assertEqual(up.wait(), 0)
        names = sorted(line.split()[1] for line in up.out.splitlines())
        self.assertEqual(names, ["web.1", "web.2", "worker.1", "worker.2", "worker.3"])

    def test_only_the_named_run(self):
        up = self.up("a: echo a\nb: echo b\nc: echo c\n", "--only", "a,c", "--on-exit", "ignore")
        self.assertEqual(up.wait(), 0)
        self.assertEqual(sorted(line.split()[1] for line in up.out.splitlines()), ["a", "c"])

    def test_processes_run_in_the_folder_of_the_procfile_with_its_env_file(self):
        self.write("app/.env", "GREETING='hello there'\nPATH_TOO=$HOME\n")
        self.write("app/Procfile", "# a comment\n\na: pwd; echo \"$GREETING\"; readlink /proc/self/fd/0\n")
        up = self.start("up", "-f", "app/Procfile")
        self.assertEqual(up.wait(), 0)
        self.assertEqual([line.split("| ")[1] for line in up.out.splitlines()],
                         [self.path("app"), "hello there", "/dev/null"])

    def test_a_folder_that_is_gone_is_a_process_that_did_not_start(self):
        os.mkdir(self.path("gone"))
        self.write("gone/Procfile", "a: sleep 1000\n")
        up = self.start("up", "-f", "gone/Procfile", "--on-exit", "restart")
        child = up.pid_of("a")
        os.unlink(self.path("gone/Procfile"))
        os.rmdir(self.path("gone"))
        os.kill(child, signal.SIGKILL)
        up.wait_err(r'\| a did not start: .*"gone": No such file or directory')
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)


if __name__ == "__main__":
    program.main()
