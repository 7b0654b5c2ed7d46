#include "signals/signal_relay.h"

#include <fcntl.h>

#include <cerrno>
#include <iostream>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "caf/send.hpp"
#include "io/answer_requests.h"
#include "io/check_local.h"
#include "io/fd_ticket.h"
#include "io/os_error.h"
#include "io/owned_fd.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/watch_id.h"
#include "signals/disposition.h"
#include "signals/signal_buffer.h"
#include "signals/signal_name.h"
#include "signals/signal_pipe.h"

namespace troupe {
namespace {

using Interface =
    SignalRelay::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

struct State {
  static constexpr const char* name = "signal-relay";

  // With the actor, however it ends.
  ~State() {
    for (const HandlerKept& kept : ReleaseAll()) Report(kept);
  }

  bool closed() const { return pipe == nullptr; }
  bool Subscribes(const SignalObserver& observer) const;
  // Begins a lease; the first one of a number catches it.
  absl::Status Add(const SubscribeToSignal& request);
  // Ends a lease; OK if there is another one of this number.
  Unsubscribed Remove(int number, const caf::actor_addr& observer);
  std::vector<HandlerKept> ReleaseAll();
  void Report(const HandlerKept& kept) const;
  // Makes the pipe serve the leases that there are.
  void Reroute(int number);

  struct Lease {
    SignalObserver observer;
    std::shared_ptr<SignalBuffer> tap;  // null: the observer is told
  };

