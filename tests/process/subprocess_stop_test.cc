// StopProcess: core rule 6, and "done when" 4 of the main job.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "io/virtual_clock.h"
#include "process/pidfd_watcher.h"
#include "process/process_messages.h"
#include "process/spawn_attempt.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

StopPlan Plan(std::vector<StopRung> rungs) { return {std::move(rungs)}; }

class SubprocessStopTest : public ProcessTest {
 protected:
  // Runs `program`, which writes when it is ready, in a group of its own.
  Subprocess Ready(const std::string& program) {
    Subprocess child = NewSubprocess();
    EXPECT_EQ(Start(child, InGroup(Piped({ChildProgram(program)}))), "");
    trace_->WaitFor("DATA 1 'r'");
    return child;
  }

  // Runs lead_group; second_ is the other member.
  Subprocess Lead(const std::string& what, StartProcess start) {
    Subprocess child = NewSubprocess();
    start.command.argv = {ChildProgram("lead_group"), what};
    EXPECT_EQ(Start(child, start), "");
    second_ = PrintedPid();
    return child;
  }

  std::string StopBy(const Subprocess& child, StopProcess stop = {}) {
    auto begin = std::chrono::steady_clock::now();
    auto exited = Ask<ProcessExited>(child, std::move(stop));
    took_ = std::chrono::steady_clock::now() - begin;
    return exited.ok() ? Describe(*exited)
                       : std::string(exited.status().message());
  }

  pid_t second_ = -1;
  std::chrono::steady_clock::duration took_ = {};
};

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

// Core rule 6: offspring that outlives its leader has the plan's time, too, and
// the answer waits for it.
TEST_F(SubprocessStopTest, TheGroupHasItsTimeAfterItsLeaderEnded) {
  Subprocess child = Lead("linger", InGroup(Piped({})));
  AskLater<ProcessExited>("stop", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("DATA 1 't'"));
  EXPECT_EQ(trace_->Count("stop: EXIT -15"), 0u);
  EXPECT_EQ(StateOf(pid_), 'Z');  // pins the group's number
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("DATA 1 'd'"), 1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessStopTest, TheGroupIsKilledAndTheAnswerWaitsUntilItIsEmpty) {
  for (int round = 1; round <= 20; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = Lead("ignore", InGroup(Piped({})));
    EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(20)}, {SIGKILL}})}),
              "EXIT -15");
    EXPECT_TRUE(IsDead(second_)) << "round " << round << StateOf(second_);
    ASSERT_TRUE(trace_->WaitFor("CL", round));
  }
}

// The same when leader and offspring are killed together.
TEST_F(SubprocessStopTest, AKillAtOnceIsAnsweredWhenTheGroupIsEmpty) {
  for (int round = 1; round <= 20; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = Lead("ignore", InGroup(Piped({})));
    EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -9");
    EXPECT_TRUE(IsDead(second_)) << "round " << round << StateOf(second_);
    ASSERT_TRUE(trace_->WaitFor("CL", round));
  }
}

// A leader that ended by itself leaves its group to be stopped later.
TEST_F(SubprocessStopTest, StopsTheGroupOfALeaderThatHasExited) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("hold_stdout")}))), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_EQ(trace_->Count("CL"), 0u);
  EXPECT_EQ(StopBy(child), "EXIT 0");
  EXPECT_LT(took_, milliseconds(2500));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessStopTest, AChildInOurGroupIsStoppedAlone) {
  Subprocess child = Lead("ignore", Piped({}));
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_FALSE(IsDead(second_));
  EXPECT_EQ(trace_->Count("CL"), 0u);
  kill(second_, SIGKILL);
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

// A plan is over in its time also when the child is not there yet.
TEST_F(SubprocessStopTest, AStopEndsASpawnThatHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({program.path()});
  start.observer = NewObserver();
  start.spawn_deadline = absl::Hours(1);
  caf::scoped_actor self(*system_);
  self->send(child, start);
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(50)}, {SIGKILL}})}),
            absl::StrCat("exec \"", program.path(), "\": Timer expired"));
  EXPECT_GE(took_, milliseconds(50));
  EXPECT_LT(took_, milliseconds(10000));  // the lease would last 45 s
  EXPECT_EQ(trace_->Count("CM"), 0u);
}

