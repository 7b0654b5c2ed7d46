#include "process/spawn.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class SpawnTest : public LeakCheckedTest {
 protected:
  // A file of our own in the test's folder.
  static std::string MakeFile(const std::string& name, const char* content,
                              mode_t mode) {
    std::string path = absl::StrCat(::testing::TempDir(), "/", name);
    std::ofstream(path) << content;
    chmod(path.c_str(), mode);
    return path;
  }
};

TEST_F(SpawnTest, RunsAProgramToItsExitCode) {
  RanChild ran = RunToEnd({.argv = {ChildProgram("exit_with"), "3"}});
  EXPECT_TRUE(ran.spawned.ok()) << ran.spawned;
  EXPECT_EQ(ran.status, ExitStatus::Exited(3));
}

TEST_F(SpawnTest, TellsASignalFromAnExitCode) {
  RanChild ran = RunToEnd({.argv = {ChildProgram("kill_self"), "9"}});
  EXPECT_EQ(ran.status, ExitStatus::Killed(SIGKILL));
}

TEST_F(SpawnTest, GivesTheArgumentsAsTheyAre) {
  EXPECT_EQ(OutputOf({.argv = {"name", "", "a b", "*"},
                      .program = ChildProgram("print_argv")}),
            "name\n\na b\n*\n");
}

// Row P22: a shell's exit code says that a command is not found; rows P2 and
// P26: what is run is /bin/sh, with its syntax.
TEST_F(SpawnTest, RunsAShellOnlyWhenAsked) {
  EXPECT_EQ(OutputOf(Command::Shell("echo $0 | tr a-z A-Z; exit 3")),
            "/BIN/SH\n");
  EXPECT_EQ(RunToEnd(Command::Shell("exit 3")).status, ExitStatus::Exited(3));
  Command missing = Command::Shell("no-such-program");
  missing.stderr_to = Stdio::Null();
  EXPECT_EQ(RunToEnd(missing).status, ExitStatus::Exited(127));
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_argv"), "$HOME | cat"}}),
            ChildProgram("print_argv") + "\n$HOME | cat\n");
}

// Row P22: 256 is 0, 300 is 44, and SIGQUIT is one, core or not.
TEST_F(SpawnTest, TellsExitCodesAsTheKernelKeepsThem) {
  EXPECT_EQ(RunToEnd({.argv = {ChildProgram("exit_with"), "256"}})
                .status.ReturnCode(),
            0);
  EXPECT_EQ(RunToEnd({.argv = {ChildProgram("exit_with"), "300"}})
                .status.ReturnCode(),
            44);
  EXPECT_EQ(
      RunToEnd({.argv = {ChildProgram("kill_self"), "3"}}).status.ReturnCode(),
      -3);
}

TEST_F(SpawnTest, InheritsTheEnvironmentWithEdits) {
  setenv("TROUPE_KEPT", "1", 1);
  setenv("TROUPE_DROPPED", "1", 1);
  setenv("TROUPE_CHANGED", "1", 1);
  std::string out = OutputOf(
      {.argv = {ChildProgram("print_env")},
       .environment = {.set = {{"TROUPE_CHANGED", "2"}, {"TROUPE_NEW", "3"}},
                       .unset = {"TROUPE_DROPPED"}}});
  EXPECT_THAT(out, ::testing::HasSubstr("TROUPE_KEPT=1\n"));
  EXPECT_THAT(out, ::testing::HasSubstr("TROUPE_CHANGED=2\n"));
  EXPECT_THAT(out, ::testing::HasSubstr("TROUPE_NEW=3\n"));
  EXPECT_THAT(out, ::testing::Not(::testing::HasSubstr("TROUPE_DROPPED")));
  EXPECT_THAT(out, ::testing::Not(::testing::HasSubstr("TROUPE_CHANGED=1")));
}

// Row P5: env={} is empty, not inherited.
TEST_F(SpawnTest, GivesAnEmptyEnvironmentWhenAsked) {
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_env")},
                      .environment = {.inherit = false}}),
            "");
}

TEST_F(SpawnTest, FindsTheProgramInTheChildsPath) {
  std::string path = ChildProgram("print_env");
  std::string folder = path.substr(0, path.rfind('/'));
  EXPECT_EQ(
      OutputOf({.argv = {"print_env"},
                .environment = {.inherit = false,
                                .set = {{"PATH", "/nowhere:" + folder}}}}),
      absl::StrCat("PATH=/nowhere:", folder, "\n"));
}

TEST_F(SpawnTest, RunsInTheDirectoryAsked) {
  EXPECT_EQ(OutputOf({.argv = {ChildProgram("print_cwd")}, .cwd = "/proc"}),
            "/proc\n");
}

// Row P5: a relative program counts from the child's directory.
TEST_F(SpawnTest, FindsARelativeProgramInTheChildsDirectory) {
  std::string path = ChildProgram("print_cwd");
  std::string folder = path.substr(0, path.rfind('/'));
  EXPECT_EQ(OutputOf({.argv = {"./print_cwd"}, .cwd = folder}), folder + "\n");
}

