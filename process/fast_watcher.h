// The child watcher that takes whatever has ended, as waitpid(-1) does: the
// time for an exit does not grow with the number of children. child_watcher.h
// has what it shares with the others.
//
// The side effect: **it reaps the children of everybody in the program.**
// Whoever else waits for one finds its status lost. What nobody has asked it
// for is kept, the last `keep` of them, for an owner who comes later; after
// `grace` the log names it: `Caught subprocess termination from unknown pid:
// 12 -> 0` (C8), at CloseWatcher all that are left (C14).
//
// What it cannot keep: an exit is told after the zombie is gone
// (ChildExited::reaped). So a process group is not pinned by its ended leader,
// and a stop plan ends with the leader; the rest of the group is left. Signals
// still go through the pidfd and never to a stranger.
//
// A status that somebody else was faster to take is noticed after a SIGCHLD
// that finds nobody who ended: within `grace` all children are asked. Or when
// that child is watched anew. asyncio never reports it (C7).
#ifndef TROUPE_PROCESS_FAST_WATCHER_H_
#define TROUPE_PROCESS_FAST_WATCHER_H_

#include <cstddef>

#include "absl/time/time.h"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

struct FastWatcherOptions {
  size_t keep = 1024;
  absl::Duration grace = absl::Seconds(1);  // zero: at once
};

// Resident on `host`, whose I/O actor `io` is; hidden.
ChildWatcher SpawnFastWatcher(IoHost& host, const IoActor& io,
                              const SignalRelay& relay,
                              FastWatcherOptions options = {});

}  // namespace troupe

#endif  // TROUPE_PROCESS_FAST_WATCHER_H_
