#include "process/child_watcher.h"

#include "process/fast_watcher.h"
#include "process/multi_loop_watcher.h"
#include "process/pidfd_watcher.h"
#include "process/safe_watcher.h"
#include "process/threaded_watcher.h"

namespace troupe {

WatcherKind DefaultWatcherKind() {
  return CanUsePidfd() ? WatcherKind::kPidfd : WatcherKind::kThreaded;
}

ChildWatcher SpawnChildWatcher(WatcherKind kind, IoHost& host,
                               const IoActor& io, const SignalRelay& relay) {
  switch (kind) {
    case WatcherKind::kSafe:
      return SpawnSafeWatcher(host, relay);
    case WatcherKind::kFast:
      return SpawnFastWatcher(host, io, relay);
    case WatcherKind::kMultiLoop:
      return SpawnMultiLoopWatcher(host, io, relay);
    case WatcherKind::kThreaded:
      return SpawnThreadedWatcher(host);
    case WatcherKind::kPidfd:
      break;
  }
  return SpawnPidfdWatcher(host, io);
}

}  // namespace troupe
