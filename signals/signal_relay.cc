#include "signals/signal_relay.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "caf/actor_addr.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "signals/signal_name.h"
#include "signals/signal_pipe.h"

namespace troupe {
namespace {

using Interface =
    SignalRelay::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

struct State {
  static constexpr const char* name = "signal-relay";

  // Destroyed with the actor, which restores the dispositions.
  std::shared_ptr<SignalPipe> pipe;
  // Subscribers of each signal, in order of subscription.
  std::map<int, std::vector<SignalObserver>> subscribers;
  std::vector<SignalDelivery> deliveries;
};

using Self = StatefulResident<Interface, State>;

bool Subscribes(const State& state, const SignalObserver& observer) {
  for (const auto& [number, observers] : state.subscribers) {
    for (const SignalObserver& o : observers) {
      if (o == observer) return true;
    }
  }
  return false;
}

// False if it was no subscriber.
bool Remove(State& state, int number, const caf::actor_addr& observer) {
  auto found = state.subscribers.find(number);
  if (found == state.subscribers.end()) return false;
  size_t gone = std::erase_if(found->second, [&](const SignalObserver& o) {
    return o.address() == observer;
  });
  if (gone == 0) return false;
  if (found->second.empty()) {
    state.subscribers.erase(found);
    // A handler that is no longer ours stays; there is nobody left to tell.
    (void)state.pipe->Release(number);
  }
  return true;
}

Unsubscribed Unsubscribe(Self* self, const UnsubscribeFromSignal& request) {
  const SignalObserver& observer = request.observer;
  if (!Remove(self->state, request.number, observer.address())) return {false};
  if (!Subscribes(self->state, observer)) self->demonitor(observer.address());
  return {true};
}

caf::result<Subscribed> Subscribe(Self* self,
                                  const SubscribeToSignal& request) {
  if (!request.observer) {
    return MakeError(absl::InvalidArgumentError("no observer"));
  }
  State& state = self->state;
  const bool known = Subscribes(state, request.observer);
  if (state.subscribers.count(request.number) == 0) {
    absl::Status caught = state.pipe->Catch(request.number);
    if (!caught.ok()) return MakeError(caught);
  }
  auto& observers = state.subscribers[request.number];
  for (const SignalObserver& observer : observers) {
    if (observer == request.observer) return Subscribed{};
  }
  observers.push_back(request.observer);
  if (!known) self->monitor(request.observer);
  return Subscribed{};
}

void Relay(Self* self) {
  State& state = self->state;
  state.deliveries.clear();
  state.pipe->Drain(state.deliveries);
  for (const SignalDelivery& delivery : state.deliveries) {
    auto found = state.subscribers.find(delivery.number);
    // Released while it was on its way (row S15).
    if (found == state.subscribers.end()) continue;
    const SignalReceived received{delivery, SignalName(delivery.number)};
    for (const SignalObserver& observer : found->second) {
      self->send(observer, received);
    }
  }
}

void Forget(Self* self, const caf::actor_addr& observer) {
  std::vector<int> numbers;
  for (const auto& entry : self->state.subscribers) {
    numbers.push_back(entry.first);
  }
  for (int number : numbers) Remove(self->state, number, observer);
}

Interface::behavior_type Behavior(Self* self, IoHost* host, IoActor io,
                                  std::shared_ptr<SignalPipe> pipe) {
  self->state.pipe = std::move(pipe);
  self->set_down_handler(
      [=](const caf::down_msg& down) { Forget(self, down.source); });
  auto arm = [=](WatchId watch) {
    host->watches().Arm(watch, Side::kRead, Interest::kReadable);
  };
  self->request(io, caf::infinite,
                WatchFd{{}, self->state.pipe->fd(), FdObserver(self), {}})
      .then([=](const WatchStarted& started) { arm(started.watch); });
  return {
      [=](const SubscribeToSignal& request) {
        AnswerRequestsOnly(self);
        return Subscribe(self, request);
      },
      [=](const UnsubscribeFromSignal& request) {
        AnswerRequestsOnly(self);
        return Unsubscribe(self, request);
      },
      [=](const FdReady& ready) {
        Relay(self);
        arm(ready.watch);
      },
      [=](const WatchEnded& ended) { self->quit(MakeError(ended.why)); },
  };
}

}  // namespace

absl::StatusOr<SignalRelay> SpawnSignalRelay(IoHost& host, const IoActor& io) {
  auto pipe = SignalPipe::Create();
  if (!pipe.ok()) return pipe.status();
  return SignalRelay(SpawnResident<caf::hidden>(
      host, Behavior, &host, io,
      std::shared_ptr<SignalPipe>(*std::move(pipe))));
}

}  // namespace troupe
