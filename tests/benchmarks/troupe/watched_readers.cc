#include "tests/benchmarks/troupe/watched_readers.h"

#include <cstdint>
#include <unordered_map>

#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/io_host.h"
#include "io/io_messages.h"
#include "io/resident.h"

namespace troupe {
namespace {

using Callbacks = std::unordered_map<uint64_t, const WatchedReaders::Callback*>;

FdObserver::behavior_type Watcher(
    Resident<FdObserver::base>* self, IoHost* host, IoActor io,
    std::shared_ptr<WatchedReaders::Readers> readers) {
  auto callbacks = std::make_shared<Callbacks>();
  auto arm = [=](WatchId watch) {
    host->watches().Arm(watch, Side::kRead, Interest::kReadable);
  };
  for (const auto& [fd, callback] : *readers) {
    self->request(io, caf::infinite, WatchFd{{}, fd, FdObserver(self), {}})
        .then([=, callback = &callback](const WatchStarted& started) {
          (*callbacks)[started.watch.value] = callback;
          arm(started.watch);
        });
  }
  return {
      [=](const FdReady& ready) {
        (*callbacks->at(ready.watch.value))();
        arm(ready.watch);
      },
      [](const WatchEnded&) {},
  };
}

}  // namespace

WatchedReaders::WatchedReaders() : system_(*System::Start(actors_)) {}

void WatchedReaders::Run() {
  FdObserver watcher =
      SpawnResident(system_->io().host(), Watcher, &system_->io().host(),
                    system_->io().actor(), readers_);
  stopped_.acquire();
  caf::anon_send_exit(watcher, caf::exit_reason::user_shutdown);
  caf::scoped_actor(actors_)->wait_for(watcher);  // its callbacks are not ours
}

}  // namespace troupe
