// The child watcher that waits for SIGCHLD on a line of its own: the signal
// handler writes into its tap (signals/signal_buffer.h), which its own host
// watches. So it lives on any host, whoever holds up the relay's thread, and
// serves observers of all. Each SIGCHLD costs a look at each of its children,
// O(n). child_watcher.h has what it shares with the others.
#ifndef TROUPE_PROCESS_MULTI_LOOP_WATCHER_H_
#define TROUPE_PROCESS_MULTI_LOOP_WATCHER_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

// Resident on `host`, of the kind kEpoll, whose I/O actor `io` is; hidden. The
// relay may live on another one.
ChildWatcher SpawnMultiLoopWatcher(IoHost& host, const IoActor& io,
                                   const SignalRelay& relay);

}  // namespace troupe

#endif  // TROUPE_PROCESS_MULTI_LOOP_WATCHER_H_
