// The child watcher that is told of SIGCHLD by the signal relay and asks for
// each of its own children then: no stranger's child is touched, and many
// children cost time, O(n) for each exit. child_watcher.h has what it shares
// with the others.
#ifndef TROUPE_PROCESS_SAFE_WATCHER_H_
#define TROUPE_PROCESS_SAFE_WATCHER_H_

#include "io/io_host.h"
#include "process/process_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

// Resident on `host`; hidden.
ChildWatcher SpawnSafeWatcher(IoHost& host, const SignalRelay& relay);

}  // namespace troupe

#endif  // TROUPE_PROCESS_SAFE_WATCHER_H_
