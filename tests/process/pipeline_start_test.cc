// Starts of pipelines, and those that fail: at which command, and that nothing
// is left.
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "caf/scoped_actor.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "io/status_error.h"
#include "process/pipeline.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/process/running_pipeline.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

class PipelineStartTest : public RunningPipelineTest {};

// What the first did while the second was being started comes after it.
TEST_F(PipelineStartTest, TheStartIsToldFirst) {
  for (int round = 0; round < 20; ++round) {
    trace_ = std::make_shared<Trace>();
    PipelineActor run = NewPipeline();
    ASSERT_TRUE(
        StartIt(run, PipedThrough({{"sh", "-c", "echo a >&2"}, Idle(), Idle()}))
            .ok());
    ASSERT_TRUE(trace_->WaitFor("EXIT of 0"));
    EXPECT_EQ(trace_->events().front(), "CM");
    EXPECT_EQ(StopBy(run), "EXIT 0 -15 -15");
    ASSERT_TRUE(trace_->WaitFor("CL"));
  }
}

TEST_F(PipelineStartTest, AFailedStartSaysWhereAndLeavesNothing) {
  StartPipeline start = PipedThrough({Idle(), {"/no/such"}, Idle()});
  start.pipeline.commands[0].signals.dispositions[SIGTERM] =
      SignalDisposition::kIgnore;  // so that the stop takes its time
  start.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  auto started = StartIt(NewPipeline(), std::move(start));
  EXPECT_TRUE(absl::IsNotFound(started.status()));
  EXPECT_EQ(started.status().message(),
            "command 2 of 3: exec \"/no/such\": No such file or directory");
  EXPECT_EQ(FailedCommandOf(started.status()), 1u);
  EXPECT_EQ(OsFailureOf(started.status()).value().error_number, ENOENT);
  EXPECT_THAT(Children(), IsEmpty());
  StopAll();
  EXPECT_THAT(trace_->events(), IsEmpty());
}

TEST_F(PipelineStartTest, AFailedStartNeedsNoPlanThatKills) {
  StartPipeline start = PipedThrough({Idle(), Idle(), {"/no/such"}});
  start.stop_plan = {{{SIGWINCH, milliseconds(1)}}};
  auto started = StartIt(NewPipeline(), std::move(start));
  EXPECT_EQ(FailedCommandOf(started.status()), 2u);
  EXPECT_THAT(Children(), IsEmpty());
}

TEST_F(PipelineStartTest, AFailedStartAnswersEveryoneWhoWaits) {
  PipelineActor run = NewPipeline();
  caf::scoped_actor self(*system_);
  auto exit = self->request(run, kPatience, WaitForExit{});
  auto end = self->request(run, kPatience, WaitForEnd{});
  EXPECT_FALSE(StartIt(run, PipedThrough({{"/no/such"}, Idle()})).ok());
  int answers = 0;
  auto refused = [&](const caf::error& why) {
    ++answers;
    EXPECT_EQ(FailedCommandOf(StatusOf(why)), 0u);
  };
  exit.receive([](const PipelineExited&) {}, refused);
  end.receive([](const PipelineEnded&) {}, refused);
  EXPECT_EQ(answers, 2);
}

TEST_F(PipelineStartTest, ARefusedPipelineStartsNothingAndMayBeMended) {
  PipelineActor run = NewPipeline();
  auto started = StartIt(run, PipedThrough({Idle(), {}}));
  EXPECT_EQ(started.status().message(), "command 2 of 2: argv is empty");
  StartPipeline start = PipedThrough({{ChildProgram("exit_with")}});
  start.stop_plan = {{{SIGSTOP}}};
  EXPECT_EQ(StartIt(run, start).status().message(),
            "stop plan: SIGSTOP ends no process");
  start.stop_plan = {};
  EXPECT_TRUE(StartIt(run, start).ok());
  EXPECT_EQ(StartIt(run, start).status().message(),
            "the pipeline was started already");
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

}  // namespace
}  // namespace troupe