  std::shared_ptr<SignalPipe> pipe;
  SignalRelayOwner owner;
  WatchId watch;  // of the pipe's descriptor, when it is known
  // Of each signal, in order of subscription; no entry is empty.
  std::map<int, std::vector<Lease>> leases;
  std::vector<SignalDelivery> deliveries;
};

using Self = StatefulResident<Interface, State>;

bool State::Subscribes(const SignalObserver& observer) const {
  for (const auto& [number, of_number] : leases) {
    for (const Lease& lease : of_number) {
      if (lease.observer == observer) return true;
    }
  }
  return false;
}

// The route is there before the signal is caught: none goes elsewhere.
absl::Status State::Add(const SubscribeToSignal& request) {
  std::vector<Lease>& of_number = leases[request.number];
  const bool first = of_number.empty();
  std::erase_if(of_number, [&](const Lease& lease) {
    return lease.observer == request.observer;
  });
  of_number.push_back({request.observer, request.tap});
  Reroute(request.number);
  if (!first) return absl::OkStatus();
  absl::Status caught = pipe->Catch(request.number);
  if (caught.ok()) return caught;
  leases.erase(request.number);
  Reroute(request.number);
  return caught;
}

Unsubscribed State::Remove(int number, const caf::actor_addr& observer) {
  auto found = leases.find(number);
  if (found == leases.end()) return {};
  size_t gone = std::erase_if(found->second, [&](const Lease& lease) {
    return lease.observer.address() == observer;
  });
  if (gone == 0) return {};
  Unsubscribed answer{.was_subscribed = true, .restored = {}};
  if (found->second.empty()) {
    leases.erase(found);
    answer.restored = pipe->Release(number);
  }
  Reroute(number);
  return answer;
}

void State::Reroute(int number) {
  auto found = leases.find(number);
  bool to_owner = found == leases.end();
  SignalPipe::Taps taps;
  if (!to_owner) {
    for (const Lease& lease : found->second) {
      if (lease.tap != nullptr) taps.push_back(lease.tap);
    }
    to_owner = taps.size() < found->second.size();
  }
  pipe->SetRoute(number, to_owner, std::move(taps));
}

std::vector<HandlerKept> State::ReleaseAll() {
  std::vector<HandlerKept> kept;
  for (const auto& [number, of_number] : std::exchange(leases, {})) {
    absl::Status restored = pipe->Release(number);
    if (!restored.ok()) kept.push_back({number, std::move(restored)});
  }
  return kept;
}

void State::Report(const HandlerKept& kept) const {
  if (owner) {
    caf::anon_send(owner, kept);
  } else {
    std::cerr << "troupe: " << kept.why.message() << std::endl;
  }
}

void Relay(State& state, Self* self) {
  state.deliveries.clear();
  state.pipe->Drain(state.deliveries);
  for (const SignalDelivery& delivery : state.deliveries) {
    auto found = state.leases.find(delivery.number);
    // Released while it was on its way (row S15).
    if (found == state.leases.end()) continue;
    const SignalReceived received{delivery, SignalName(delivery.number)};
    for (const State::Lease& lease : found->second) {
      if (lease.tap == nullptr) self->send(lease.observer, received);
    }
  }
}

absl::Status CheckObserver(Self* self, const SignalObserver& observer) {
  if (!observer) return absl::InvalidArgumentError("no observer");
  return CheckLocal(observer, self->node(), "a signal");
}

absl::Status AddObserver(Self* self, const SubscribeToSignal& request) {
  State& state = self->state;
  absl::Status valid = CheckSignalNumber(request.number);
  if (valid.ok()) valid = CheckObserver(self, request.observer);
  if (!valid.ok()) return valid;
  if (state.closed()) {
    return absl::FailedPreconditionError(
        "Event loop is closed: its signal relay was told to close");
  }
  Relay(state, self);  // what came before is not for the new subscriber
  const bool known = state.Subscribes(request.observer);
  absl::Status added = state.Add(request);
  if (added.ok() && !known) self->monitor(request.observer);
  return added;
}

caf::result<Subscribed> Subscribe(Self* self,
                                  const SubscribeToSignal& request) {
  absl::Status added = AddObserver(self, request);
  if (!added.ok()) return MakeError(added);
  return Subscribed{};
}

bool IsRequest(Self* self) {
  return self->current_mailbox_element()->mid.is_request();
}

Unsubscribed Unsubscribe(Self* self, const UnsubscribeFromSignal& request) {
  State& state = self->state;
  const caf::actor_addr observer = request.observer.address();
  Unsubscribed answer = state.Remove(request.number, observer);
  if (!answer.was_subscribed) return answer;
  if (!state.Subscribes(request.observer)) self->demonitor(observer);
  if (!answer.restored.ok() && !IsRequest(self)) {
    state.Report({request.number, answer.restored});
  }
  return answer;
}

// The observer has died.
void Forget(State& state, const caf::actor_addr& observer) {
  std::vector<int> numbers;
  for (const auto& entry : state.leases) numbers.push_back(entry.first);
  for (int number : numbers) {
    Unsubscribed ended = state.Remove(number, observer);
    if (!ended.restored.ok()) state.Report({number, ended.restored});
  }
}

SignalRelayClosed Close(Self* self, const IoActor& io) {
  State& state = self->state;
  for (const auto& [number, of_number] : state.leases) {
    for (const State::Lease& lease : of_number) {
      self->demonitor(lease.observer.address());
    }
  }
  SignalRelayClosed answer{state.ReleaseAll()};
  if (!IsRequest(self)) {
    for (const HandlerKept& kept : answer.kept) state.Report(kept);
  }
  state.pipe.reset();
  if (state.watch != WatchId()) self->send(io, EndWatch{state.watch});
  return answer;
}

// The watch keeps the relay alive, so it ends when the relay is closed.
void Watch(Self* self, IoHost* host, const IoActor& io, FdTicket fd) {
  self->request(io, caf::infinite,
                WatchFd{std::move(fd), -1, FdObserver(self), {}})
      .then([=](const WatchStarted& started) {
        self->state.watch = started.watch;
        if (self->state.closed()) {
          self->send(io, EndWatch{started.watch});
        } else {
          host->watches().Arm(started.watch, Side::kRead, Interest::kReadable);
        }
      });
}

Interface::behavior_type Behavior(Self* self, IoHost* host, IoActor io,
                                  std::shared_ptr<SignalPipe> pipe, FdTicket fd,
                                  SignalRelayOwner owner) {
  State& state = self->state;
  state.pipe = std::move(pipe);
  state.owner = std::move(owner);
  self->set_down_handler(
      [&state](const caf::down_msg& down) { Forget(state, down.source); });
  Watch(self, host, io, std::move(fd));
  return {
      [=](const SubscribeToSignal& request) {
        AnswerRequestsOnly(self);
        return Subscribe(self, request);
      },
      [=](const UnsubscribeFromSignal& request) {
        AnswerRequestsOnly(self);
        return Unsubscribe(self, request);
      },
      [=](const CloseSignalRelay&) {
        AnswerRequestsOnly(self);
        return Close(self, io);
      },
      [=](const FdReady& ready) {
        if (self->state.closed()) return;
        Relay(self->state, self);
        host->watches().Arm(ready.watch, Side::kRead, Interest::kReadable);
      },
      [=](const WatchEnded& ended) { self->quit(MakeError(ended.why)); },
  };
}

}  // namespace

absl::StatusOr<SignalRelay> SpawnSignalRelay(IoHost& host, const IoActor& io,
                                             SignalRelayOwner owner) {
  auto pipe = SignalPipe::Create();
  if (!pipe.ok()) return pipe.status();
  // The I/O actor closes what it watches, at a time of its own.
  OwnedFd fd(fcntl((*pipe)->fd(), F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return OsError(errno, "fcntl F_DUPFD_CLOEXEC");
  return SignalRelay(SpawnResident<caf::hidden>(
      host, Behavior, &host, io, std::shared_ptr<SignalPipe>(*std::move(pipe)),
      FdTicket(std::move(fd)), std::move(owner)));
}

}  // namespace troupe
