// Shows: `yes troupe | head -n 2 | tr a-z A-Z` as one value and one actor; the
//        bytes between the commands do not pass through this program.
// Run:   ./bazelw run //examples:pipeline
// See:   two lines, how each command ended (the first one by SIGPIPE, because
//        its reader had enough), and whether that was a failure.
#include "process/pipeline.h"

#include <cstddef>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/status_error.h"
#include "process/exit_status.h"
#include "process/pipeline_actor.h"
#include "process/pipeline_messages.h"

namespace {

using troupe::PipelineObserver;

troupe::Pipeline TwoLoudLines() {
  troupe::Pipeline pipeline{{{.argv = {"yes", "troupe"}},
                             {.argv = {"head", "-n", "2"}},
                             {.argv = {"tr", "a-z", "A-Z"}}}};
  pipeline.commands.front().stdin_from = troupe::Stdio::Null();
  pipeline.commands.back().stdout_to = troupe::Stdio::Pipe();
  return pipeline;
}

void Print(const troupe::Pipeline& pipeline,
           const std::vector<troupe::ExitStatus>& statuses) {
  for (size_t i = 0; i < statuses.size(); ++i) {
    std::cout << ProgramOf(pipeline.commands[i]) << ": "
              << statuses[i].ToString() << '\n';
  }
  std::optional<size_t> failed = troupe::FirstFailed(statuses);
  std::cout << (failed.has_value() ? ProgramOf(pipeline.commands[*failed])
                                   : std::string("nothing"))
            << " failed\n";
}

struct Outcome {
  std::vector<troupe::ExitStatus> statuses;
};

PipelineObserver::behavior_type Shout(
    PipelineObserver::stateful_pointer<Outcome> self,
    troupe::PipelineActor run) {
  const troupe::Pipeline pipeline = TwoLoudLines();
  self->request(run, caf::infinite,
                troupe::StartPipeline{.pipeline = pipeline, .observer = self})
      .then([](const troupe::PipelineStarted&) {},
            [=](const caf::error& why) {
              std::cerr << troupe::StatusOf(why).message() << '\n';
              self->quit();
            });
  return {
      [](const troupe::PipelineStarted&) {},
      [](const troupe::PipelineOutput& output) {
        std::cout << output.bytes.view();
      },
      [](const troupe::PipelineStreamClosed&) {},
      [](const troupe::CommandExited&) {},
      [=](const troupe::PipelineExited& exited) {
        self->state.statuses = exited.Statuses();
      },
      // Not before: the last output may come after the exits.
      [=](const troupe::PipelineEnded&) {
        Print(pipeline, self->state.statuses);
        self->quit();
      },
      [](const troupe::PauseWriting&) {},
      [](const troupe::ResumeWriting&) {},
  };
}

}  // namespace

int main() {
  troupe::Config config;
  caf::actor_system actors(config);
  auto system = troupe::System::Start(actors);
  if (!system.ok()) {
    std::cerr << system.status().message() << '\n';
    return 1;
  }
  actors.spawn(Shout, troupe::SpawnPipeline((*system)->processes()));
  return 0;  // ~System waits for Shout
}
