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

    def test_nothing_else_is_touched(self):
        for line in ("a", "read p.r -> 9", "when a -> 30", 'say "fd 9": x', "<Handle cancelled>", "took 0.1"):
            self.assertEqual(normalise.normalised(line), [line])


unittest.main()
