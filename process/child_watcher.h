// The five child watchers, asyncio's, behind one typed interface, ChildWatcher
// (process_messages.h).
//
//   auto watcher = SpawnChildWatcher(DefaultWatcherKind(), host, io, relay);
//   self->request(watcher, caf::infinite, WatchChild{pid, pidfd, observer});
//
//   kind         hears of an exit by           costs               asks for
//   pidfd        the child's pidfd             a descriptor each   that child
//   safe         SIGCHLD, from the relay       O(n) for an exit    its own
//   fast         SIGCHLD, from the relay       O(1) for an exit    anybody's
//   multi-loop   SIGCHLD, in a tap of its own  O(n) for an exit    its own
//   threaded     waitid(2)                     a thread each       that child
//
// What holds for all: an exit is told once, to the observer of the last
// WatchChild, wherever that lives: there is no loop to attach (V3). A child
// that ended before it was watched is told, too. The zombie stays until
// ReapChild, so that its pid and group mean it as long; only `fast` cannot keep
// that (fast_watcher.h). A status that somebody else took is told as
// ExitStatus::Lost(): a value of its own, 255 only for who asks ReturnCode.
// Another one's child is not touched, but by `fast`.
//
// A child is known by its pidfd, or by its pid alone, which is enough for one
// that is ours and that nobody else reaps. Whoever is no child of ours has a
// lost status: at once for those that ask by waitid(2), at its end for `pidfd`.
//
// When the observer dies, its children are forgotten: they are their lease's
// business (child_lease.h). When the watcher ends, each observer is told that
// its child is watched no more (ChildExited::unwatched), and nothing after it;
// those of SIGCHLD have a lease at the relay, which keeps them until
// CloseWatcher or their host's end. A relay that ends makes them inactive until
// AttachWatcher; of one that is told to close (CloseSignalRelay) they do not
// hear.
//
// Errors of WatchChild:
//   kAlreadyExists        `child 12 is watched already`, unless `replace` (C9)
//   kFailedPrecondition   `the safe child watcher is not attached` (P4)
//   kInvalidArgument      pid 0 or below; no observer, or in another program
//   kCancelled            unwatched, or the watcher detached, before it stood
//   kNotFound             pidfd: no such process (C11)
//
// The log is the host's debug sink, with asyncio's texts.
#ifndef TROUPE_PROCESS_CHILD_WATCHER_H_
#define TROUPE_PROCESS_CHILD_WATCHER_H_

#include "io/io_host.h"
#include "io/io_messages.h"
#include "process/process_messages.h"
#include "signals/signal_messages.h"

namespace troupe {

enum class WatcherKind { kPidfd, kSafe, kFast, kMultiLoop, kThreaded };

// kPidfd where it works, else kThreaded: neither needs a relay (V2).
WatcherKind DefaultWatcherKind();

// Resident on `host`, whose I/O actor `io` is; hidden. It begins to listen by
// itself; AskWatcher is answered when it does. The relay may be empty for those
// that need none.
ChildWatcher SpawnChildWatcher(WatcherKind kind, IoHost& host,
                               const IoActor& io, const SignalRelay& relay);

}  // namespace troupe

#endif  // TROUPE_PROCESS_CHILD_WATCHER_H_
