// Who ends with whom: observers, handles, a pipeline and its commands. The
// fixture looks for what is left.
#include <signal.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_control_block.hpp"
#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/exit_status.h"
#include "process/pipeline.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "process/stop_plan.h"
#include "tests/process/running_pipeline.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/leased_program.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;

class PipelineLifetimeTest : public RunningPipelineTest {
 protected:
  static void WaitUntilFreed(const caf::weak_actor_ptr& actor) {
    EXPECT_TRUE(YieldUntil([&] { return actor.lock() == nullptr; }));
  }
};

TEST_F(PipelineLifetimeTest, TheEndOfItsObserverStopsAllCommands) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{ChildProgram("flood")},
                                      {ChildProgram("copy_input")},
                                      Stubborn(),
                                      Idle()});
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  PipelineObserver observer = start.observer = NewPipelineObserver();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 2 2"));
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  auto exited = Ask<PipelineExited>(run, WaitForExit{});
  ASSERT_TRUE(exited.ok()) << exited.status();
  EXPECT_EQ(exited->commands[2].report.status, ExitStatus::Killed(SIGKILL));
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  for (pid_t pid : pids_) EXPECT_TRUE(WaitUntilGone(pid));
}

// A grandchild that holds a stream of a command in a group of its own.
TEST_F(PipelineLifetimeTest, TheEndOfItsObserverStopsTheGroupsOfTheExited) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough(
      {{ChildProgram("exit_with")}, {"sh", "-c", "sleep 1000 & echo $!"}});
  start.pipeline.commands[1].group = ProcessGroup::kNewGroup;
  PipelineObserver observer = start.observer = NewPipelineObserver();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT 0 0"));
  pid_t second = PrintedPid();
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  WaitUntilDead(second);  // its streams close a little before
}

TEST_F(PipelineLifetimeTest, KilledItsCommandsAreStopped) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), Idle(), Idle()})).ok());
  caf::anon_send_exit(run, caf::exit_reason::kill);
  for (pid_t pid : pids_) EXPECT_TRUE(WaitUntilGone(pid));
}

// Rows V11, A8.
TEST_F(PipelineLifetimeTest, KilledItAnswersEverybodyWhoWaits) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), Idle()})).ok());
  caf::scoped_actor self(*system_);
  auto exit = self->request(run, kPatience, WaitForExit{});
  auto end = self->request(run, kPatience, WaitForEnd{});
  auto stop = self->request(
      run, kPatience, StopPipeline{StopPlan{{{SIGWINCH, milliseconds(200)}}}});
  self->send(run, SendSignal{SIGCONT});
  caf::anon_send_exit(run, caf::exit_reason::kill);
  int answers = 0;
  auto ended = [&](const caf::error& why) {
    EXPECT_TRUE(absl::IsCancelled(StatusOf(why))) << StatusOf(why);
    ++answers;
  };
  exit.receive([](const PipelineExited&) {}, ended);
  end.receive([](const PipelineEnded&) {}, ended);
  stop.receive([](const PipelineExited&) {}, ended);
  EXPECT_EQ(answers, 3);
  for (pid_t pid : pids_) EXPECT_TRUE(WaitUntilGone(pid));
}

// A start that hangs.
TEST_F(PipelineLifetimeTest, KilledItAnswersWhoStartedIt) {
  LeasedProgram program;
  if (!program.held()) GTEST_SKIP() << "no leases on this file system";
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{program.path()}, Idle()});
  start.observer = NewPipelineObserver();
  start.stop_plan = {{{SIGKILL}}};
  caf::scoped_actor self(*system_);
  auto started = self->request(run, kPatience, std::move(start));
  ASSERT_TRUE(YieldUntil([] { return !Children().empty(); }));
  caf::anon_send_exit(run, caf::exit_reason::kill);
  started.receive([](const PipelineStarted&) { FAIL(); },
                  [](const caf::error& why) {
                    EXPECT_TRUE(absl::IsCancelled(StatusOf(why)))
                        << StatusOf(why);
                  });
  WaitForNoChildren();
}

// Each round at another moment of the start.
TEST_F(PipelineLifetimeTest, KilledAtAnyMomentOfTheStartNothingIsLeft) {
  for (int round = 0; round < 200; ++round) {
    PipelineActor run = NewPipeline();
    StartPipeline start = PipedThrough({Idle(), Idle(), Idle()});
    PipelineObserver observer = start.observer = NewPipelineObserver();
    caf::scoped_actor self(*system_);
    self->send(run, std::move(start));
    SpinFor(std::chrono::microseconds(round * 20));
    if (round % 2 == 0) {
      caf::anon_send_exit(run, caf::exit_reason::kill);
    } else {
      caf::anon_send_exit(observer, caf::exit_reason::kill);
    }
  }
  // The spawner handles requests in order: after this one all were.
  ASSERT_EQ(Start(NewSubprocess(), Quiet({ChildProgram("exit_with")})), "");
  WaitForNoChildren();
}

TEST_F(PipelineLifetimeTest, WithoutHandlesItRunsToItsEnd) {
  ASSERT_TRUE(
      StartIt(NewPipeline(), PipedThrough({{"sh", "-c", "read x"}, {"cat"}}))
          .ok());
  kill(pids_[0], SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT -9 0"), 1u);
}

TEST_F(PipelineLifetimeTest, HoldsItsObserverNoLongerThanItRuns) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{ChildProgram("exit_with")}, {"cat"}});
  start.observer = NewPipelineObserver();
  auto memory = caf::actor_cast<caf::weak_actor_ptr>(start.observer);
  ASSERT_TRUE(StartIt(run, std::exchange(start, {})).ok());
  WaitUntilFreed(memory);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
}

// Its plan gave up: when its commands end at last, the stderr that a grandchild
// holds is not waited for.
TEST_F(PipelineLifetimeTest, EndsWithoutObserverAlsoAfterAPlanThatGaveUp) {
  const StopPlan useless{{{SIGWINCH, milliseconds(1)}}};
  PipelineActor run = NewPipeline();
  StartPipeline start =
      PipedThrough({{"sh", "-c", "sleep 1000 & echo $!; read x"}, {"cat"}});
  start.stop_plan = useless;
  start.observer = NewPipelineObserver();
  PipelineObserver observer = start.observer;
  ASSERT_TRUE(StartIt(run, std::exchange(start, {})).ok());
  pid_t second = PrintedPid();
  auto memory = caf::actor_cast<caf::weak_actor_ptr>(observer);
  caf::anon_send_exit(observer, caf::exit_reason::kill);
  observer = PipelineObserver();
  WaitUntilFreed(memory);
  EXPECT_FALSE(Ask<PipelineExited>(run, StopPipeline{useless}).ok());
  caf::anon_send(run, CloseStdin{});
  kill(pids_[1], SIGKILL);  // it reads what the grandchild holds
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
  EXPECT_FALSE(IsDead(second));
  kill(second, SIGKILL);
}

TEST_F(PipelineLifetimeTest, IsGoneWhenItIsOverAndNobodyAsks) {
  caf::weak_actor_ptr memory;
  {
    PipelineActor run = NewPipeline();
    memory = caf::actor_cast<caf::weak_actor_ptr>(run);
    ASSERT_TRUE(
        StartIt(run, PipedThrough({{ChildProgram("exit_with")}, {"cat"}}))
            .ok());
    EXPECT_TRUE(Ask<PipelineExited>(run, WaitForExit{}).ok());
  }
  ASSERT_TRUE(trace_->WaitFor("CL"));
  WaitUntilFreed(memory);
}

}  // namespace
}  // namespace troupe
