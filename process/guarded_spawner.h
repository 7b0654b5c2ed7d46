// A spawner before the spawner that tells a Guard of each child with a group of
// its own, until that is reaped and its lease settled: see guard.h.
//
// A child that the guard cannot be told of (it was killed, or its object is
// gone) is ended, and the spawn fails with kUnavailable: nobody believes to be
// guarded who is not. A detached child is not guarded any more.
//
// The guard is kept by who started it, until the children are over: its end
// waits, which is nothing for an I/O thread.
#ifndef TROUPE_PROCESS_GUARDED_SPAWNER_H_
#define TROUPE_PROCESS_GUARDED_SPAWNER_H_

#include <memory>

#include "io/io_host.h"
#include "process/guard.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`; hidden.
Spawner SpawnGuarded(IoHost& host, std::weak_ptr<Guard> guard,
                     const Spawner& spawner);

}  // namespace troupe

#endif  // TROUPE_PROCESS_GUARDED_SPAWNER_H_
