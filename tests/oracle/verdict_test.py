"""The oracle sees what it is there to see: each kind of fault is planted once."""
import unittest

import normalise
import scenario
import verdict

TEXT = """
# Comments and empty lines are for readers.
scenario Some
rows L3 L4
main:
  soon a
a:
  stop
"""
EXPECTING = TEXT.replace("main:", "expect-difference L3: b comes first\n- b\n+ c\nmain:")
PAGE = "# Rows\n| L4 | `Some` | not in the section |\n\n## Oracle\n\n| L3 | `Some` | b comes first |\n"


def fault(text, asyncio, troupe, known):
    (one,) = scenario.parse(text, "some.scenario")
    return verdict.fault(one, asyncio.split(), troupe.split(), known)


class VerdictTest(unittest.TestCase):
    def test_equal_traces_are_no_fault(self):
        self.assertEqual(fault(TEXT, "a b end", "a b end", set()), "")

    def test_a_difference_that_nobody_expects_is_a_fault(self):
        self.assertIn("- b\n+ c\n", fault(TEXT, "a b end", "a c end", set()))

    def test_another_order_is_a_fault(self):
        self.assertIn("+ b\n", fault(TEXT, "a b end", "b a end", set()))

    def test_a_difference_that_scenario_and_map_expect_is_no_fault(self):
        self.assertEqual(fault(EXPECTING, "a b end", "a c end", {("L3", "Some")}), "")

    def test_a_difference_that_is_gone_is_a_fault(self):
        self.assertIn("no difference", fault(EXPECTING, "a c end", "a c end", {("L3", "Some")}))

    def test_another_difference_than_the_expected_one_is_a_fault(self):
        self.assertIn("+ d", fault(EXPECTING, "a b end", "a d end", {("L3", "Some")}))

    def test_a_difference_that_the_map_does_not_list_is_a_fault(self):
        self.assertIn("does not list", fault(EXPECTING, "a b end", "a c end", {("L4", "Some")}))

    def test_a_difference_that_only_the_map_lists_is_a_fault(self):
        self.assertIn("does not expect", fault(TEXT, "a end", "a end", {("L3", "Some")}))

    def test_a_trace_without_its_end_is_a_fault(self):
        self.assertIn("asyncio did not", fault(TEXT, "a", "a", set()))
        self.assertIn("Troupe did not", fault(TEXT, "a", "a", set()))
        self.assertIn("asyncio did not", fault(TEXT, "", "", set()))

    def test_the_map_is_the_section_alone(self):
        self.assertEqual(verdict.mapped(PAGE), {("L3", "Some")})


class ScenarioTest(unittest.TestCase):
    def test_is_taken_apart(self):
        (one,) = scenario.parse(EXPECTING, "some.scenario")
        self.assertEqual((one.name, one.rows), ("Some", ["L3", "L4"]))
        self.assertEqual(one.differences, [("L3", "b comes first")])
        self.assertEqual(one.diff, ["- b", "+ c"])
        self.assertEqual(one.script, ["main:", "  soon a", "a:", "  stop"])

    def test_what_is_not_understood_is_named_with_its_line(self):
        for line in ("rows three", "expect-difference b", "expectdifference L3: b", "- b", "  soon"):
            with self.assertRaisesRegex(ValueError, "some.scenario:1: "):
                scenario.parse(line, "some.scenario")
        with self.assertRaisesRegex(ValueError, "some.scenario:9: after"):
            scenario.parse(TEXT + "rows L5", "some.scenario")
        with self.assertRaisesRegex(ValueError, "no rows or no main"):
            scenario.parse("scenario Some\nrows L3", "some.scenario")


class NormaliseTest(unittest.TestCase):
    def test_each_rule_makes_two_texts_one(self):
        for asyncio, troupe in (
                ("<_UnixSelectorEventLoop running=False>", "<Loop running=False>"),
                ("[Errno 9] Bad file descriptor", "Bad file descriptor"),
                ("reader p a ! Bad file descriptor", 'reader p a ! epoll_ctl "fd 9": Bad file descriptor'),
                ("<TimerHandle when=7.25 a() at /x.py:3>", "<TimerHandle when=1.250000 created at x.cc:7>"),
                ("Exception in callback a() at /x.py:3, no", "Exception in callback <Handle created at x.cc:7>, no"),
                ("<Handle a() at /x.py:3 created at /x.py:9>", "<Handle created at x.cc:7>"),
                ("Executing <Handle a() at /x.py:3> took 0.110 seconds",
                 "Executing <Handle created at x.cc:7> took 0.124 seconds")):
            self.assertEqual(normalise.normalised(asyncio), normalise.normalised(troupe))

    def test_numbers_of_processes_are_no_difference(self):
        self.assertEqual(normalise.normalised("log: child process pid 12 is 3"), ["log: child process pid N is 3"])
        self.assertEqual(normalise.normalised("<_UnixSubprocessTransport pid=7 stdin=<_UnixWritePipeTransport fd=9>>"),
                         normalise.normalised("<Subprocess pid=8 stdin=<WriteTransport fd=10>>"))

    def test_nothing_else_is_touched(self):
        for line in ("a", "read p.r -> 9", "when a -> 30", 'say "fd 9": x', "<Handle cancelled>", "took 0.1"):
            self.assertEqual(normalise.normalised(line), [line])


