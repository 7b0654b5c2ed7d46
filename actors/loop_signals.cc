#include "actors/loop_signals.h"

#include <string>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "caf/system_messages.hpp"
#include "caf/typed_event_based_actor.hpp"
#include "io/readiness.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/watch_table.h"

namespace troupe {

// Reads in the iteration that hears of it, among the other calls.
class LoopSignals::Sink final : public ReadinessSink {
 public:
  explicit Sink(LoopSignals& owner) : owner_(owner) {}

  void OnReady(WatchId watch, Side side, Readiness) override {
    owner_.calls_.Append(*owner_.drain_.get());
    owner_.host_.watches().Arm(watch, side, Interest::kReadable);
  }
  void OnEnded(WatchId, absl::Status) override {}
  std::string Describe() const override { return "<the loop's signals>"; }

 private:
  LoopSignals& owner_;
};

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
  relay_ = SignalRelay();
  if (tap_ == nullptr) return;
  host_.watches().End(watch_);
  drain_->Cancel();
  tap_.reset();
}

absl::Status LoopSignals::Listen() {
  if (tap_ != nullptr) return absl::OkStatus();
  auto tap = SignalBuffer::Create();
  if (!tap.ok()) return tap.status();
  auto watch = host_.watches().AddBorrowed(
      (*tap)->fd(), std::make_unique<Sink>(*this), nullptr);
  if (!watch.ok()) return watch.status();
  tap_ = *std::move(tap);
  watch_ = *watch;
  drain_ = calls_.Repeatable([this] { Drain(); }, CodeLocation::Here());
  host_.watches().Arm(watch_, Side::kRead, Interest::kReadable);
  return absl::OkStatus();
}

absl::Status LoopSignals::UseRelay() {
  if (system_.io().host().OnThread()) {
    return absl::FailedPreconditionError(
        "AddSignalHandler would wait for its own thread, which runs the signal "
        "relay");
  }
  auto relay = system_.Signals();
  if (!relay.ok()) return relay.status();
  if (*relay == relay_) return absl::OkStatus();
  relay_ = *std::move(relay);
  observer_ = SpawnResident<caf::hidden>(
      host_, [this, relay = relay_](Resident<SignalObserver::base>* self) {
        self->set_down_handler([this](caf::down_msg&) { OnRelayEnded(); });
        self->monitor(relay);
        return SignalObserver::behavior_type{[](const SignalReceived&) {}};
      });
  return absl::OkStatus();
}

void LoopSignals::OnRelayEnded() {
  std::map<int, absl::Status> lost;
  for (const auto& [number, handler] : handlers_) {
    absl::Status status = Subscribe(number);
    if (!status.ok()) lost.emplace(number, std::move(status));
  }
  for (const auto& [number, why] : lost) {
    auto found = handlers_.find(number);
    if (found == handlers_.end()) continue;  // on_lost_ did that
    found->second->Cancel();
    handlers_.erase(found);
    on_lost_(number, why);
  }
}

absl::Status LoopSignals::Subscribe(int number) {
  absl::Status status = UseRelay();
  if (status.ok()) status = Listen();
  if (!status.ok()) return status;
  caf::scoped_actor self(system_.actors());
  self->request(relay_, caf::infinite,
                SubscribeToSignal{number, observer_, tap_})
      .receive([](const Subscribed&) {},
               [&](const caf::error& why) { status = StatusOf(why); });
  return status;
}

void LoopSignals::Unsubscribe(int number) {
  if (system_.io().host().OnThread()) {  // it cannot wait for itself
    caf::anon_send(relay_, UnsubscribeFromSignal{number, observer_});
    return;
  }
  caf::scoped_actor self(system_.actors());
  self->request(relay_, caf::infinite, UnsubscribeFromSignal{number, observer_})
      .receive([](const Unsubscribed&) {}, [](const caf::error&) {});
}

void LoopSignals::Drain() {
  deliveries_.clear();
  tap_->Drain(deliveries_);
  for (const SignalDelivery& delivery : deliveries_) OnSignal(delivery);
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
