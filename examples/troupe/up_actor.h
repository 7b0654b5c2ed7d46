// The actor behind `troupe up`: hears the supervisor, the signal relay and its
// two output transports, and says what there is to say.
//
//   supervisor --MemberOutput--> up --Write--> stdout
//   relay --SignalReceived-----> up --StopMembers, KillMembers--> supervisor
//
// Output is written a piece at a time, each as a request that is answered when
// stdout has room: a slow reader stops the processes, not this program.
#ifndef TROUPE_EXAMPLES_TROUPE_UP_ACTOR_H_
#define TROUPE_EXAMPLES_TROUPE_UP_ACTOR_H_

#include <string>
#include <vector>

#include "actors/supervisor.h"
#include "caf/actor.hpp"
#include "examples/troupe/ending.h"
#include "examples/troupe/standard_output.h"
#include "signals/signal_messages.h"

namespace troupe {

struct UpPlan {
  ProcessServices services;
  SignalRelay signals;
  std::vector<MemberSpec> members;
  bool color = false;
  bool had_terminal = false;
  // Not owned: they outlive the actor.
  const OutputStream* out = nullptr;
  const OutputStream* err = nullptr;
  bool one_file = false;  // out and err are the same
};

// Resident on the services' host; says the exit code when all is over, then
// waits to be ended.
caf::actor SpawnUp(UpPlan plan, Ending::Sayer ending);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_UP_ACTOR_H_
