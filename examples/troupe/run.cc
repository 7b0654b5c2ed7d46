#include "examples/troupe/run.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "actors/config.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"
#include "examples/troupe/ending.h"
#include "examples/troupe/exit_code.h"
#include "examples/troupe/run_actor.h"
#include "examples/troupe/standard_output.h"
#include "io/os_error.h"

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
  command.group = isatty(STDIN_FILENO) == 1 ? ProcessGroup::kInherit
                                            : ProcessGroup::kNewGroup;
  command.parent_death_signal = SIGKILL;
  return command;
}

// Ours, for --pipe. One that is closed stays empty: the command inherits that.
struct Streams {
  std::optional<InheritedStream> in;
  std::optional<OutputStream> out, err;
};

bool IsClosed(const absl::Status& status) {
  auto failure = OsFailureOf(status);
  return failure.has_value() && failure->error_number == EBADF;
}

absl::StatusOr<Streams> OpenStreams(const System& system) {
  Streams streams;
  auto in = InheritedStream::OpenInput(system.actors(), system.io(), 0);
  auto out = OpenStandardOutput(system, STDOUT_FILENO);
  auto err = OpenStandardOutput(system, STDERR_FILENO);
  for (const absl::Status& status : {in.status(), out.status(), err.status()}) {
    if (!status.ok() && !IsClosed(status)) return status;
  }
  if (in.ok()) streams.in = *std::move(in);
  if (out.ok()) streams.out = *std::move(out);
  if (err.ok()) streams.err = *std::move(err);
  return streams;
}

void Carry(const Streams& streams, RunPlan* plan) {
  if (streams.in.has_value()) {
    plan->in = &*streams.in;
    plan->command.stdin_from = Stdio::Pipe();
  }
  if (streams.out.has_value()) {
    plan->out = &*streams.out;
    plan->command.stdout_to = Stdio::Pipe();
  }
  if (streams.err.has_value()) {
    plan->err = &*streams.err;
    plan->command.stderr_to = Stdio::Pipe();
  }
}

}  // namespace

int Run(const RunOptions& options) {
  TakeNoSignals();
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
  absl::StatusOr<Streams> streams = Streams();
  if (options.pipe) streams = OpenStreams(**system);
  if (!streams.ok()) return Refuse(streams.status());
  Carry(*streams, &plan);
  Ending ending;
  auto actor = SpawnRun(std::move(plan), ending.sayer());
  TakeSignals();
  return ending.Await(actor);
}

}  // namespace troupe
