// The spawner: makes children, one after the other, on a thread that does
// nothing else.
//
// A clone suspends its caller until the child has become its program; on a
// thread of its own no loop ever stalls for that. The parent-death signal is
// sent when the thread that made the child ends, so for children of the
// spawner it means "the process, or its actor system, ended".
//
// It also ends children that nobody answers for any more, which waits: they are
// killed with their groups, and reaped. One that it may not kill (a program
// with set-user-id, row V10) runs on and is reaped when it has ended.
#ifndef TROUPE_PROCESS_SPAWNER_H_
#define TROUPE_PROCESS_SPAWNER_H_

#include "io/resident.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`, which nobody else should use: it blocks. Hidden. What
// was abandoned before the host stops is still killed and reaped.
Spawner SpawnSpawner(Host& host);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SPAWNER_H_
