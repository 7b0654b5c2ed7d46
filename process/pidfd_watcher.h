// The child watcher that waits for pidfds: no SIGCHLD, no stranger's child, any
// number of children, each told exactly once.
//
// Readable is not reapable: on each readiness it asks waitid(2) without
// waiting, and asks for another readiness if there is no exit yet. ChildExited
// leaves the zombie; ReapChild takes it away.
#ifndef TROUPE_PROCESS_PIDFD_WATCHER_H_
#define TROUPE_PROCESS_PIDFD_WATCHER_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`, whose I/O actor `io` is; hidden.
ChildWatcher SpawnPidfdWatcher(IoHost& host, const IoActor& io);

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIDFD_WATCHER_H_
