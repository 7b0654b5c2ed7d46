#include "tests/process/running_pipeline.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "caf/typed_event_based_actor.hpp"
#include "process/exit_status.h"
#include "process/pipeline.h"
#include "tests/support/trace.h"

namespace troupe {
namespace {

struct Notes {
  std::shared_ptr<Trace> trace;
  std::shared_ptr<Received> got;
};

PipelineObserver::behavior_type Observer(PipelineObserver::pointer,
                                         Notes notes) {
  auto [trace, got] = notes;
  return {
      [trace = trace](const PipelineStarted&) { trace->Add("CM"); },
      [trace = trace, got = got](PipelineOutput& output) {
        got->Add({output.stream, output.bytes, {}}, true);
        trace->Add(absl::StrCat("DATA ", output.command, " ",
                                static_cast<int>(output.stream)));
      },
      [trace = trace](const PipelineStreamClosed& closed) {
        trace->Add(absl::StrCat("PCL ", closed.command, " ",
                                static_cast<int>(closed.stream)));
      },
      [trace = trace](const CommandExited& one) {
        trace->Add(absl::StrCat("EXIT of ", one.command));
      },
      [trace = trace](const PipelineExited& all) { trace->Add(Describe(all)); },
      [trace = trace](const PipelineEnded&) { trace->Add("CL"); },
      [trace = trace](const PauseWriting&) { trace->Add("PAUSE"); },
      [trace = trace](const ResumeWriting&) { trace->Add("RESUME"); },
  };
}

}  // namespace

std::string Describe(const PipelineExited& exited) {
  std::string text = "EXIT";
  for (const ExitStatus& status : exited.Statuses()) {
    absl::StrAppend(&text, " ", status.ReturnCode());
  }
  return text;
}

PipelineObserver RunningPipelineTest::NewPipelineObserver() {
  return system_->spawn<caf::hidden>(Observer, Notes{trace_, got_});
}

StartPipeline RunningPipelineTest::PipedThrough(
    std::vector<std::vector<std::string>> commands) {
  StartPipeline start;
  for (auto& argv : commands) {
    Command command;
    command.argv = std::move(argv);
    command.stderr_to = Stdio::Pipe();
    start.pipeline.commands.push_back(std::move(command));
  }
  start.pipeline.commands.front().stdin_from = Stdio::Pipe();
  start.pipeline.commands.back().stdout_to = Stdio::Pipe();
  return start;
}

absl::StatusOr<PipelineStarted> RunningPipelineTest::StartIt(
    const PipelineActor& run, StartPipeline start) {
  if (!start.observer) start.observer = NewPipelineObserver();
  auto started = Ask<PipelineStarted>(run, std::move(start));
  if (started.ok()) pids_ = started->pids;
  return started;
}

std::string RunningPipelineTest::StopBy(const PipelineActor& run,
                                        StopPipeline stop) {
  auto exited = Ask<PipelineExited>(run, stop);
  return exited.ok() ? Describe(*exited)
                     : std::string(exited.status().message());
}

}  // namespace troupe