// Core rule 5: the spawn deadline.
TEST_F(SubprocessStopTest, TheSpawnDeadlineEndsASpawnThatHangs) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  StartProcess start = Piped({program.path()});
  start.spawn_deadline = absl::Milliseconds(50);
  EXPECT_EQ(Start(NewSubprocess(), start),
            absl::StrCat("exec \"", program.path(), "\": Timer expired"));
  // The spawner is free for the next.
  EXPECT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// A spawn that waits behind one that hangs has its own deadline.
TEST_F(SubprocessStopTest, ASpawnInTheQueueEndsByItsOwnDeadline) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess hanging = NewSubprocess(), queued = NewSubprocess();
  StartProcess first = Quiet({program.path()});
  first.spawn_deadline = absl::Milliseconds(200);
  StartProcess second = Quiet({ChildProgram("exit_with")});
  second.spawn_deadline = absl::Milliseconds(50);
  AskLater<ProcessStarted>("first", hanging, first);
  AskLater<ProcessStarted>("second", queued, second);
  ASSERT_TRUE(trace_->WaitFor(
      absl::StrCat("first: exec \"", program.path(), "\": Timer expired")));
  ASSERT_TRUE(trace_->WaitUntil([](const std::vector<std::string>& events) {
    return events.size() >= 2;
  }));
}

// The spawner stands still, but who is in a group and who holds a pipe is not
// asked there.
TEST_F(SubprocessStopTest, ASpawnThatHangsHoldsUpNobodyElsesStop) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess child = Ready("wait_for_eof");
  auto attempt = std::make_shared<SpawnAttempt>();
  caf::anon_send(spawner_, SpawnChild{{.argv = {program.path()}}, attempt});
  ASSERT_TRUE(YieldUntil([&] {
    return __atomic_load_n(&attempt->flags()->started, __ATOMIC_SEQ_CST) != 0;
  }));
  EXPECT_TRUE(Ask<StreamHolders>(child, ListHolders{}).ok());
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_TRUE(attempt->Abort());  // it hung all the while
  ASSERT_TRUE(trace_->WaitFor("CL"));
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

// The same when the leader has ended and its group is being waited for.
TEST_F(SubprocessStopTest, ASecondStopReplacesThePlanOfTheGroup) {
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  AskLater<ProcessExited>("first", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -15");
  EXPECT_TRUE(IsDead(second_));
  ASSERT_TRUE(trace_->WaitFor("first: EXIT -15"));
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

TEST_F(SubprocessStopTest, APlanThatGivesUpOnAGroupIsAnsweredByTheExit) {
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(50)}})}), "EXIT -15");
  EXPECT_FALSE(IsDead(second_));
  kill(second_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessStopTest, RefusesToStopWhatWasNotStarted) {
  Subprocess child = NewSubprocess();
  EXPECT_EQ(StopBy(child), "the process is not running");
  EXPECT_EQ(StopBy(child, {Plan({{SIGSTOP}})}),
            "stop plan: SIGSTOP ends no process");
}

// Somebody who ignores SIGCHLD has all statuses taken by the kernel, and then
// nothing pins the group's number: it is not signalled any more.
TEST_F(SubprocessStopTest, NeverSignalsTheGroupOfAReapedLeader) {
  signal(SIGCHLD, SIG_IGN);
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  ASSERT_TRUE(Do(child, SendSignal{SIGKILL}).ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT 255"));
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT 255");
  EXPECT_FALSE(IsDead(second_));
  kill(second_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  signal(SIGCHLD, SIG_DFL);
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
