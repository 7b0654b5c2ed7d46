#include "examples/troupe/run.h"

#include <signal.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/run_actor.h"

namespace troupe {
namespace {

int Refuse(const absl::Status& why) {
  std::cerr << "troupe: " << why.message() << '\n';
  return kUsageCode;
}

// With a terminal on stdin the command stays in our group: in one of its own
// the terminal would stop it as soon as it reads.
Command MakeCommand(const RunOptions& options) {
  Command command;
  command.argv = options.command;
  if (options.pipe) {
    command.stdin_from = command.stdout_to = command.stderr_to = Stdio::Pipe();
  }
  command.group = isatty(STDIN_FILENO) == 1 ? ProcessGroup::kInherit
                                            : ProcessGroup::kNewGroup;
  command.parent_death_signal = SIGKILL;
  return command;
}

}  // namespace

int Run(const RunOptions& options) {
  Config config;
  caf::actor_system actors(config);
  auto system = System::Start(actors);
  if (!system.ok()) return Refuse(system.status());
  auto signals = (*system)->Signals();
  if (!signals.ok()) return Refuse(signals.status());
  RunPlan plan;
  plan.services = (*system)->processes();
  plan.signals = *signals;
  plan.command = MakeCommand(options);
  plan.timeout = options.timeout;
  std::optional<InheritedStream> in;
  std::optional<OutputStream> out, err;
  if (options.pipe) {
    auto opened =
        InheritedStream::OpenInput(actors, (*system)->io(), STDIN_FILENO);
    if (!opened.ok()) return Refuse(opened.status());
    in = *std::move(opened);
    auto opened_out = OpenStandardOutput(**system, STDOUT_FILENO);
    if (!opened_out.ok()) return Refuse(opened_out.status());
    out = *std::move(opened_out);
    auto opened_err = OpenStandardOutput(**system, STDERR_FILENO);
    if (!opened_err.ok()) return Refuse(opened_err.status());
    err = *std::move(opened_err);
    plan.in = &*in;
    plan.out = &*out;
    plan.err = &*err;
  }
  auto exit_code = std::make_shared<int>(0);
  SpawnRun(std::move(plan), exit_code);
  actors.await_all_actors_done();
  return *exit_code;
}

}  // namespace troupe
