#include "process/command.h"

#include <csignal>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/os_error.h"

namespace troupe {
namespace {

std::string TextOf(const Command& command) {
  return std::string(Validate(command).message());
}

Command True() { return {.argv = {"/bin/true"}}; }

TEST(CommandTest, IsValidWithAnArgvAlone) {
  EXPECT_TRUE(Validate(True()).ok());
  EXPECT_EQ(TextOf({}), "argv is empty");
}

TEST(CommandTest, IsCalledByItsProgramElseByItsFirstArgument) {
  EXPECT_EQ(ProgramOf({.argv = {"sh"}}), "sh");
  EXPECT_EQ(ProgramOf({.argv = {"sh"}, .program = "/bin/dash"}), "/bin/dash");
}

// Row P6, in each place a string can stand.
TEST(CommandTest, RefusesNulBytes) {
  const std::string nul("a\0b", 3);
  Command command = True();
  command.argv.push_back(nul);
  EXPECT_EQ(TextOf(command), "embedded null byte");
  command = True();
  command.program = nul;
  EXPECT_EQ(TextOf(command), "embedded null byte");
  command = True();
  command.cwd = nul;
  EXPECT_EQ(TextOf(command), "embedded null byte");
  command = True();
  command.environment.set["A"] = nul;
  EXPECT_EQ(TextOf(command), "embedded null byte");
  command = True();
  command.stdout_to = Stdio::File(nul, Stdio::FileMode::kAppend);
  EXPECT_EQ(TextOf(command), "embedded null byte");
}

// Row P6.
TEST(CommandTest, RefusesIllegalVariableNames) {
  Command command = True();
  command.environment.set["A=B"] = "c";
  EXPECT_EQ(TextOf(command), "illegal environment variable name");
  command = True();
  command.environment.unset = {""};
  EXPECT_EQ(TextOf(command), "illegal environment variable name");
}

TEST(CommandTest, RefusesAVariableBothSetAndUnset) {
  Command command = True();
  command.environment = {.set = {{"A", "1"}}, .unset = {"A"}};
  EXPECT_EQ(TextOf(command),
            "environment variable \"A\" is both set and unset");
}

// Rows P7 and V32.
TEST(CommandTest, MergesOnlyStderr) {
  Command command = True();
  command.stderr_to = Stdio::Merged();
  EXPECT_TRUE(Validate(command).ok());
  std::swap(command.stderr_to, command.stdout_to);
  EXPECT_EQ(TextOf(command), "STDOUT can only be used for stderr");
  std::swap(command.stdout_to, command.stdin_from);
  EXPECT_EQ(TextOf(command), "STDOUT can only be used for stderr");
}

// Row P6: errno 9.
TEST(CommandTest, RefusesDescriptorsThatCannotBeOnes) {
  Command command = True();
  command.stdin_from = Stdio::Descriptor(-1);
  EXPECT_EQ(TextOf(command), "stdin: Bad file descriptor");
  EXPECT_EQ(OsFailureOf(Validate(command))->error_number, EBADF);
  command = True();
  command.stderr_to = Stdio::Descriptor(std::make_shared<OwnedFd>());
  EXPECT_EQ(TextOf(command), "stderr: Bad file descriptor");
  command = True();
  command.extra_fds = {{.child_number = 5}};
  EXPECT_EQ(TextOf(command), "extra descriptor 5: Bad file descriptor");
}

TEST(CommandTest, RefusesExtraDescriptorsThatCollide) {
  Command command = True();
  command.extra_fds = {{.child_number = 2, .fd = 0}};
  EXPECT_EQ(TextOf(command),
            "extra descriptor 2: the number must be 3 or higher");
  command.extra_fds = {{4, 0}, {4, 1}};
  EXPECT_EQ(TextOf(command), "extra descriptor 4 is given twice");
}

TEST(CommandTest, RefusesLimitsThatContradictThemselves) {
  Command command = True();
  command.limits = {{RLIMIT_NOFILE, 10, 5}};
  EXPECT_EQ(TextOf(command), "resource limit 7: soft limit above hard limit");
  command.limits = {{RLIMIT_NOFILE, 5, 10}, {RLIMIT_NOFILE, 6, 10}};
  EXPECT_EQ(TextOf(command), "resource limit 7 is given twice");
  command.limits.clear();
  command.umask = 01000;
  EXPECT_EQ(TextOf(command), "umask above 0777");
}

// Row P6: -1 would mean "leave it" to the kernel.
TEST(CommandTest, RefusesNegativeIds) {
  Command command = True();
  command.uid = static_cast<uid_t>(-1);
  EXPECT_EQ(TextOf(command), "User ID cannot be negative, got -1");
  command = True();
  command.gid = static_cast<gid_t>(-1);
  EXPECT_EQ(TextOf(command), "Group ID cannot be negative, got -1");
  command = True();
  command.groups = {{0, static_cast<gid_t>(-1)}};
  EXPECT_EQ(TextOf(command), "Group ID cannot be negative, got -1");
}

TEST(CommandTest, WantsASessionForATerminal) {
  Command command = True();
  command.controlling_terminal = true;
  EXPECT_EQ(TextOf(command), "a controlling terminal needs a new session");
  command.group = ProcessGroup::kNewSession;
  EXPECT_TRUE(Validate(command).ok());
}

TEST(CommandTest, RunsAShellOnlyWhenAsked) {
  EXPECT_EQ(Command::Shell("a | b"),
            (Command{.argv = {"/bin/sh", "-c", "a | b"}}));
  EXPECT_EQ(Validate(Command::Shell(std::string("a\0", 2))).message(),
            "embedded null byte");
}

TEST(CommandTest, EitherJoinsAGroupOrMakesOne) {
  Command command = True();
  command.join_group = 0;
  EXPECT_EQ(TextOf(command), "no such process group: 0");
  command.join_group = 77;
  EXPECT_TRUE(Validate(command).ok());
  command.group = ProcessGroup::kNewGroup;
  EXPECT_EQ(TextOf(command), "a child joins a group or makes one, not both");
}

TEST(CommandTest, RefusesSchedulingThatDoesNotExist) {
  Command command = True();
  for (int nice : {-21, 20}) {
    command.scheduling = {.nice = nice};
    EXPECT_EQ(TextOf(command),
              absl::StrCat("nice value outside -20 to 19: ", nice));
  }
  for (int score : {-1001, 1001}) {
    command.scheduling = {.oom_score_adj = score};
    EXPECT_EQ(TextOf(command),
              absl::StrCat("oom_score_adj outside -1000 to 1000: ", score));
  }
  for (int cpu : {-1, kMaxCpus}) {
    command.scheduling = {.cpus = {0, cpu}};
    EXPECT_EQ(TextOf(command), absl::StrCat("no such processor: ", cpu));
  }
  command.scheduling = {
      .nice = -20, .cpus = {kMaxCpus - 1}, .oom_score_adj = 1000};
  EXPECT_TRUE(Validate(command).ok());
}

TEST(CommandTest, RefusesSignalsThatCannotBeSetUp) {
  Command command = True();
  for (int number : {0, 65}) {
    command.signals = {.blocked = {number}};
    EXPECT_EQ(TextOf(command),
              absl::StrCat("no such signal to block: ", number));
  }
  command.signals = {.blocked = {SIGKILL}};
  EXPECT_EQ(TextOf(command), "SIGKILL is not one to block");
  command.signals = {.dispositions = {{SIGSTOP, SignalDisposition::kIgnore}}};
  EXPECT_EQ(TextOf(command), "SIGSTOP is not one to ignore");
  command.signals = {.dispositions = {{99, SignalDisposition::kDefault}}};
  EXPECT_EQ(TextOf(command), "no such signal to reset: 99");
}

TEST(CommandTest, RefusesAParentDeathSignalThatIsNone) {
  Command command = True();
  command.parent_death_signal = 99;
  EXPECT_EQ(TextOf(command), "no such parent-death signal: 99");
}

TEST(CommandTest, KeepsASharedDescriptorOpenInEachCopy) {
  Command copy;
  std::weak_ptr<OwnedFd> watched;
  {
    auto shared = std::make_shared<OwnedFd>();
    watched = shared;
    Command command = True();
    command.stdin_from = Stdio::Descriptor(std::move(shared));
    copy = command;
  }
  EXPECT_FALSE(watched.expired());
}

}  // namespace
}  // namespace troupe
