// Who ends with whom: observers, handles and the subprocess (rows P11, P12,
// P24). The fixture looks for what is left.
#include <signal.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "caf/actor_cast.hpp"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/subprocess.h"
#include "tests/support/leak_check.h"
#include "tests/support/leased_program.h"
#include "tests/support/process_fixture.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

class SubprocessLifetimeTest : public ProcessTest {
 protected:
  void Kill(const Subprocess& child) {
    caf::anon_send_exit(child, caf::exit_reason::kill);
  }
};

// -- handles ------------------------------------------------------------------

TEST_F(SubprocessLifetimeTest, WithoutHandlesTheChildRunsOnAndIsReaped) {
  auto [in, out] = MakePipe();
  StartProcess start = Quiet({ChildProgram("wait_for_eof")});
  start.command.stdin_from =
      Stdio::Descriptor(std::make_shared<const OwnedFd>(std::move(in)));
  ASSERT_EQ(Start(NewSubprocess(), start), "");
  start = StartProcess();
  EXPECT_FALSE(IsDead(pid_));
  EXPECT_EQ(trace_->Count("EXIT 0"), 0u);
  out.Close();
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 0"), 1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessLifetimeTest, WithoutHandlesItsPipesStayOpen) {
  ASSERT_EQ(
      Start(NewSubprocess(), Piped({"sh", "-c", "echo a; read x; echo b"})),
      "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'a\\n'"));
  EXPECT_EQ(trace_->Count("PCL 0"), 0u);
  kill(pid_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// An observer and a subprocess that know only each other end with the process.
TEST_F(SubprocessLifetimeTest, HoldsItsObserverNoLongerThanTheProcess) {
  {
    Subprocess child = NewSubprocess();
    auto keeper = std::make_shared<Subprocess>(child);
    struct Gone {
      std::shared_ptr<Trace> trace;
      ~Gone() { trace->Add("observer gone"); }
    };
    auto gone = std::make_shared<Gone>(Gone{trace_});
    StartProcess start = Piped({ChildProgram("flood"), "1"});
    start.observer = NewObserver(
        {.output = [keeper, gone](ProcessOutput&) {}, .note_output = true});
    ASSERT_EQ(Start(child, std::move(start)), "");
  }
  ASSERT_TRUE(trace_->WaitFor("CL"));
  ASSERT_TRUE(trace_->WaitFor("observer gone"));
}

// Also of a start that nobody waits for: its promise must not keep it.
TEST_F(SubprocessLifetimeTest, LeavesWithItsProcessWhenNobodyAskedForTheStart) {
  StartProcess start = Quiet({ChildProgram("exit_with"), "0"});
  start.observer = NewObserver();
  Subprocess child = NewSubprocess();
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(child);
  caf::anon_send(std::exchange(child, {}), std::move(start));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(YieldUntil([&] { return weak.lock() == nullptr; }));
}

// -- the observer -------------------------------------------------------------

TEST_F(SubprocessLifetimeTest, StopsTheProcessOfADeadObserverByItsPlan) {
  Subprocess child = NewSubprocess();
  StartProcess start = InGroup(Piped({ChildProgram("ignore_sigterm")}));
  start.stop_plan.rungs = {{SIGTERM, milliseconds(50)}, {SIGKILL}};
  ProcessObserver observer = start.observer = NewObserver();
  ASSERT_EQ(Start(child, std::move(start)), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(Describe(*exited), "EXIT -9");
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessLifetimeTest, StopsTheProcessOfAnObserverThatWasDeadBefore) {
  Subprocess child = NewSubprocess();
  StartProcess start = Piped({ChildProgram("wait_for_eof")});
  start.observer = NewObserver();
  caf::anon_send_exit(start.observer, caf::exit_reason::kill);
  ASSERT_EQ(Start(child, start), "");
  auto exited = Ask<ProcessExited>(child, WaitForExit{});
  ASSERT_TRUE(exited.ok());
  EXPECT_EQ(Describe(*exited), "EXIT -15");
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
}

// A grandchild that holds the stream of an exited child is stopped, too.
TEST_F(SubprocessLifetimeTest, StopsTheGroupOfADeadObserverAfterTheExit) {
  Subprocess child = NewSubprocess();
  StartProcess start = InGroup(Piped({ChildProgram("hold_stdout")}));
  ProcessObserver observer = start.observer = NewObserver();
  ASSERT_EQ(Start(child, std::move(start)), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  pid_t second = PrintedPid();
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  WaitUntilDead(second);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// A plan that somebody else had begun gives up: then the observer's is walked.
TEST_F(SubprocessLifetimeTest, StopsAnOrphanThatOutlivesSomebodyElsesPlan) {
  Subprocess child = NewSubprocess();
  StartProcess start = InGroup(Piped({ChildProgram("ignore_sigterm")}));
  start.stop_plan.rungs = {{SIGTERM, milliseconds(20)}, {SIGKILL}};
  ProcessObserver observer = start.observer = NewObserver();
  ASSERT_EQ(Start(child, std::move(start)), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  caf::scoped_actor self(*system_);
  self->send(child, StopProcess{StopPlan{{{SIGTERM, milliseconds(100)}}}});
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Its plan gave up: when the child ends at last, it is reaped all the same.
TEST_F(SubprocessLifetimeTest, ReapsAnOrphanThatOutlivedItsPlan) {
  Subprocess child = NewSubprocess();
  StartProcess start = InGroup(Piped({ChildProgram("lead_group"), "ignore"}));
  start.stop_plan.rungs = {{SIGUSR1, milliseconds(1)}};  // kills neither
  start.command.argv = {"sh", "-c",
                        "trap '' USR1; sleep 1000 & echo $!; read x"};
  ProcessObserver observer = start.observer = NewObserver();
  ASSERT_EQ(Start(child, std::move(start)), "");
  pid_t second = PrintedPid();
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  auto stopped = Ask<ProcessExited>(
      child, StopProcess{StopPlan{{{SIGUSR1, milliseconds(1)}}}});
  EXPECT_FALSE(stopped.ok());
  caf::anon_send(child, CloseStdin{});
  EXPECT_TRUE(Ask<ProcessEnded>(child, WaitForEnd{}).ok());
  EXPECT_TRUE(WaitUntilGone(pid_));
  EXPECT_FALSE(IsDead(second));
  kill(second, SIGKILL);
}

// -- the subprocess is killed -------------------------------------------------

TEST_F(SubprocessLifetimeTest, KilledBeforeTheStartItIsJustGone) {
  Subprocess child = NewSubprocess();
  Kill(child);
  EXPECT_FALSE(Ask<ProcessExited>(child, WaitForExit{}).ok());
}

TEST_F(SubprocessLifetimeTest, KilledWhileItRunsTheChildIsKilledAndReaped) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("ignore_sigterm")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  Kill(child);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessLifetimeTest, KilledWithAZombieTheGroupIsKilledAndReaped) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("hold_stdout")}))), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  pid_t second = PrintedPid();
  EXPECT_EQ(StateOf(pid_), 'Z');
  Kill(child);
  EXPECT_TRUE(WaitUntilGone(pid_));
  WaitUntilDead(second);
}

