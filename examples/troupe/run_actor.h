// The actor behind `troupe run`: forwards signals to the command and, with
// --pipe, bytes between its streams and ours.
//
//   our stdin --DataReceived--> run --Write--> process
//   process --ProcessOutput--> run --Write--> our stdout or stderr
//
// The Credit of a chunk travels with it and is let go when the bytes are
// written, so a stop at any end stops the other.
#ifndef TROUPE_EXAMPLES_TROUPE_RUN_ACTOR_H_
#define TROUPE_EXAMPLES_TROUPE_RUN_ACTOR_H_

#include "absl/time/time.h"
#include "caf/actor.hpp"
#include "examples/troupe/ending.h"
#include "examples/troupe/standard_output.h"
#include "io/io_messages.h"
#include "process/process_messages.h"
#include "process/subprocess.h"
#include "signals/signal_messages.h"

namespace troupe {

struct RunPlan {
  ProcessServices services;
  SignalRelay signals;
  Command command;
  absl::Duration timeout = absl::InfiniteDuration();
  // Each of its streams that is a pipe to us has ours here; not owned, they
  // outlive the actor.
  const InheritedStream* in = nullptr;
  const OutputStream* out = nullptr;
  const OutputStream* err = nullptr;
};

// Resident on the services' host; says the exit code when all is over, then
// waits to be ended.
caf::actor SpawnRun(RunPlan plan, Ending::Sayer ending);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_RUN_ACTOR_H_
