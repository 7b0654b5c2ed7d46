"""`troupe up`: when it stops, and how it ends."""
import os
import re
import signal
import time
import unittest

import proc
import program

FOREVER = "exec sleep 1000"


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
        program.settled(lambda: [proc.read(p, "io") for p in proc.children(child)], "what it writes")
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

    def test_sigkill_takes_everything_along(self):
        up = self.up(f"a: {FOREVER}\nb: trap '' TERM HUP; echo ready; while :; do sleep 0.05; done\n"
                     "c: sleep 1000 & echo grandchild $!; exec sleep 1000\n")
        pids = [up.pid_of(name) for name in "abc"]
        up.wait_out("ready")
        pids.append(int(up.wait_out(r"grandchild (\d+)")[1]))
        pids += proc.children(up.pid)  # the guard among them
        up.send(signal.SIGKILL)
        self.assertEqual(up.wait(), -signal.SIGKILL)
        for pid in pids:
            program.until(lambda: proc.state(pid) in ("", "Z"), "the end of a process")


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
        program.until(lambda: proc.state(child) == "T", "the stop")
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
        program.until(lambda: "1" not in proc.descriptors(child), "the closed stdout")
        self.assertIn(proc.state(child), "SR")
        self.stop(up)

    def test_a_process_that_fills_its_pipe_ends_by_sigterm(self):
        up = self.up("a: exec yes\n", "--timeout", "1h", read_stdout=False)
        child = up.pid_of("a")
        program.settled(lambda: proc.read(child, "io"), "what it writes")
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
            return (len(proc.descriptors(up.pid)), len(proc.threads(up.pid)),
                    [proc.state(p) for p in proc.children(up.pid)])
        before = program.settled(holdings, "what it holds")
        self.assertEqual(before[2], ["S", "S"])  # the guard is one
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
            self.assertEqual(proc.group(child), child)
            # Until its exec is through it has more, and so has its loader.
            program.until(lambda: proc.descriptors(child) == ["0", "1", "2"], "0, 1 and 2 alone")
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
        before = program.settled(lambda: proc.switches(up.pid), "the start", 1)
        end = time.monotonic() + 10
        while time.monotonic() < end:  # the promise is about time itself
            time.sleep(end - time.monotonic())
        self.assertEqual(proc.switches(up.pid), before)
        self.stop(up)


if __name__ == "__main__":
    program.main()
