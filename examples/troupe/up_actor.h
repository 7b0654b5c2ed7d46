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

#include <memory>
#include <string>
#include <vector>

#include "actors/supervisor.h"
#include "examples/troupe/standard_output.h"
#include "signals/signal_messages.h"

namespace troupe {

struct UpPlan {
  ProcessServices services;
  SignalRelay signals;
  std::vector<MemberSpec> members;
  bool color = false;
  bool restart_on_hangup = true;  // false: SIGHUP was ignored, leave it so
  bool had_terminal = false;
  // Not owned: they outlive the actor.
  const OutputStream* out = nullptr;
  const OutputStream* err = nullptr;
  bool one_file = false;  // out and err are the same
};

// Resident on the services' host; `*exit_code` is set before it ends.
void SpawnUp(UpPlan plan, std::shared_ptr<int> exit_code);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_TROUPE_UP_ACTOR_H_