TEST_F(SubprocessLifetimeTest, KilledDuringAStopTheGroupIsKilledAndReaped) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(
      Start(child, InGroup(Piped({ChildProgram("lead_group"), "ignore"}))), "");
  pid_t second = PrintedPid();
  AskLater<ProcessExited>("stop", child, StopProcess{});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  Kill(child);
  EXPECT_TRUE(WaitUntilGone(pid_));
  WaitUntilDead(second);
}

// Rows V11, A8.
TEST_F(SubprocessLifetimeTest, KilledItAnswersEverybodyWhoWaits) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, Piped({ChildProgram("ignore_sigterm")})), "");
  ASSERT_TRUE(trace_->WaitFor("DATA 1 'r'"));
  caf::scoped_actor self(*system_);
  auto exit = self->request(child, kPatience, WaitForExit{});
  auto end = self->request(child, kPatience, WaitForEnd{});
  auto stop = self->request(child, kPatience, StopProcess{StopPlan{{}}});
  self->request(child, kPatience, GetProcessInfo{})
      .receive([](const ProcessInfo&) {},
               [](const caf::error& why) { FAIL() << to_string(why); });
  Kill(child);
  auto ended = [](const caf::error& why) {
    EXPECT_EQ(StatusOf(why).message(), "the process was ended");
  };
  exit.receive([](const ProcessExited&) { FAIL(); }, ended);
  end.receive([](const ProcessEnded&) { FAIL(); }, ended);
  stop.receive([](const ProcessExited&) { FAIL(); }, ended);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// Each round kills it at another moment of the start: the request queued, the
// child made, the answer on its way, the watch being set up, running.
TEST_F(SubprocessLifetimeTest, KilledAtAnyMomentOfTheStartNothingIsLeft) {
  for (int round = 0; round < 300; ++round) {
    Subprocess child = NewSubprocess();
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::scoped_actor self(*system_);
    self->send(child, std::move(start));
    SpinFor(std::chrono::microseconds(round * 5));
    Kill(child);
  }
  // The spawner handles requests in order: after this one all were.
  ASSERT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
  WaitForNoChildren();
}

// Then the spawner is free for the next, long before the lease is over.
TEST_F(SubprocessLifetimeTest, KilledWhileItsSpawnHangsTheSpawnIsEnded) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  Subprocess child = NewSubprocess();
  StartProcess start = Quiet({program.path()});
  start.observer = NewObserver();
  start.spawn_deadline = absl::Hours(1);
  caf::anon_send(child, std::move(start));
  ASSERT_TRUE(YieldUntil([] { return !Children().empty(); }));
  Kill(child);
  ASSERT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// The same for the end: the exit racing the kill.
TEST_F(SubprocessLifetimeTest, KilledAtAnyMomentOfTheEndNothingIsLeft) {
  for (int round = 0; round < 200; ++round) {
    Subprocess child = NewSubprocess();
    ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("exit_with"), "0"}))),
              "");
    SpinFor(std::chrono::microseconds(round * 10));
    Kill(child);
  }
  WaitForNoChildren();
}

}  // namespace
}  // namespace troupe
