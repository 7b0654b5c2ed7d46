#include "process/sigchld_lease.h"

#include <signal.h>

#include "io/status_error.h"

namespace troupe {

void SigchldLease::Begin(ExitSource::Done done,
                         std::shared_ptr<SignalBuffer> tap) {
  WatcherState::Self* self = watcher_.self();
  self->monitor(relay_);
  self->request(
          relay_, caf::infinite,
          SubscribeToSignal{SIGCHLD, SignalObserver(self), std::move(tap)})
      .then([done](const Subscribed&) { done(absl::OkStatus()); },
            [done](const caf::error& why) { done(StatusOf(why)); });
}

void SigchldLease::End(ExitSource::Done done) {
  WatcherState::Self* self = watcher_.self();
  self->demonitor(relay_.address());
  self->request(relay_, caf::infinite,
                UnsubscribeFromSignal{SIGCHLD, SignalObserver(self)})
      .then([done](const Unsubscribed& ended) { done(ended.restored); },
            [done](const caf::error&) { done(absl::OkStatus()); });
}

}  // namespace troupe
