// A subprocess with each of the five child watchers.
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/child_watcher.h"
#include "process/subprocess.h"
#include "tests/process/watcher_fixture.h"
#include "tests/support/standstill.h"

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class SubprocessWatchersTest
    : public WatcherTest,
      public ::testing::WithParamInterface<WatcherKind> {
 protected:
  void SetUp() override { Use(GetParam()); }

  static StartProcess InGroup(StartProcess start) {
    start.command.group = ProcessGroup::kNewGroup;
    return start;
  }
  std::string StopBy(const Subprocess& child, StopProcess stop = {}) {
    auto exited = Ask<ProcessExited>(child, std::move(stop));
    return exited.ok() ? Describe(*exited)
                       : std::string(exited.status().message());
  }
};

INSTANTIATE_TEST_SUITE_P(All, SubprocessWatchersTest,
                         ::testing::Values(WatcherKind::kPidfd,
                                           WatcherKind::kSafe,
                                           WatcherKind::kFast,
                                           WatcherKind::kMultiLoop,
                                           WatcherKind::kThreaded),
                         [](const auto& kind) { return NameOf(kind.param); });

TEST_P(SubprocessWatchersTest, TellsOutputExitAndEnd) {
  for (int round = 1; round <= 20; ++round) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, Piped({ChildProgram("write_both"), "1"})), "");
    ASSERT_TRUE(trace_->WaitFor("CL", round));
    EXPECT_TRUE(WaitUntilGone(pid_));
  }
  EXPECT_EQ(trace_->Count("CM"), 20u);
  EXPECT_EQ(trace_->Count("EXIT 0"), 20u);
  EXPECT_NE(Out(), "");
  EXPECT_NE(Err(), "");
}

TEST_P(SubprocessWatchersTest, TellsTheCodeWhenTheWaitIsOver) {
  for (int code : {0, 3, 255}) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(
        Start(child, Quiet({ChildProgram("exit_with"), absl::StrCat(code)})),
        "");
    auto exited = Ask<ProcessExited>(child, WaitForExit{});
    ASSERT_TRUE(exited.ok()) << exited.status();
    EXPECT_EQ(exited->report.status, ExitStatus::Exited(code));
    EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  }
}

// A process whose end nobody would see is not left alone (row P12), and
// everybody who waits is told.
TEST_P(SubprocessWatchersTest, TheEndOfItsWatcherEndsTheProcess) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("lead_group"), "x"}))),
            "");
  const pid_t second = PrintedPid();
  AskLater<ProcessExited>("exit", child, WaitForExit{});
  AskLater<ProcessExited>(
      "stop", child, StopProcess{StopPlan{{{SIGWINCH, hours(1)}, {SIGKILL}}}});
  AskLater<ProcessEnded>("end", child, WaitForEnd{});
  ASSERT_TRUE(Do(child, SendSignal{SIGCONT}).ok());
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(trace_->WaitFor("exit: EXIT 255"));
  EXPECT_TRUE(trace_->WaitFor("end: CL"));
  EXPECT_EQ(trace_->Count("EXIT 255"), 1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
  WaitUntilDead(second);
  EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGTERM})));
  EXPECT_EQ(StopBy(child), "EXIT 255");
}

// Rows P21, V8: a signal to a zombie that was not told yet steals no status.
TEST_P(SubprocessWatchersTest, ASignalToAZombieStealsNoStatus) {
  for (bool to_group : {false, true}) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("copy_input")}))), "");
    WhileStandingStill(own_->host(), [&] {
      caf::anon_send(child, CloseStdin{});
      WaitUntilDead(pid_);
      EXPECT_TRUE(Do(child, SendSignal{SIGTERM, to_group}).ok());
      EXPECT_EQ(StateOf(pid_), 'Z');
    });
    auto exited = Ask<ProcessExited>(child, WaitForExit{});
    ASSERT_TRUE(exited.ok());
    EXPECT_EQ(exited->report.status, ExitStatus::Exited(0));
    EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGTERM, to_group})));
  }
}

