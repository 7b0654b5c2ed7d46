// What the kernel is asked for by a spawn, seen by strace(1): asks 1, 2 and 5
// of the peers, core rule 5.
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/command.h"
#include "tests/process/ran_child.h"
#include "tests/support/leak_check.h"
#include "tests/support/scratch_folder.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// The calls of one process or thread, in order, as strace writes them.
using Calls = std::vector<std::string>;

std::string NameOf(const std::string& call) {
  return call.substr(0, call.find('('));
}

class SpawnTraceTest : public LeakCheckedTest {
 protected:
  void SetUp() override {
    const std::string log = folder_.PathOf("log");
    // A sanitizer that looks for leaks at the end cannot be traced.
    RanChild ran =
        RunToEnd({.argv = {"strace", "-f", "-s", "200", "-o", log, Program()},
                  .environment = {.set = {{"ASAN_OPTIONS", "detect_leaks=0"}}},
                  .stdin_from = Stdio::Null(),
                  .stdout_to = Stdio::Pipe()});
    if (!ran.spawned.ok()) GTEST_SKIP() << "strace is not installed";
    if (ran.status != ExitStatus::Exited(0)) {
      GTEST_SKIP() << "strace may not trace: " << ran.status.ToString();
    }
    ASSERT_TRUE(absl::StartsWith(ran.out, "all ")) << ran.out;
    ASSERT_TRUE(absl::SimpleAtoi(ran.out.substr(4), &spawns_));
    Read(log);
  }

  static std::string Program() {
    return absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                        "/tests/process/spawn_every_option");
  }

  // Lines are "<pid> <call>"; the program's come first.
  void Read(const std::string& log) {
    std::ifstream file(log);
    int first = 0;
    for (std::string line; std::getline(file, line);) {
      std::vector<std::string> parts =
          absl::StrSplit(line, absl::MaxSplits(' ', 1));
      int pid = 0;
      if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &pid)) continue;
      if (first == 0) first = pid;
      const std::string call(absl::StripLeadingAsciiWhitespace(parts[1]));
      // Not the second half of a call, a signal or an end.
      if (!islower(static_cast<unsigned char>(call[0]))) continue;
      if (pid == first) {
        parent_.push_back(call);
      } else {
        if (children_.count(pid) == 0) last_child_ = pid;
        children_[pid].push_back(call);
      }
    }
  }

  // All that make a process or a thread.
  Calls Makers() const {
    Calls makers;
    for (const std::string& call : parent_) {
      const std::string name = NameOf(call);
      if (name == "clone" || name == "clone3" || name == "fork" ||
          name == "vfork") {
        makers.push_back(call);
      }
    }
    return makers;
  }

  static Calls UntilExec(const Calls& calls) {
    Calls result;
    for (const std::string& call : calls) {
      result.push_back(call);
      if (NameOf(call) == "execve") break;
    }
    return result;
  }

  ScratchFolder folder_;
  int spawns_ = 0;
  Calls parent_;
  std::map<int, Calls> children_;
  int last_child_ = 0;
};

TEST_F(SpawnTraceTest, NoOptionLeavesTheFastPath) {
  EXPECT_GT(spawns_, 15);
  EXPECT_THAT(Makers(), ::testing::SizeIs(spawns_));
  EXPECT_THAT(
      Makers(),
      Each(AllOf(HasSubstr("CLONE_VM"), HasSubstr("CLONE_VFORK"),
                 HasSubstr("CLONE_PIDFD"), Not(HasSubstr("CLONE_FILES")),
                 Not(HasSubstr("CLONE_FS")), Not(HasSubstr("CLONE_SIGHAND")))));
}

// No handler for SIGCHLD either, and none for anything else.
TEST_F(SpawnTraceTest, HandlesNoSignal) {
  for (const std::string& call : parent_) {
    if (!absl::StartsWith(call, "rt_sigaction(SIGCHLD, {")) continue;
    ADD_FAILURE() << call;
  }
}

// A child runs in our memory: what could allocate, lock or map there is seen
// as a call that is not listed here.
TEST_F(SpawnTraceTest, AChildMakesOnlyTheCallsOfItsSteps) {
  const std::set<std::string> known = {
      "getpid",      "fcntl",         "dup3",
      "close_range", "setpgid",       "setsid",
      "ioctl",       "chdir",         "umask",
      "setpriority", "openat",        "write",
      "close",       "prlimit64",     "sched_setaffinity",
      "setgroups",   "setresgid",     "setresuid",
      "prctl",       "getppid",       "rt_sigaction",
      "execve",      "rt_sigprocmask"};
  ASSERT_EQ(children_.size(), static_cast<size_t>(spawns_));
  for (const auto& [pid, calls] : children_) {
    int close_ranges = 0;
    for (const std::string& call : UntilExec(calls)) {
      EXPECT_EQ(known.count(NameOf(call)), 1u) << call;
      close_ranges += NameOf(call) == "close_range";
    }
    EXPECT_GT(close_ranges, 0) << pid;
  }
}

// Core rule 5, for the child with all options, which comes last.
TEST_F(SpawnTraceTest, StepsHaveTheirOrder) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  std::vector<std::string> steps;
  for (const std::string& call : UntilExec(children_[last_child_])) {
    const std::string name = NameOf(call);
    if (steps.empty() || steps.back() != name) steps.push_back(name);
  }
  EXPECT_THAT(
      steps,
      ::testing::ElementsAre(
          "getpid", "fcntl", "dup3", "close_range", "setsid", "ioctl", "chdir",
          "umask", "setpriority", "sched_setaffinity", "openat", "write",
          "close", "prlimit64", "setgroups", "setresgid", "setresuid", "prctl",
          "getppid", "rt_sigaction", "rt_sigprocmask", "execve"));
}

}  // namespace
}  // namespace troupe
