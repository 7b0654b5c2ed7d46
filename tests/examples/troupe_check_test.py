"""`troupe check`, the command line, and where paths start from."""
import os
import subprocess
import unittest

import program

COMMANDS = ("up", "run", "check")


class CheckTest(program.TestCase):
    def check(self, text, name="Procfile"):
        self.write(name, text)
        done = self.start("check", "-f", name)
        done.code = done.wait()
        return done

    def test_names_every_mistake_with_line_and_column(self):
        done = self.check("web: serve\n"
                          "no colon here\n"
                          "\n"
                          "  # a comment\n"
                          "empty:   \n"
                          ": nameless\n"
                          "b@d: run\n"
                          "web: again\n"
                          "# troupe: on-exit=maybe\n"
                          "job: run\n")
        self.assertEqual(done.err,
                         "Procfile:2:1: no colon; expected `name: command`\n"
                         "Procfile:5:7: empty has no command\n"
                         "Procfile:6:1: no name before the colon; expected `name: command`\n"
                         "Procfile:7:2: bad name \"b@d\": a name is letters, digits, _ and -\n"
                         "Procfile:8:1: web is already there on line 1\n"
                         "Procfile:9:11: unknown setting \"on-exit=maybe\"; "
                         "there is on-exit=stop, restart and ignore\n")
        self.assertEqual(done.out, "")
        self.assertEqual(done.code, 2)

    def test_says_that_a_sound_file_is_sound(self):
        done = self.check("# a comment\n\nweb: serve\n# troupe: on-exit=ignore\njob: run\n")
        self.assertEqual((done.code, done.out, done.err), (0, "Procfile: sound; web, job\n", ""))

    def test_finds_a_file_without_processes_unsound(self):
        done = self.check("# nothing\n")
        self.assertEqual(done.code, 2)
        self.assertEqual(done.err, "Procfile:1:1: no process: no line `name: command`\n")

    def test_names_mistakes_in_the_env_file_too(self):
        self.write(".env", "A=1\nnot a variable\n")
        done = self.check("a: true\n")
        self.assertEqual(done.code, 2)
        self.assertRegex(done.err, r"^\.env:2:\d+: .*\n$")

    def test_looks_for_a_procfile_where_the_user_stands(self):
        self.write("Procfile", "a: true\n")
        done = self.start("check")
        self.assertEqual(done.wait(), 0)
        self.assertEqual(done.out, "Procfile: sound; a\n")

    def test_an_unsound_file_is_not_run(self):
        up = self.up("a: echo ran\nb\n")
        self.assertEqual(up.wait(), 2)
        self.assertRegex(up.err, r"^\S+/Procfile:2:1: no colon; .*\n$")
        self.assertEqual(up.out, "")


class CommandLineTest(program.TestCase):
    def one_line(self, *arguments):
        done = self.start(*arguments)
        self.assertEqual(done.wait(), 2, arguments)
        self.assertEqual(done.out, "", arguments)
        self.assertRegex(done.err, r"^troupe[^\n]*: [^\n]+\n$", arguments)
        return done.err

    def test_a_bad_flag_is_one_clear_line_and_exit_2(self):
        for command in COMMANDS:
            self.assertIn("--bogus", self.one_line(command, "--bogus"))
        self.assertIn("--bogus", self.one_line("--bogus"))
        self.assertIn("frobnicate", self.one_line("frobnicate"))
        self.assertIn("which command", self.one_line())

    def test_a_bad_value_is_one_clear_line_and_exit_2(self):
        self.write("Procfile", "a: true\n")
        for arguments, word in ((("up", "--timeout", "soon"), "soon"),
                                (("up", "--timeout", "-1s"), "-1s"),
                                (("up", "--on-exit", "panic"), "panic"),
                                (("up", "-m", "a=many"), "a=many"),
                                (("up", "-m", "b=1"), '"b"'),
                                (("up", "--only", "b"), '"b"'),
                                (("up", "--only", ""), "--only"),
                                (("up", "-m", "a=0"), "run"),
                                (("up", "stray"), "stray"),
                                (("run", "--timeout", "soon", "true"), "soon"),
                                (("run",), "no command"),
                                (("run", "--"), "no command"),
                                (("check", "stray"), "stray")):
            self.assertIn(word, self.one_line(*arguments))

    def test_a_missing_file_is_one_clear_line_and_exit_2(self):
        for command in ("up", "check"):
            self.assertIn('"nowhere/Procfile": No such file or directory',
                          self.one_line(command, "-f", "nowhere/Procfile"))

    def test_an_unreadable_file_is_one_clear_line_and_exit_2(self):
        os.mkdir(self.path("folder"))
        for command in ("up", "check"):
            self.assertIn('"folder": Is a directory', self.one_line(command, "-f", "folder"))

    @unittest.skipIf(os.geteuid() == 0, "root may read everything")
    def test_a_file_without_permission_is_one_clear_line_and_exit_2(self):
        os.chmod(self.write("closed", "a: true\n"), 0)
        for command in ("up", "check"):
            self.assertIn('"closed": Permission denied', self.one_line(command, "-f", "closed"))

    def test_help_and_version_are_on_stdout_with_exit_0(self):
        for command in ((), *((c,) for c in COMMANDS)):
            helped = self.start(*command, "--help")
            self.assertEqual((helped.wait(), helped.err), (0, ""))
            self.assertIn("Usage: " + " ".join(("troupe", *command)), helped.out)
            version = self.start(*command, "--version")
            self.assertEqual((version.wait(), version.err), (0, ""))
            self.assertRegex(version.out, r"^troupe \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.write("Procfile", "a: true\n")
        for arguments in (("--help",), ("--version",), ("check",)):
            with open("/dev/full", "w") as full:
                done = self.start(*arguments, stdout=full)
                self.assertNotEqual(done.wait(), 0, arguments)
                self.assertEqual(done.err, "troupe: stdout: No space left on device\n")


class PathTest(program.TestCase):
    """Bazel starts a program elsewhere and says where the user stands."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("user"))
        os.mkdir(self.path("elsewhere"))
        self.write("user/Procfile", "a: pwd; env\n")

    def from_bazel(self, *arguments):
        env = self.environment(BUILD_WORKING_DIRECTORY=self.path("user"),
                               BUILD_WORKSPACE_DIRECTORY=self.folder)
        done = self.start(*arguments, cwd=self.path("elsewhere"), env=env)
        self.assertEqual(done.wait(), 0, done.err)
        return done

    def test_check_and_up_find_the_file_where_the_user_stands(self):
        self.assertEqual(self.from_bazel("check").out, "Procfile: sound; a\n")
        self.assertIn("| " + self.path("user") + "\n", self.from_bazel("up").out)

    def test_run_starts_the_command_where_the_user_stands(self):
        done = self.from_bazel("run", "pwd")
        self.assertEqual(done.out, self.path("user") + "\n")

    def test_children_hear_nothing_of_bazel(self):
        self.assertNotIn("BUILD_", self.from_bazel("run", "env").out)
        self.assertNotIn("BUILD_", self.from_bazel("up").out)


if __name__ == "__main__":
    program.main()
