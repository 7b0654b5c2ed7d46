// The value: what is refused before anything is opened, and whose failure it
// was.
#include "process/pipeline.h"

#include <signal.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/os_error.h"
#include "process/exit_status.h"

namespace troupe {
namespace {

Pipeline Three() {
  return Pipeline{{{.argv = {"a"}}, {.argv = {"b"}}, {.argv = {"c"}}}};
}

void ExpectRefused(const Pipeline& pipeline, const std::string& text,
                   std::optional<size_t> command) {
  absl::Status status = Validate(pipeline);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(status.message(), text);
  EXPECT_EQ(FailedCommandOf(status), command);
}

TEST(PipelineTest, LeavesItsOuterEndsToTheCommands) {
  Pipeline pipeline = Three();
  EXPECT_TRUE(Validate(pipeline).ok());
  pipeline.commands.front().stdin_from = Stdio::Pipe();
  pipeline.commands.back().stdout_to = Stdio::Pipe();
  for (Command& command : pipeline.commands) {
    command.stderr_to = Stdio::Merged();
  }
  EXPECT_TRUE(Validate(pipeline).ok());
  EXPECT_TRUE(Validate(Pipeline{{{.argv = {"alone"}}}}).ok());
}

TEST(PipelineTest, RefusesToHaveNoCommands) {
  ExpectRefused({}, "the pipeline has no commands", std::nullopt);
}

TEST(PipelineTest, RefusesWhatItsOwnPipesWouldReplace) {
  Pipeline pipeline = Three();
  pipeline.commands[1].stdin_from = Stdio::Null();
  ExpectRefused(pipeline,
                "command 2 of 3: its stdin is the pipe from the command before",
                1);
  pipeline = Three();
  pipeline.commands[0].stdout_to = Stdio::Pipe();
  ExpectRefused(pipeline,
                "command 1 of 3: its stdout is the pipe to the next command",
                0);
}

TEST(PipelineTest, RefusesWhatACommandRefuses) {
  Pipeline pipeline = Three();
  pipeline.commands[2].argv.clear();
  ExpectRefused(pipeline, "command 3 of 3: argv is empty", 2);
  pipeline = Three();
  pipeline.commands[2].stdout_to = Stdio::Descriptor(-1);
  EXPECT_EQ(OsFailureOf(Validate(pipeline)).value().error_number, EBADF);
}

TEST(PipelineTest, KnowsItsOwnStatusesOnly) {
  EXPECT_EQ(FailedCommandOf(absl::OkStatus()), std::nullopt);
  EXPECT_EQ(FailedCommandOf(OsError(ENOENT, "exec", "/no")), std::nullopt);
}

TEST(PipelineTest, TheFirstFailureCounts) {
  const auto good = ExitStatus::Exited(0), bad = ExitStatus::Exited(3);
  EXPECT_EQ(FirstFailed({}), std::nullopt);
  EXPECT_EQ(FirstFailed({good, good}), std::nullopt);
  EXPECT_EQ(FirstFailed({good, bad, bad}), 1u);
  EXPECT_EQ(FirstFailed({good, ExitStatus::Lost()}), 1u);
  EXPECT_EQ(FirstFailed({ExitStatus::Killed(SIGTERM), good}), 0u);
}

TEST(PipelineTest, WhoseReaderEndedHasNotFailedUnlessAsked) {
  const auto good = ExitStatus::Exited(0), bad = ExitStatus::Exited(3);
  const auto cut = ExitStatus::Killed(SIGPIPE);
  EXPECT_EQ(FirstFailed({cut, cut, good}), std::nullopt);
  EXPECT_EQ(FirstFailed({cut, cut, bad}), 2u);
  EXPECT_EQ(FirstFailed({good, cut}), 1u) << "nobody of ours cut the last off";
  EXPECT_EQ(FirstFailed({good, cut, good}, BrokenPipe::kIsFailure), 1u);
}

}  // namespace
}  // namespace troupe
