// StopProcess: core rule 6, and "done when" 4 of the main job.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/virtual_clock.h"
#include "process/pidfd_watcher.h"
#include "process/process_messages.h"
#include "tests/process/subprocess_stop_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST_F(SubprocessStopTest, AnObeyingChildEndsAtOnce) {
  Subprocess child = Ready("wait_for_eof");
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_LT(took_, milliseconds(2500));  // the plan would give it 5 s
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT -15"), 1u);
}

TEST_F(SubprocessStopTest, AChildThatIgnoresSigtermIsKilledInThePlansTime) {
  Subprocess child = Ready("ignore_sigterm");
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(100)}, {SIGKILL}})}),
            "EXIT -9");
  EXPECT_GE(took_, milliseconds(100));
  EXPECT_LT(took_, milliseconds(2500));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// Core rule 6: SIGCONT behind each signal.
TEST_F(SubprocessStopTest, AStoppedChildObeys) {
  Subprocess child = Ready("wait_for_eof");
  Freeze(child);
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_LT(took_, milliseconds(2500));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessStopTest, AStopDuringTheSpawnIsWalkedWhenItRuns) {
  for (int round = 1; round <= 30; ++round) {
    Subprocess child = NewSubprocess();
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::scoped_actor self(*system_);
    self->send(child, start);
    EXPECT_EQ(StopBy(child), "EXIT -15");
    ASSERT_TRUE(trace_->WaitFor("CL", round));
    EXPECT_EQ(trace_->Count("CM"), static_cast<size_t>(round));
    EXPECT_EQ(trace_->Count("EXIT -15"), static_cast<size_t>(round));
  }
}

// Its plan is walked by the clock of its host, and so is its time measured.
TEST_F(SubprocessStopTest, APlanIsWalkedByTheClockOfTheHost) {
  VirtualClock clock(VirtualClock::Mode::kByHand);
  IoThread::Options options;
  options.clock = &clock;
  auto thread = IoThread::Start(*system_, std::move(options));
  ASSERT_TRUE(thread.ok()) << thread.status();
  ProcessServices turned = services();
  turned.host = &(*thread)->host();
  turned.io = (*thread)->actor();
  turned.watcher = SpawnPidfdWatcher(*turned.host, turned.io);
  Subprocess child = SpawnSubprocess(turned);
  ASSERT_EQ(Start(child, Piped({ChildProgram("ignore_sigterm")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  AskLater<ProcessExited>("stop", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  // A loop that sleeps is woken by a question.
  ASSERT_TRUE(YieldUntil([&] {
    clock.Advance(absl::Minutes(20));
    return Ask<ProcessInfo>(child, GetProcessInfo{})->phase !=
           ProcessInfo::Phase::kRunning;
  }));
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -9"));
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_GE(exited->ran, absl::Hours(1));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  turned = ProcessServices();
  (*thread)->Stop();
}

TEST_F(SubprocessStopTest, ASecondStopReplacesThePlan) {
  Subprocess child = Ready("ignore_sigterm");
  AskLater<ProcessExited>("first", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -9");
  ASSERT_TRUE(trace_->WaitFor("first: EXIT -9"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessStopTest, AStopAfterTheExitIsAnsweredByIt) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Quiet({ChildProgram("exit_with"), "7"}))), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(StopBy(child), "EXIT 7");
  EXPECT_EQ(StopBy(child), "EXIT 7");
  EXPECT_THAT(trace_->events(), ElementsAre("CM", "EXIT 7", "CL"));
}

TEST_F(SubprocessStopTest, APlanThatGivesUpSaysSoAndTheProcessRunsOn) {
  Subprocess child = Ready("ignore_sigterm");
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(20)}})}),
            absl::StrCat("process ", pid_, " did not end by its stop plan"));
  EXPECT_FALSE(IsDead(pid_));
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -9");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessStopTest, RefusesToStopWhatWasNotStarted) {
  Subprocess child = NewSubprocess();
  EXPECT_EQ(StopBy(child), "the process is not running");
  EXPECT_EQ(StopBy(child, {Plan({{SIGSTOP}})}),
            "stop plan: SIGSTOP ends no process");
}

// "exactly once", also for an observer that asks without wanting an answer.
TEST_F(SubprocessStopTest, AnObserverThatSendsPlainRequestsHearsEachFactOnce) {
  Subprocess child = NewSubprocess();
  auto observer = system_->spawn<caf::hidden>(
      [trace = trace_](ProcessObserver::pointer self,
                       Subprocess child) -> ProcessObserver::behavior_type {
        StartProcess start = Quiet({ChildProgram("wait_for_eof")});
        start.command.stdin_from = Stdio::Pipe();
        start.observer = self;
        self->send(child, std::move(start));
        return {
            [=](const ProcessStarted&) {
              trace->Add("CM");
              self->send(child, StopProcess{});
              self->send(child, WaitForExit{});
              self->send(child, WaitForEnd{});
            },
            [](const ProcessOutput&) {},
            [=](const StreamClosed&) { trace->Add("PCL 0"); },
            [=](const ProcessExited& exited) { trace->Add(Describe(exited)); },
            [=](const ProcessEnded&) { trace->Add("CL"); },
            [](const PauseWriting&) {},
            [](const ResumeWriting&) {},
        };
      },
      child);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(Ask<ProcessExited>(child, StopProcess{}).ok());
  observer = ProcessObserver();
  child = Subprocess();
  StopAll();
  EXPECT_EQ(trace_->Count("CM"), 1u);
  EXPECT_EQ(trace_->Count("EXIT -15"), 1u);
  EXPECT_EQ(trace_->Count("CL"), 1u);
}

}  // namespace
}  // namespace troupe
