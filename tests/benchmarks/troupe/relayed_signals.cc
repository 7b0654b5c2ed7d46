#include "tests/benchmarks/troupe/relayed_signals.h"

#include <cstdlib>
#include <utility>

#include "caf/exit_reason.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/resident.h"

namespace troupe {
namespace {

SignalObserver::behavior_type Handlers(RelayedSignals::Callback callback) {
  return {[=](const SignalReceived& got) {
    for (uint64_t run = 0; run < got.delivery.count; ++run) callback();
  }};
}
SignalObserver::behavior_type OnIoThread(Resident<SignalObserver::base>*,
                                         RelayedSignals::Callback callback) {
  return Handlers(std::move(callback));
}
SignalObserver::behavior_type OnWorker(SignalObserver::pointer,
                                       RelayedSignals::Callback callback) {
  return Handlers(std::move(callback));
}

}  // namespace

RelayedSignals::RelayedSignals() : system_(*System::Start(actors_)) {}

RelayedSignals::~RelayedSignals() {
  for (const SignalObserver& observer : observers_) {
    caf::anon_send_exit(observer, caf::exit_reason::user_shutdown);
  }
}

void RelayedSignals::Subscribe(int number, const SignalObserver& observer) {
  observers_.push_back(observer);
  caf::scoped_actor self(actors_);
  self->request(*system_->Signals(), caf::infinite,
                SubscribeToSignal{number, observer})
      .receive([](const Subscribed&) {}, [](const caf::error&) { abort(); });
}

void SignalsToResidents::OnSignal(int number, Callback callback) {
  Subscribe(number, SpawnResident(host(), OnIoThread, std::move(callback)));
}

void SignalsToWorkers::OnSignal(int number, Callback callback) {
  Subscribe(number, actors_.spawn(OnWorker, std::move(callback)));
}

}  // namespace troupe
