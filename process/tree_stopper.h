// The tree stopper: stops whole trees for actors, by TreeStop.
//
//   StopTree started{{.leader = pid, .reach = TreeReach::kSession}};
//   self->request(stopper, caf::infinite, started).then(
//       [](TreeStopped& stopped) { ... stopped.report.escaped ... });
//
// The pid is that of a ProcessStarted with keep_group, before its StopProcess:
// so long it means that child. StopProcess afterwards reaps it; the tree's plan
// is over then, and its own has nothing left to do.
//
// It reads /proc, which may take a while on a machine with many processes: for
// a host that nobody else minds waiting for, the spawner's or one of its own.
// Any number of trees at once; who asks may die, the plan is walked to its end.
#ifndef TROUPE_PROCESS_TREE_STOPPER_H_
#define TROUPE_PROCESS_TREE_STOPPER_H_

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/stop_plan.h"
#include "process/tree_stop.h"

namespace troupe {

struct StopTree {
  TreeTarget target;
  StopPlan plan = {};  // {{{SIGKILL}}} kills
};
struct TreeStopped {
  TreeReport report;  // its `left` is empty unless the plan gave up
};
using TreeStopper =
    caf::typed_actor<caf::replies_to<StopTree>::with<TreeStopped>>;

// Resident on `host`, whose I/O actor `io` is; hidden. Errors:
// TreeStop::Make's.
TreeStopper SpawnTreeStopper(IoHost& host, const IoActor& io);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::StopTree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::TreeStopped)

#endif  // TROUPE_PROCESS_TREE_STOPPER_H_