TEST_P(SubprocessWatchersTest, TakesSignalsAlsoForItsGroup) {
  for (bool to_group : {false, true}) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("wait_for_eof")}))), "");
    ASSERT_TRUE(Do(child, SendSignal{SIGUSR1, to_group}).ok());
    auto exited = Ask<ProcessExited>(child, WaitForExit{});
    ASSERT_TRUE(exited.ok());
    EXPECT_EQ(exited->report.status, ExitStatus::Killed(SIGUSR1));
    EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGUSR1, to_group})));
  }
}

TEST_P(SubprocessWatchersTest, WalksAStopPlan) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("ignore_sigterm")}))), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  EXPECT_EQ(StopBy(child, {StopPlan{{{SIGTERM, milliseconds(20)}, {SIGKILL}}}}),
            "EXIT -9");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Core rule 6: the group has the plan's time after its leader has ended,
// because the zombie pins its number. With `fast` nothing does, so the plan
// ends with the leader, and nobody is signalled who might be a stranger.
TEST_P(SubprocessWatchersTest, StopsTheGroupOfALeaderThatEnds) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(
      Start(child, InGroup(Piped({ChildProgram("lead_group"), "linger"}))), "");
  ASSERT_TRUE(trace_->WaitUntil([&](const std::vector<std::string>&) {
    return absl::StrContains(Out(), "\n");
  }));
  AskLater<ProcessExited>(
      "stop", child, StopProcess{StopPlan{{{SIGTERM, hours(1)}, {SIGKILL}}}});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  if (kind() == WatcherKind::kFast) {
    ASSERT_TRUE(trace_->WaitFor("stop: EXIT -15"));
    ASSERT_TRUE(trace_->WaitFor("DATA 1 't'"));  // it was signalled, once
  } else {
    ASSERT_TRUE(trace_->WaitFor("DATA 1 't'"));
    EXPECT_EQ(trace_->Count("stop: EXIT -15"), 0u);
    EXPECT_EQ(StateOf(pid_), 'Z');
  }
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Rows V9, A7: of a leader that somebody else has reaped the group may be a
// stranger's, also before its exit was told.
TEST_P(SubprocessWatchersTest, SignalsNoGroupWhoseLeaderIsGone) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(
      Start(child, InGroup(Piped({ChildProgram("lead_group"), "linger"}))), "");
  ASSERT_TRUE(trace_->WaitUntil([&](const std::vector<std::string>&) {
    return absl::StrContains(Out(), "\n");
  }));
  WhileStandingStill(own_->host(), [&] {
    kill(pid_, SIGKILL);
    ASSERT_EQ(waitpid(pid_, nullptr, 0), pid_);
    EXPECT_EQ(trace_->Count("EXIT 255"), 0u);
    for (bool to_group : {false, true}) {
      EXPECT_TRUE(absl::IsNotFound(Do(child, SendSignal{SIGKILL, to_group})));
    }
  });
  ASSERT_TRUE(trace_->WaitFor("EXIT 255"));
  caf::anon_send(child, CloseStdin{});
  kill(-pid_, SIGTERM);  // the second is alive
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(absl::EndsWith(Out(), "\ntd")) << Out();
}

// Row P4: refused before anything is spawned.
TEST_P(SubprocessWatchersTest, StartsNothingWhenTheWatcherIsNotActive) {
  Detach();
  EXPECT_TRUE(Close().ok());
  const std::string refused =
      Start(NewSubprocess(), Piped({ChildProgram("ignore_sigterm")}));
  if (kind() == WatcherKind::kThreaded) {  // it is always active
    EXPECT_EQ(refused, "");
  } else {
    EXPECT_EQ(refused, absl::StrCat("the ", Info().kind,
                                    " child watcher is not active: nobody "
                                    "would see the end of a process"));
    EXPECT_THAT(trace_->events(), ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace troupe
