"""`troupe up`: what it prints, when it stops, and how it ends."""
import os
import re
import signal
import subprocess
import time
import unittest

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
                program.settled(lambda: program.proc(child, "io"), "what it has written", 0.5)
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
        program.settled(lambda: [program.proc(p, "io") for p in writers], "what they have written", 0.5)
        peak = program.peak_mib(up.pid)
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
        program.settled(lambda: [program.proc(p, "io") for p in program.children(child)], "what it writes")
        self.assertLess(program.peak_mib(up.pid), self.LIMIT)
        lines = 0
        while lines < (1 << 30) // 100:
            lines += os.read(up.stdout.fileno(), 1 << 16).count(b"\n")
        up.wait_err("a ended after .*: exit code 0")
        self.assertLess(program.peak_mib(up.pid), self.LIMIT)
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
        self.assertEqual([program.state(p) for p in first], ["", ""])
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


class StopTest(program.TestCase):
    def test_the_end_of_one_stops_the_others(self):
        up = self.up(f"a: {FOREVER}\nb: exit 0\n")
        self.assertEqual(up.wait(), 0)
        self.assertRegex(up.err, r"stopping 1 process, because b ended\n")
        self.assertRegex(up.err, r"\| a ended after [^\n]*: killed by SIGTERM\n")

    def test_the_exit_code_is_that_of_the_first_that_failed(self):
        for procfile, code in (("a: exit 0\nb: sleep 0.2; exit 4\nc: sleep 0.4; exit 5\n", 4),
                               ("a: kill -USR1 $$\nb: sleep 0.2; exit 5\n", 128 + signal.SIGUSR1),
                               ("a: true\nb: true\n", 0)):
            up = self.up(procfile, "--on-exit", "ignore")
            self.assertEqual(up.wait(), code)

    def test_what_was_stopped_has_not_failed(self):
        up = self.up("a: exit 0\nb: trap 'exit 9' TERM; while :; do sleep 0.01; done\n")
        self.assertEqual(up.wait(), 0)

    def test_a_failure_before_the_user_stops_it_is_forgotten(self):
        up = self.up(f"a: exit 3\nb: {FOREVER}\n", "--on-exit", "ignore")
        up.wait_err("a ended")
        up.send(signal.SIGINT)
        self.assertEqual(up.wait(), 0)

    def test_a_process_keeps_its_own_setting(self):
        up = self.up(f"# troupe: on-exit=ignore\na: exit 3\n# troupe: on-exit=restart\nb: true\nc: {FOREVER}\n")
        up.wait_err("a ended")
        up.wait_err("b restarted", 2)
        self.assertNotIn("stopping", up.err)
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)

    def test_ctrl_c_and_sigterm_stop_by_plan(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            up = self.up("a: trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done\n"
                         f"b: {FOREVER}\n")
            up.wait_out("ready")
            up.pid_of("b")
            up.send(number)
            self.assertEqual(up.wait(), 0)
            self.assertIn("| bye\n", up.out)
            self.assertIn(f"stopping 2 processes, because of {number.name}; once more kills them\n", up.err)

    def test_the_timeout_is_the_wait_before_the_kill(self):
        up = self.up("a: trap '' TERM; echo ready; while :; do sleep 0.05; done\n", "--timeout", "700ms")
        up.wait_out("ready")
        began = time.monotonic()
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        self.assertGreater(time.monotonic() - began, 0.7)
        self.assertLess(time.monotonic() - began, 3)
        self.assertIn("killed by SIGKILL", up.err)

    def test_a_second_signal_kills_at_once(self):
        for numbers in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM),
                        (signal.SIGTERM, signal.SIGINT)):
            up = self.up("a: trap '' TERM; echo ready; while :; do sleep 0.05; done\n", "--timeout", "1h")
            up.wait_out("ready")
            up.send(numbers[0])
            up.wait_err("once more kills it")
            up.send_again(numbers[1])
            self.assertEqual(up.wait(), 0)
            self.assertIn("killing 1 process, because", up.err)
            self.assertIn("killed by SIGKILL", up.err)

    def test_a_second_signal_kills_at_once_though_the_reader_is_stuck(self):
        up = self.up("a: trap '' TERM; yes\n", "--timeout", "1h", read_stdout=False)
        child = up.pid_of("a")
        program.settled(lambda: [program.proc(p, "io") for p in program.children(child)], "what it writes")
        up.send(signal.SIGINT)
        up.wait_err("once more kills it")
        began = time.monotonic()
        up.send_again(signal.SIGINT)
        up.wait_err("a ended after .*: killed by SIGKILL")
        self.assertEqual(up.wait(), 0)
        self.assertLess(time.monotonic() - began, 2)

    def test_a_second_signal_gives_up_on_a_reader_when_all_have_ended(self):
        up = self.up("a: yes | head -c 100000\n", read_stdout=False)
        up.wait_err("a ended")
        up.send(signal.SIGINT)
        up.send_again(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)

    def test_a_second_signal_gives_up_on_a_stuck_stderr(self):
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while os.write(write, b"x" * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(write, True)
        up = self.up(f"a: echo ready; {FOREVER}\n", stderr=write)
        os.close(write)
        up.wait_out("ready")
        up.send(signal.SIGINT)
        up.send_again(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        os.close(read)

    def test_one_press_that_comes_twice_is_one(self):
        # timeout(1) and other wrappers pass on what the terminal sends to all.
        up = self.up("a: trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done\n")
        up.wait_out("ready")
        up.send(signal.SIGINT)
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        self.assertIn("bye", up.out)
        self.assertNotIn("killing", up.err)

    def test_sigkill_takes_every_direct_child_along(self):
        up = self.up(f"a: {FOREVER}\nb: trap '' TERM HUP; echo ready; while :; do sleep 0.05; done\n")
        pids = [up.pid_of(name) for name in "ab"]
        up.wait_out("ready")
        up.send(signal.SIGKILL)
        self.assertEqual(up.wait(), -signal.SIGKILL)
        for pid in pids:
            program.until(lambda: program.state(pid) in ("", "Z"), "the end of a child")


class HardCaseTest(program.TestCase):
    """Done-when 4: each ends within the plan's time; nothing is left."""

    def stop(self, up, within=3):
        began = time.monotonic()
        up.send(signal.SIGTERM)
        self.assertEqual(up.wait(), 0)
        self.assertLess(time.monotonic() - began, within)

    def test_a_process_that_ignores_sigterm_ends_with_the_plan(self):
        up = self.up("a: trap '' TERM; echo ready; while :; do sleep 0.05; done\n", "--timeout", "300ms")
        up.wait_out("ready")
        self.stop(up)

    def test_a_stopped_process_ends_by_sigterm(self):
        up = self.up("a: kill -STOP $$\n", "--timeout", "1h")
        child = up.pid_of("a")
        program.until(lambda: program.state(child) == "T", "the stop")
        self.stop(up)
        self.assertIn("killed by SIGTERM", up.err)

    def test_a_grandchild_in_the_group_ends_with_it(self):
        up = self.up("a: sleep 1000 & echo ready; wait\n", "--timeout", "1h")
        up.wait_out("ready")
        self.stop(up)

    def test_a_grandchild_that_is_left_behind_is_stopped_at_the_end(self):
        up = self.up("a: sleep 1000 & echo ready\n", "--timeout", "1h")
        self.assertEqual(up.wait(), 0)
        self.assertIn("| ready\n", up.out)

    def test_a_grandchild_that_holds_nothing_is_stopped_at_the_end(self):
        # It outlived us.
        up = self.up("a: sleep 1000 >/dev/null 2>&1 &\n", "--timeout", "1h")
        self.assertEqual(up.wait(), 0)

    def test_a_grandchild_that_left_the_group_does_not_hold_us(self):
        up = self.up("a: setsid sh -c 'echo ready; exec sleep 1000' & wait\n", "--timeout", "500ms")
        up.wait_out("ready")
        self.stop(up, 4)
        self.kill_left(1)

    def test_a_process_that_closes_its_stdout_runs_on(self):
        up = self.up("a: echo ready; exec >&- 2>&-; exec sleep 1000\n", "--timeout", "1h")
        up.wait_out("ready")
        child = up.pid_of("a")
        program.until(lambda: "1" not in program.descriptors(child), "the closed stdout")
        self.assertIn(program.state(child), "SR")
        self.stop(up)

    def test_a_process_that_fills_its_pipe_ends_by_sigterm(self):
        up = self.up("a: exec yes\n", "--timeout", "1h", read_stdout=False)
        child = up.pid_of("a")
        program.settled(lambda: program.proc(child, "io"), "what it writes")
        up.send(signal.SIGTERM)
        up.wait_err("a ended after .*: killed by SIGTERM")
        while os.read(up.stdout.fileno(), 1 << 20):
            pass
        self.assertEqual(up.wait(), 0)

    def test_an_exit_is_reported_within_100_ms(self):
        hold = "a: sleep 1000 & echo ready; exec sleep 1000\nb: " + FOREVER + "\n"
        delays = []
        for _ in range(5):  # the machine may be busy; the program may not
            up = self.up(hold, "--on-exit", "ignore")
            up.wait_out("ready")
            child = up.pid_of("a")
            killed = time.monotonic()
            os.kill(child, signal.SIGKILL)
            up.wait_err("a ended after .*: killed by SIGKILL")
            delays.append(up.err_at - killed)
            self.stop(up)
        self.assertLess(min(delays), 0.1)

    def test_no_descriptor_thread_or_zombie_is_left_of_a_run(self):
        # Churn in one program: before and after two hundred runs.
        up = self.up("# troupe: on-exit=ignore\na: true\nb: " + FOREVER + "\n")
        up.wait_err("a ended")

        def holdings():
            return (len(program.descriptors(up.pid)), len(program.threads(up.pid)),
                    [program.state(p) for p in program.children(up.pid)])
        before = program.settled(holdings, "what it holds")
        self.assertEqual(before[2], ["S"])
        for i in range(20):
            up.send(signal.SIGHUP)
            up.wait_err("a ended", i + 2)
            up.wait_err("b restarted", i + 1)
        self.assertEqual(program.settled(holdings, "what it holds"), before)
        self.stop(up)

    def test_each_process_has_a_group_of_its_own_and_no_descriptor_of_ours(self):
        up = self.up("a: echo ready; " + FOREVER + "\nb: " + FOREVER + "\n")
        up.wait_out("ready")
        for name in "ab":
            child = up.pid_of(name)
            self.assertEqual(program.group(child), child)
            # Until its exec is through it has more, and so has its loader.
            program.until(lambda: program.descriptors(child) == ["0", "1", "2"], "0, 1 and 2 alone")
        self.stop(up)

    def test_five_hundred_at_once_are_each_reported_once(self):
        up = self.up("a: read x; exit 1\n", "-m", "a=500", "--on-exit", "ignore")
        self.assertEqual(up.wait(90), 1)
        for i in range(1, 501):
            self.assertEqual(len(re.findall(rf"\| a\.{i} ended after", up.err)), 1)

    @unittest.skipIf(program.SANITIZED, "a sanitizer has a thread of its own")
    def test_with_nothing_to_do_no_thread_is_switched_in_for_10_s(self):
        up = self.up(f"a: {FOREVER}\nb: {FOREVER}\n")
        for name in "ab":
            up.pid_of(name)
        before = program.settled(lambda: program.switches(up.pid), "the start", 1)
        end = time.monotonic() + 10
        while time.monotonic() < end:  # the promise is about time itself
            time.sleep(end - time.monotonic())
        self.assertEqual(program.switches(up.pid), before)
        self.stop(up)


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