// Row P6.
TEST_F(SpawnTest, ReportsAMissingProgramAsNotFound) {
  absl::Status status = Spawn({.argv = {"/no/such", "x"}}).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "exec \"/no/such\": No such file or directory");
  auto failure = OsFailureOf(status);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->step, "exec");
  EXPECT_EQ(failure->path, "/no/such");
  EXPECT_EQ(failure->error_number, ENOENT);
}

// Row P6: the name as the caller gave it, not the last place it was looked for.
TEST_F(SpawnTest, ReportsAProgramThatIsNotInThePathByItsName) {
  EXPECT_EQ(Spawn({.argv = {"no-such-program"},
                   .environment = {.set = {{"PATH", "/bin:/etc/passwd"}}}})
                .status()
                .message(),
            "exec \"no-such-program\": No such file or directory");
}

// Row P6: filename is the cwd if the cwd is the problem.
TEST_F(SpawnTest, ReportsABadDirectory) {
  absl::Status status =
      Spawn({.argv = {ChildProgram("exit_with")}, .cwd = "/nowhere"}).status();
  EXPECT_EQ(status.message(), "chdir \"/nowhere\": No such file or directory");
}

// Row P6.
TEST_F(SpawnTest, ReportsAFileThatMayNotRunAsDenied) {
  std::string path = MakeFile("not_executable", "x", 0644);
  EXPECT_EQ(OsFailureOf(Spawn({.argv = {path}}).status())->error_number,
            EACCES);
  EXPECT_TRUE(absl::IsPermissionDenied(Spawn({.argv = {"/"}}).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(Spawn({.argv = {""}}).status()));
}

TEST_F(SpawnTest, RemembersDeniedOverMissingInThePath) {
  MakeFile("denied", "x", 0644);
  auto status = Spawn({.argv = {"denied"},
                       .environment = {.set = {{"PATH", ::testing::TempDir() +
                                                            ":/nowhere"}}}})
                    .status();
  EXPECT_EQ(status.message(), "exec \"denied\": Permission denied");
}

TEST_F(SpawnTest, FindsALaterProgramBehindADeniedOne) {
  MakeFile("exit_with", "x", 0644);
  std::string path = ChildProgram("exit_with");
  RanChild ran = RunToEnd(
      {.argv = {"exit_with", "4"},
       .environment = {
           .set = {{"PATH", absl::StrCat(::testing::TempDir(), ":",
                                         path.substr(0, path.rfind('/')))}}}});
  EXPECT_EQ(ran.status, ExitStatus::Exited(4)) << ran.spawned;
}

// No shell steps in for a text file without an interpreter.
TEST_F(SpawnTest, ReportsAFileWithoutAFormatAsItIs) {
  std::string path = MakeFile("no_format", "exit 0\n", 0755);
  EXPECT_EQ(OsFailureOf(Spawn({.argv = {path}}).status())->error_number,
            ENOEXEC);
}

// Row P6.
TEST_F(SpawnTest, ReportsAnArgumentListThatIsTooLong) {
  auto status =
      Spawn({.argv = {"/bin/true", std::string(1 << 20, 'x')}}).status();
  EXPECT_EQ(status.message(), "exec \"/bin/true\": Argument list too long");
}

// Row P2: before anything else.
TEST_F(SpawnTest, RefusesACommandThatIsNotValidBeforeItOpensAnything) {
  std::string path = absl::StrCat(::testing::TempDir(), "/never_made");
  auto status =
      Spawn({.argv = {},
             .stdout_to = Stdio::File(path, Stdio::FileMode::kAppend)})
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// Row P6: no zombie, no descriptor; the fixture looks.
TEST_F(SpawnTest, LeavesNothingWhenExecFailsAThousandTimes) {
  Command command = {.argv = {"/no/such"},
                     .stdin_from = Stdio::Pipe(),
                     .stdout_to = Stdio::Pipe(),
                     .stderr_to = Stdio::Null()};
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(absl::IsNotFound(Spawn(command).status()));
  }
}

TEST_F(SpawnTest, LeavesNoZombieWhenExecFails) {
  auto before = Children();
  EXPECT_FALSE(Spawn({.argv = {"/no/such"}}).ok());
  EXPECT_EQ(Children(), before);
}

// Rows P8 and V23: asyncio's was inherited by a later child.
TEST_F(SpawnTest, MarksEveryDescriptorOfOursCloseOnExec) {
  auto child = Spawn({.argv = {ChildProgram("copy_input")},
                      .stdin_from = Stdio::Pipe(),
                      .stdout_to = Stdio::Pipe(),
                      .stderr_to = Stdio::Pipe()});
  ASSERT_TRUE(child.ok()) << child.status();
  for (const OwnedFd* fd : {&child->pidfd, &child->stdin_pipe,
                            &child->stdout_pipe, &child->stderr_pipe}) {
    ASSERT_TRUE(fd->valid());
    EXPECT_EQ(fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
  }
  EXPECT_TRUE(fcntl(child->stdin_pipe.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(fcntl(child->stdout_pipe.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_EQ(EndOf(&*child), ExitStatus::Exited(0));
}

}  // namespace
}  // namespace troupe
