// What goes through the pipes between real commands, and what comes out. The
// fixture looks for what is left.
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/pipeline.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"
#include "tests/process/running_pipeline.h"
#include "tests/support/child_program.h"

namespace troupe {
namespace {

class PipelineStreamsTest : public RunningPipelineTest {};

TEST_F(PipelineStreamsTest, BytesAndTheirEndTravelThroughAllCommands) {
  PipelineActor run = NewPipeline();
  const std::vector<std::string> copy = {ChildProgram("copy_input")};
  ASSERT_TRUE(StartIt(run, PipedThrough({copy, copy, copy})).ok());
  EXPECT_EQ(pids_.size(), 3u);
  caf::anon_send(run, Write{Bytes("through"), {}});
  caf::anon_send(run, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(Out(), "through");
  std::vector<std::string> events = trace_->events();
  EXPECT_EQ(events.front(), "CM");
  EXPECT_EQ(events.back(), "CL");
  for (const char* once :
       {"EXIT of 0", "EXIT of 1", "EXIT of 2", "EXIT 0 0 0", "PCL 0 0",
        "PCL 0 2", "PCL 1 2", "PCL 2 2", "PCL 2 1"}) {
    EXPECT_EQ(trace_->Count(once), 1u) << once;
  }
  EXPECT_EQ(trace_->Count("PCL 0 1"), 0u) << "not ours";
}

// The middle one dies of SIGPIPE; the first ignores it, sees EPIPE and ends.
TEST_F(PipelineStreamsTest, TheEndOfTheLastEndsThoseBefore) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(StartIt(run, PipedThrough({{ChildProgram("flood")},
                                         {ChildProgram("copy_input")},
                                         {ChildProgram("exit_with"), "0"}}))
                  .ok());
  auto exited = Ask<PipelineExited>(run, WaitForExit{});
  ASSERT_TRUE(exited.ok()) << exited.status();
  EXPECT_EQ(Describe(*exited), "EXIT 1 -13 0");
  EXPECT_EQ(FirstFailed(exited->Statuses()), 0u);
  EXPECT_TRUE(Ask<PipelineEnded>(run, WaitForEnd{}).ok());
}

TEST_F(PipelineStreamsTest, ManyBytesGoThroughThreeCommands) {
  constexpr size_t kSize = 64 << 20;
  PipelineActor run = NewPipeline();
  const std::vector<std::string> copy = {ChildProgram("copy_input")};
  ASSERT_TRUE(
      StartIt(run,
              PipedThrough(
                  {{ChildProgram("flood"), absl::StrCat(kSize)}, copy, copy}))
          .ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(OutSize(), kSize);
  EXPECT_EQ(trace_->Count("EXIT 0 0 0"), 1u);
}

TEST_F(PipelineStreamsTest, EachStderrIsHeardUnderItsCommand) {
  PipelineActor run = NewPipeline();
  StartPipeline start = PipedThrough({{"sh", "-c", "echo a >&2"},
                                      {"sh", "-c", "cat; echo b >&2"},
                                      {"sh", "-c", "cat; echo c"}});
  start.pipeline.commands[1].stderr_to = Stdio::Merged();
  ASSERT_TRUE(StartIt(run, std::move(start)).ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("DATA 0 2"), 1u);
  EXPECT_EQ(trace_->Count("DATA 1 2"), 0u) << "it went into the pipe";
  EXPECT_EQ(Err(), "a\n");
  EXPECT_EQ(Out(), "b\nc\n");
}

TEST_F(PipelineStreamsTest, OneCommandIsAPipelineToo) {
  PipelineActor run = NewPipeline();
  ASSERT_TRUE(
      StartIt(run, PipedThrough({{ChildProgram("exit_with"), "3"}})).ok());
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("EXIT 3"), 1u);
}

}  // namespace
}  // namespace troupe
