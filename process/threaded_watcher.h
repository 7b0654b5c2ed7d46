// The child watcher with a thread for each child, which waits in waitid(2):
// neither SIGCHLD nor pidfds, and a thread is not free. For children that are
// few, where pidfds are forbidden. child_watcher.h has what it shares with the
// others.
//
// A thread ends with its child, with UnwatchChild (in asyncio that is without
// effect), with CloseWatcher and with the watcher. A child that never ends does
// not hold these up: its thread is cancelled and joined (exit_waiter.h).
// RESOURCE_EXHAUSTED or UNAVAILABLE if there is no thread to be had.
#ifndef TROUPE_PROCESS_THREADED_WATCHER_H_
#define TROUPE_PROCESS_THREADED_WATCHER_H_

#include "io/io_host.h"
#include "process/process_messages.h"

namespace troupe {

// Resident on `host`; hidden.
ChildWatcher SpawnThreadedWatcher(IoHost& host);

}  // namespace troupe

#endif  // TROUPE_PROCESS_THREADED_WATCHER_H_
