// The child watcher that waits for pidfds: no SIGCHLD, no stranger's child, any
// number of children, each told exactly once. child_watcher.h has what it
// shares with the others.
//
// Readable is not reapable: on each readiness it asks waitid(2) without
// waiting, and asks for another readiness if there is no exit yet. ChildExited
// leaves the zombie; ReapChild takes it away.
//
// A child without a pidfd gets one here, pidfd_open(2): NOT_FOUND if there is
// no such process (C11). It need not be a child: the end of any process is
// told, its status then lost (C12).
#ifndef TROUPE_PROCESS_PIDFD_WATCHER_H_
#define TROUPE_PROCESS_PIDFD_WATCHER_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`, whose I/O actor `io` is; hidden.
ChildWatcher SpawnPidfdWatcher(IoHost& host, const IoActor& io);

// Whether this kernel has pidfds and no filter forbids them (V2): it tries.
bool CanUsePidfd();

}  // namespace troupe

#endif  // TROUPE_PROCESS_PIDFD_WATCHER_H_
