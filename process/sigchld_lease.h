// A child watcher's subscription to SIGCHLD at the signal relay.
//
// One for each attachment. Any number of watchers may have one: a SIGCHLD says
// that somebody has ended, never who, because the kernel merges them.
#ifndef TROUPE_PROCESS_SIGCHLD_LEASE_H_
#define TROUPE_PROCESS_SIGCHLD_LEASE_H_

#include <memory>
#include <utility>

#include "caf/actor_addr.hpp"
#include "process/exit_source.h"
#include "process/watcher_state.h"
#include "signals/signal_buffer.h"
#include "signals/signal_messages.h"

namespace troupe {

class SigchldLease {
 public:
  SigchldLease(WatcherState& watcher, SignalRelay relay)
      : watcher_(watcher), relay_(std::move(relay)) {}

  // Calls `done` when SIGCHLD is caught, or with why it is not.
  void Begin(ExitSource::Done done, std::shared_ptr<SignalBuffer> tap = {});
  // Calls `done` when it is let go, with whether what was there before is
  // restored.
  void End(ExitSource::Done done);
  bool IsOf(const caf::actor_addr& who) const {
    return relay_.address() == who;
  }

 private:
  WatcherState& watcher_;
  SignalRelay relay_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_SIGCHLD_LEASE_H_
