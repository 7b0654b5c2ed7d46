// Runs a group of processes and keeps it running: starts each, starts again
// what its policy wants again, and stops all of them together.
//
//   MemberSpec web{.name = "web", .command = command,
//                  .restart = {.when = RestartWhen::kAlways}};
//   Supervisor group = SpawnSupervisor(system.processes(), {web}, observer);
//   ...
//   self->send(group, StopMembers{});        // MembersEnded when all is over
//
// A member is started at once. When a run ends, what it left behind in its
// group is stopped by its plan, and the restart policy decides; if it does not
// want another run, `on_end` says whether the others are stopped, too. When no
// member runs or waits and all output is drained, the observer is told
// MembersEnded and the supervisor ends.
//
// A stop reaches every process of a member's group. A stream that is held open
// by a process which left the group is closed when it has been silent for a
// second and nothing of it is in flight.
//
// If the observer dies, everything is stopped. If the supervisor is killed, its
// processes are stopped by their plans.
#ifndef TROUPE_ACTORS_SUPERVISOR_H_
#define TROUPE_ACTORS_SUPERVISOR_H_

#include <string>
#include <vector>

#include "actors/actor_messages.h"
#include "process/command.h"
#include "process/restart_policy.h"
#include "process/stop_plan.h"
#include "process/subprocess.h"

namespace troupe {

struct MemberSpec {
  enum class OnEnd {
    kStopOthers,  // the members need each other
    kLetOthersRun,
  };

  std::string name;
  Command command;  // stdout_to = Pipe() makes MemberOutput of it
  RestartPolicy restart = {};
  OnEnd on_end = OnEnd::kStopOthers;
  StopPlan stop_plan = {};
};

// Resident on the services' host. Not hidden: the program waits for it.
Supervisor SpawnSupervisor(const ProcessServices& services,
                           std::vector<MemberSpec> members,
                           SupervisorObserver observer);

}  // namespace troupe

#endif  // TROUPE_ACTORS_SUPERVISOR_H_
