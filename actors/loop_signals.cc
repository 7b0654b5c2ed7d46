#include "actors/loop_signals.h"

#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {

CallHandle LoopSignals::Add(int number, Callback callback, CodeLocation where) {
  absl::Status refused = calls_.Check(callback, "AddSignalHandler");
  // Each time: the relay that knew us may have ended.
  if (refused.ok()) refused = Subscribe(number);
  if (!refused.ok()) return CallHandle(std::move(refused));
  CallRef call = calls_.Repeatable(std::move(callback), where);
  CallRef& handler = handlers_[number];
  if (handler) handler->Cancel();
  handler = call;
  return CallHandle(call.release());
}

bool LoopSignals::Remove(int number) {
  auto found = handlers_.find(number);
  if (found == handlers_.end()) return false;
  CallRef handler = std::move(found->second);
  handlers_.erase(found);
  handler->Cancel();
  Unsubscribe(number);
  return true;
}

void LoopSignals::Clear() {
  while (!handlers_.empty()) Remove(handlers_.begin()->first);
  observer_ = SignalObserver();
}

absl::Status LoopSignals::Subscribe(int number) {
  auto relay = system_.Signals();
  if (!relay.ok()) return relay.status();
  relay_ = *std::move(relay);
  if (!observer_) {
    observer_ = SpawnResident<caf::hidden>(
        host_, [this](Resident<SignalObserver::base>*) {
          return SignalObserver::behavior_type{
              [this](const SignalReceived& got) { OnSignal(got.delivery); }};
        });
  }
  absl::Status status;
  caf::scoped_actor self(system_.actors());
  self->request(relay_, caf::infinite, SubscribeToSignal{number, observer_})
      .receive([](const Subscribed&) {},
               [&](const caf::error& why) { status = StatusOf(why); });
  return status;
}

void LoopSignals::Unsubscribe(int number) {
  caf::scoped_actor self(system_.actors());
  self->request(relay_, caf::infinite, UnsubscribeFromSignal{number, observer_})
      .receive([](const Unsubscribed&) {}, [](const caf::error&) {});
}

void LoopSignals::OnSignal(const SignalDelivery& delivery) {
  auto found = handlers_.find(delivery.number);
  if (found == handlers_.end()) return;
  if (found->second->cancelled()) {
    Remove(delivery.number);  // row S17
    return;
  }
  for (uint64_t run = 0; run < delivery.count; ++run) {
    calls_.Append(*found->second.get());
  }
}

}  // namespace troupe
