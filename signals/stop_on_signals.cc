#include "signals/stop_on_signals.h"

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "caf/actor_cast.hpp"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/timer_id.h"

namespace troupe {
namespace {

using Clock = std::chrono::steady_clock;
using Interface = SignalObserver::extend_with<TimerObserver>;

class State {
 public:
  static constexpr const char* name = "stop-on-signals";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}

  void Begin(IoActor io, const SignalRelay& relay, StopOnSignalsOptions options,
             StopObserver observer);
  void OnSignal(const SignalReceived& signal);
  void OnDeadline() { Force(StopCause::kDeadline, request_); }

 private:
  enum class Phase { kSubscribing, kListening, kRequested };

  void Ready(absl::Status status);
  void Request(const SignalReceived& signal);
  void Force(StopCause why, const SignalReceived& signal);

  Self* self_;
  // Itself: without a relay that still knows it, nobody else would keep it
  // until the deadline.
  Interface alive_;
  IoActor io_;
  StopOnSignalsOptions options_;
  StopObserver observer_;
  Phase phase_ = Phase::kSubscribing;
  size_t subscribed_ = 0;
  std::vector<SignalReceived> early_;  // before all were subscribed
  SignalReceived request_;
  Clock::time_point requested_at_;
};

void State::Begin(IoActor io, const SignalRelay& relay,
                  StopOnSignalsOptions options, StopObserver observer) {
  alive_ = Interface(self_);
  io_ = std::move(io);
  options_ = std::move(options);
  observer_ = std::move(observer);
  self_->set_down_handler([this](const caf::down_msg&) { self_->quit(); });
  self_->monitor(observer_);
  if (options_.signals.empty()) Ready({});
  for (int number : options_.signals) {
    self_
        ->request(relay, caf::infinite,
                  SubscribeToSignal{number, SignalObserver(self_)})
        .then(
            [this](const Subscribed&) {
              if (++subscribed_ == options_.signals.size()) Ready({});
            },
            [this](const caf::error& why) { Ready(StatusOf(why)); });
  }
}

// An actor that has quit gets no more answers, so it says one thing.
void State::Ready(absl::Status status) {
  self_->send(observer_, StopOnSignalsReady{status});
  if (!status.ok()) return self_->quit();
  phase_ = Phase::kListening;
  for (const SignalReceived& signal : std::exchange(early_, {})) {
    OnSignal(signal);
  }
}

void State::OnSignal(const SignalReceived& signal) {
  switch (phase_) {
    case Phase::kSubscribing:
      return early_.push_back(signal);
    case Phase::kListening:
      return Request(signal);
    case Phase::kRequested:
      if (absl::FromChrono(Clock::now() - requested_at_) < options_.one_press) {
        return;
      }
      return Force(StopCause::kSecondSignal, signal);
  }
}

void State::Request(const SignalReceived& signal) {
  phase_ = Phase::kRequested;
  request_ = signal;
  requested_at_ = Clock::now();
  self_->send(observer_, StopRequested{signal});
  if (options_.deadline < absl::InfiniteDuration()) {
    self_->send(io_, StartTimer{TimerId::Next(), options_.deadline,
                                TimerObserver(self_)});
  }
}

// The leases end with their observer: this actor.
void State::Force(StopCause why, const SignalReceived& signal) {
  self_->send(observer_, StopForced{why, signal});
  self_->quit();
}

Interface::behavior_type Behavior(StatefulResident<Interface, State>* self,
                                  IoActor io, SignalRelay relay,
                                  StopOnSignalsOptions options,
                                  StopObserver observer) {
  State* state = &self->state;
  state->Begin(std::move(io), relay, std::move(options), std::move(observer));
  return {
      [=](const SignalReceived& got) { state->OnSignal(got); },
      [=](const TimerFired&) { state->OnDeadline(); },
  };
}

}  // namespace

caf::actor SpawnStopOnSignals(IoHost& host, const IoActor& io,
                              const SignalRelay& relay,
                              StopOnSignalsOptions options,
                              StopObserver observer) {
  return caf::actor_cast<caf::actor>(SpawnResident<caf::hidden>(
      host, Behavior, io, relay, std::move(options), std::move(observer)));
}

}  // namespace troupe
