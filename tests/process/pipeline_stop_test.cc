// Stops of pipelines: one plan for all commands, also while they are being
// started. The fixture looks for what is left.
#include <signal.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/status_error.h"
#include "process/pipeline.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/process/running_pipeline.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

class PipelineStopTest : public RunningPipelineTest {};

TEST_F(PipelineStopTest, OnePlanStopsAllCommands) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({Stubborn(), Stubborn(), Idle()});
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 0 2"));
  ASSERT_TRUE(trace_->WaitFor("DATA 1 2"));
  EXPECT_EQ(StopBy(run), "EXIT -9 -9 -15");
  for (pid_t pid : pids_) EXPECT_TRUE(IsGone(pid));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(StopBy(run), "EXIT -9 -9 -15") << "asked again";
}

TEST_F(PipelineStopTest, APlanThatGivesUpNamesTheCommand) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({Idle(), Stubborn()})).ok());
  ASSERT_TRUE(trace_->WaitFor("DATA 1 2"));
  auto stopped = Ask<PipelineExited>(
      run, StopPipeline{StopPlan{{{SIGTERM, milliseconds(20)}}}});
  EXPECT_TRUE(absl::IsDeadlineExceeded(stopped.status()));
  EXPECT_EQ(FailedCommandOf(stopped.status()), 1u);
  EXPECT_FALSE(IsDead(pids_[1]));
  EXPECT_EQ(StopBy(run, {StopPlan{{{SIGKILL}}}}), "EXIT -15 -9");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(PipelineStopTest, ASignalReachesAllThatStillRun) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(
      StartIt(run,
              PipedThrough({{ChildProgram("exit_with"), "3"}, Idle(), Idle()}))
          .ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT of 0"));
  caf::anon_send(run, SendSignal{SIGUSR1});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3 -10 -10"), 1u);
}

TEST_F(PipelineStopTest, RefusesToStopWhatWasNotStarted) {
  EXPECT_EQ(StopBy(NewPipeline()), "the pipeline is not running");
}

// Whichever comes first, both are answered and nothing is left.
TEST_F(PipelineStopTest, AStopDuringTheStartStartsNoMore) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({Idle(), Idle(), Idle()});
  start.observer = NewPipelineObserver();
  caf::scoped_actor self(*system_);
  auto started = self->request(run, kPatience, start);
  auto stopped = self->request(run, kPatience, StopPipeline{});
  std::string start_answer, stop_answer;
  started.receive([&](const PipelineStarted&) { start_answer = "started"; },
                  [&](const caf::error& why) {
                    start_answer = std::string(StatusOf(why).message());
                  });
  stopped.receive(
      [&](const PipelineExited& exited) { stop_answer = Describe(exited); },
      [&](const caf::error& why) {
        stop_answer = std::string(StatusOf(why).message());
      });
  if (start_answer == "started") {
    EXPECT_EQ(stop_answer, "EXIT -15 -15 -15");
    EXPECT_TRUE(trace_->WaitFor("CL"));
  } else {
    EXPECT_THAT(start_answer,
                ::testing::MatchesRegex(
                    "command [23] of 3: stopped before it was started"));
    EXPECT_EQ(stop_answer, start_answer);
    EXPECT_THAT(trace_->events(), IsEmpty());
  }
  EXPECT_THAT(Children(), IsEmpty());
}

}  // namespace
}  // namespace troupe
