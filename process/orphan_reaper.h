// The subreaper: takes in orphans of our children, reaps them when they end,
// and says how (row A17). As PID 1 of a container it is what keeps zombies from
// piling up.
//
//   auto reaper = SpawnOrphanReaper(host, services.spawner, relay, observer);
//   self->request(reaper, caf::infinite, AdoptOrphans{}).then(...)
//   services.spawner = reaper;           // so that it knows our own children
//
// It stands before the spawner, because only so is it known whose a child is
// (orphan_ledger.h): a child made this way is ours until it is reaped and its
// lease settled, and its status is never taken. Every other child of this
// process is taken for an orphan! Who makes children elsewhere (fork, popen, a
// library, the spawner behind this one) while it is on sends SpareChild before
// the child can end, or has its status taken.
//
// SIGCHLD tells it that somebody has ended; any child watcher works beside it.
// (`fast` takes orphans, too, and then they are not told here.) What has ended
// is looked at with waitid(P_ALL, WNOWAIT), then by name, and only an orphan is
// reaped. Each SIGCHLD costs a list of our children while any of them is a
// zombie, and a line of /proc for each child that is not known to be ours.
//
//   AdoptOrphans   owner -> reaper      be the subreaper; answered when SIGCHLD
//                                       is caught, or by why not (kCancelled:
//                                       left before that)
//   LeaveOrphans   owner -> reaper      no more; those that are ours stay
//                                       until they end, unreaped: for a program
//                                       that ends
//   ListOrphans    anyone -> reaper     those that live, e.g. as suspects of a
//                                       TreeStop; perhaps with a child of ours
//                                       that is being made at this moment
//   SpareChild     anyone -> reaper     another's: never to be reaped here
//   OrphanReaped   reaper -> observer   once for each
#ifndef TROUPE_PROCESS_ORPHAN_REAPER_H_
#define TROUPE_PROCESS_ORPHAN_REAPER_H_

#include <sys/types.h>

#include <vector>

#include "caf/allowed_unsafe_message_type.hpp"
#include "caf/replies_to.hpp"
#include "caf/typed_actor.hpp"
#include "io/io_host.h"
#include "process/exit_report.h"
#include "process/process_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

struct OrphanReaped {
  pid_t pid = -1;  // as it was
  ExitReport report;
};
using OrphanObserver = caf::typed_actor<caf::reacts_to<OrphanReaped>>;

struct AdoptOrphans {};
struct AdoptingOrphans {};
struct LeaveOrphans {};
struct OrphansLeft {};
struct ListOrphans {};
struct OrphansListed {
  std::vector<pid_t> orphans;  // ascending
};
struct SpareChild {
  pid_t pid = -1;
};
using OrphanReaper =
    Spawner::extend<caf::replies_to<AdoptOrphans>::with<AdoptingOrphans>,
                    caf::replies_to<LeaveOrphans>::with<OrphansLeft>,
                    caf::replies_to<ListOrphans>::with<OrphansListed>,
                    caf::reacts_to<SpareChild>>;

// Resident on `host`; hidden. The observer may be empty. When the reaper ends
// it is the subreaper no more.
OrphanReaper SpawnOrphanReaper(IoHost& host, const Spawner& spawner,
                               const SignalRelay& relay,
                               const OrphanObserver& observer);

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::OrphanReaped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AdoptOrphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AdoptingOrphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::LeaveOrphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::OrphansLeft)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ListOrphans)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::OrphansListed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::SpareChild)

#endif  // TROUPE_PROCESS_ORPHAN_REAPER_H_
