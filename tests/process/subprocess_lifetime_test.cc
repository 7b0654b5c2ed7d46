// Who ends with whom: observers, handles, the subprocess, the I/O thread and
// the spawner (rows P11, P12, P24). The fixture looks for what is left.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/resident.h"
#include "process/subprocess.h"
#include "tests/support/process_fixture.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

class SubprocessLifetimeTest : public ProcessTest {
 protected:
  void Kill(const Subprocess& child) {
    caf::anon_send_exit(child, caf::exit_reason::kill);
  }

  static StartProcess InGroup(StartProcess start) {
    start.command.group = ProcessGroup::kNewGroup;
    return start;
  }

  // hold_stdout prints its grandchild's pid.
  pid_t Grandchild() {
    trace_->WaitUntil([&](const std::vector<std::string>&) {
      return absl::StrContains(Out(), "\n");
    });
    int pid = -1;
    EXPECT_TRUE(absl::SimpleAtoi(Out(), &pid)) << Out();
    return pid;
  }
  static bool IsDead(pid_t pid) {
    char state = StateOf(pid);
    return state == '-' || state == 'Z' || state == 'X';
  }
  static void WaitUntilDead(pid_t pid) {
    for (int tries = 0; !IsDead(pid); ++tries) {
      ASSERT_LT(tries, 20000) << pid;
      poll(nullptr, 0, 1);
    }
  }
  // Moves the race of a round to another moment.
  static void SpinFor(std::chrono::steady_clock::duration time) {
    auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) {
    }
  }
  void WaitForNoChildren() {
    for (int tries = 0; !Children().empty(); ++tries) {
      ASSERT_LT(tries, 20000) << ::testing::PrintToString(Children());
      poll(nullptr, 0, 1);
    }
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
  pid_t second = Grandchild();
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
  pid_t second = Grandchild();
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
  pid_t second = Grandchild();
  EXPECT_EQ(StateOf(pid_), 'Z');
  Kill(child);
  EXPECT_TRUE(WaitUntilGone(pid_));
  WaitUntilDead(second);
}

TEST_F(SubprocessLifetimeTest, KilledDuringAStopTheGroupIsKilledAndReaped) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(
      Start(child, InGroup(Piped({ChildProgram("lead_group"), "ignore"}))), "");
  pid_t second = Grandchild();
  AskLater<ProcessExited>("stop", child, StopProcess{});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  Kill(child);
  EXPECT_TRUE(WaitUntilGone(pid_));
  WaitUntilDead(second);
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

// -- threads that stop --------------------------------------------------------

TEST_F(SubprocessLifetimeTest, TheIoThreadStopsWithChildrenRunning) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = Piped({ChildProgram("ignore_sigterm")});
    ASSERT_EQ(Start(children.back(), InGroup(std::move(start))), "");
  }
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

// A child that ends while the thread stops: its zombie is somebody's.
TEST_F(SubprocessLifetimeTest, TheIoThreadStopsWhileChildrenEnd) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 40; ++i) {
    children.push_back(NewSubprocess());
    ASSERT_EQ(
        Start(children.back(), InGroup(Piped({ChildProgram("wait_for_eof")}))),
        "");
  }
  for (const Subprocess& child : children) {
    caf::anon_send(child, CloseStdin{});
  }
  trace_->WaitFor("EXIT 0", 5);
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(SubprocessLifetimeTest, TheIoThreadStopsWhileChildrenAreBeingMade) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 60; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  trace_->WaitFor("CM", 10);
  StopIo();
  StopAll();
  EXPECT_THAT(Children(), IsEmpty());
}

// The wrong order, but nothing is lost: what the I/O thread leaves behind is
// ended by whoever lets go of it.
TEST_F(SubprocessLifetimeTest, TheSpawnersThreadStopsFirst) {
  std::vector<Subprocess> children;
  for (int i = 0; i < 20; ++i) {
    children.push_back(NewSubprocess());
    StartProcess start = InGroup(Piped({ChildProgram("wait_for_eof")}));
    start.observer = NewObserver();
    caf::anon_send(children.back(), std::move(start));
  }
  trace_->WaitFor("CM", 5);
  spawner_thread_->Stop();
  StopIo();
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(SubprocessLifetimeTest, WithoutASpawnerAStartFailsAndNothingHangs) {
  spawner_thread_->Stop();
  EXPECT_NE(Start(NewSubprocess(), Piped({ChildProgram("exit_with")})), "");
  EXPECT_THAT(trace_->events(), IsEmpty());
}

// The message that lets the zombie go finds no watcher: as when the I/O thread
// stops while a child ends.
TEST_F(SubprocessLifetimeTest, AChildIsReapedWhenItsWatcherHasEnded) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("hold_stdout")}))), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_EQ(StateOf(pid_), 'Z');
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  while (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(watcher_))) {
    std::this_thread::yield();
  }
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_TRUE(WaitUntilGone(pid_));
}

// P12: a child that cannot be watched is killed and reaped.
TEST_F(SubprocessLifetimeTest, AChildThatCannotBeWatchedIsKilledAndReaped) {
  caf::anon_send_exit(watcher_, caf::exit_reason::kill);
  EXPECT_NE(Start(NewSubprocess(), Piped({ChildProgram("ignore_sigterm")})),
            "");
  EXPECT_THAT(trace_->events(), IsEmpty());
  WaitForNoChildren();
}

}  // namespace
}  // namespace troupe
