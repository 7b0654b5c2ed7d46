#include "actors/system.h"

#include <iostream>
#include <utility>

#include "absl/time/time.h"
#include "actors/debug_mode.h"
#include "actors/exception_handler.h"
#include "caf/actor_cast.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/atom.hpp"
#include "caf/defaults.hpp"
#include "caf/scoped_actor.hpp"
#include "io/resident.h"
#include "process/child_watcher.h"
#include "process/descriptor_limit.h"
#include "process/proc_reader.h"
#include "process/spawner.h"
#include "signals/signal_relay.h"
#include "signals/stop_on_signals.h"

namespace troupe {
namespace {

void WarnOfPolling(const caf::actor_system& actors) {
  caf::atom_value policy = caf::get_or(actors.config(), "scheduler.policy",
                                       caf::defaults::scheduler::policy);
  if (policy == caf::atom("sharing")) return;
  std::cerr << "troupe: the scheduler policy '" << caf::to_string(policy)
            << "' wakes up hundreds of times a second in an idle program; "
               "troupe::Config sets 'sharing'\n";
}

}  // namespace

absl::StatusOr<std::unique_ptr<System>> System::Start(
    caf::actor_system& actors) {
  WarnOfPolling(actors);
  absl::Status raised = RaiseDescriptorLimit();
  if (!raised.ok()) return raised;
  std::unique_ptr<System> system(new System(actors));
  auto spawner_thread = IoThread::Start(actors, {.name = "troupe.spawner"});
  if (!spawner_thread.ok()) return spawner_thread.status();
  system->spawner_thread_ = *std::move(spawner_thread);
  IoThread::Options options;
  if (DebugWanted()) options.debug = LogToStderr;
  auto io = IoThread::Start(actors, std::move(options));
  if (!io.ok()) return io.status();
  system->io_ = *std::move(io);
  IoHost& host = system->io_->host();
  const IoActor& io_actor = system->io_->actor();
  system->processes_ = {
      .host = &host,
      .io = io_actor,
      .spawner = SpawnSpawner(system->spawner_thread_->host()),
      .watcher = SpawnChildWatcher(DefaultWatcherKind(), host, io_actor, {}),
      .proc_reader = SpawnProcReader(actors)};
  return system;
}

// The children that the I/O thread's residents leave behind are the spawner's
// to end, so its thread goes last.
System::~System() {
  if (io_ != nullptr) {
    actors_.await_all_actors_done();
    io_->Stop();
  }
  processes_ = ProcessServices();
  relay_ = SignalRelay();
  if (spawner_thread_ != nullptr) spawner_thread_->Stop();
}

// A relay that was killed or closed has left its place to a new one.
absl::StatusOr<SignalRelay> System::Signals() {
  std::lock_guard<std::mutex> lock(relay_mutex_);
  auto relay = SpawnSignalRelay(io_->host(), io_->actor());
  if (!relay.ok() && relay_) {
    if (!HasEnded(caf::actor_cast<caf::strong_actor_ptr>(relay_))) {
      return relay_;
    }
    relay = SpawnSignalRelay(io_->host(), io_->actor());  // it ended meanwhile
  }
  if (relay.ok()) relay_ = *relay;
  return relay;
}

// The stopper ends with its observer, and lets the signals go.
absl::Status System::WaitForStop() {
  auto relay = Signals();
  if (!relay.ok()) return relay.status();
  caf::scoped_actor self(actors_);
  SpawnStopOnSignals(io_->host(), io_->actor(), *relay,
                     {.deadline = absl::InfiniteDuration()},
                     caf::actor_cast<StopObserver>(caf::actor(self)));
  absl::Status caught;
  self->receive([&](StopOnSignalsReady& ready) { caught = ready.status; });
  if (caught.ok()) self->receive([](const StopRequested&) {});
  return caught;
}

}  // namespace troupe
