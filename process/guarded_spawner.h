// A spawner before the spawner that tells a Guard of each child with a group of
// its own, until that is reaped and its lease settled: see guard.h.
//
// A child that the guard cannot be told of (it was killed) is ended, and the
// spawn fails with kUnavailable: nobody believes to be guarded who is not.
#ifndef TROUPE_PROCESS_GUARDED_SPAWNER_H_
#define TROUPE_PROCESS_GUARDED_SPAWNER_H_

#include <memory>

#include "io/io_host.h"
#include "process/guard.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`; hidden.
Spawner SpawnGuarded(IoHost& host, std::shared_ptr<Guard> guard,
                     const Spawner& spawner);

}  // namespace troupe

#endif  // TROUPE_PROCESS_GUARDED_SPAWNER_H_