CHILD = """p made
p 0 closed
p 1 data 'out'
p 1 closed
p exit 3
p lost
end"""


class ChildTest(unittest.TestCase):
    """What a child tells: the order between its channels is free, nothing else is."""

    def fault(self, old, new):
        (one,) = scenario.parse(TEXT, "some.scenario")
        self.assertIn(old, CHILD)
        return verdict.fault(one, normalise.normalised(CHILD),
                             normalise.normalised(CHILD.replace(old, new)), set())

    def test_another_order_of_channels_is_no_fault(self):
        self.assertEqual(self.fault("p 0 closed\np 1 data 'out'\np 1 closed\np exit 3",
                                    "p exit 3\np 1 data 'out'\np 0 closed\np 1 closed"), "")

    def test_a_wrong_exit_code_is_a_fault(self):
        self.assertIn("- p exit 3\n+ p exit 4", self.fault("p exit 3", "p exit 4"))

    def test_a_second_exit_is_a_fault(self):
        self.assertIn("+ p exit 3", self.fault("p exit 3", "p exit 3\np exit 3"))
        self.assertIn("+ p exit 3", self.fault("p lost", "p lost\np exit 3"))

    def test_an_exit_that_is_missing_is_a_fault(self):
        self.assertIn("- p exit 3", self.fault("p exit 3\n", ""))

    def test_a_stream_that_is_not_closed_is_a_fault(self):
        self.assertIn("- p 1 closed", self.fault("p 1 closed\n", ""))

    def test_a_stream_that_is_closed_twice_or_with_an_error_is_a_fault(self):
        self.assertIn("+ p 0 closed", self.fault("p 0 closed", "p 0 closed\np 0 closed"))
        self.assertIn("+ p 0 closed: EPIPE", self.fault("p 0 closed", "p 0 closed: EPIPE"))

    def test_a_byte_that_is_lost_or_swapped_is_a_fault(self):
        self.assertIn("+ p 1 data 'ou'", self.fault("'out'", "'ou'"))
        self.assertIn("+ p 1 data 'uot'", self.fault("'out'", "'uot'"))

    def test_data_behind_the_end_of_its_stream_is_a_fault(self):
        self.assertNotEqual(self.fault("p 1 data 'out'\np 1 closed", "p 1 closed\np 1 data 'out'"), "")

    def test_what_comes_before_made_or_after_lost_is_a_fault(self):
        self.assertNotEqual(self.fault("p made\np 0 closed", "p 0 closed\np made"), "")
        self.assertNotEqual(self.fault("p 1 closed\np exit 3\np lost", "p exit 3\np lost\np 1 closed"), "")
        self.assertNotEqual(self.fault("p lost\n", ""), "")
        self.assertNotEqual(self.fault("p lost", "p lost\np lost"), "")

    def test_children_may_end_in_any_order_but_not_before_what_else_happened(self):
        def both(text):
            return normalise.normalised(text + "\nend")
        self.assertEqual(both("p made\nq made\np lost\nq lost"), both("p made\nq made\nq lost\np lost"))
        self.assertNotEqual(both("p made\np lost\nwait p -> 0"), both("p made\nwait p -> 0\np lost"))


class EachTest(unittest.TestCase):
    def test_a_scenario_is_there_for_each_word(self):
        text = TEXT.replace("main:\n", "each safe multi-loop\nmain:\n  watcher EACH\n")
        found = scenario.parse(text, "some.scenario")
        self.assertEqual([one.name for one in found], ["SomeSafe", "SomeMultiLoop"])
        self.assertEqual([one.script[1] for one in found], ["  watcher safe", "  watcher multi-loop"])


unittest.main()
