#include "actors/sock_actor.h"

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actors/sock_operations.h"
#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "caf/response_promise.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

struct State {
  static constexpr const char* name = "socks";

  std::optional<SockOperations> socks;
  std::unordered_map<caf::actor_addr, std::vector<SockHandle>> asked;
};

using Self = StatefulResident<SockActor, State>;

// A promise that is answered in any case: CAF's are silent when dropped.
template <class Fact>
class Answer {
 public:
  explicit Answer(Self* self) {
    AnswerRequestsOnly(self);
    promise_ = self->make_response_promise<Fact>();
  }
  Answer(Answer&& other) noexcept
      : promise_(std::exchange(other.promise_, {})) {}
  ~Answer() {
    caf::response_promise& promise = promise_;
    if (promise.pending()) {
      Refuse(absl::CancelledError("the socket operation was cancelled"));
    }
  }

  const caf::typed_response_promise<Fact>& promise() const { return promise_; }
  void Give(Fact fact) { promise_.deliver(std::move(fact)); }
  void Refuse(const absl::Status& why) { promise_.deliver(MakeError(why)); }

 private:
  caf::typed_response_promise<Fact> promise_;
};

const absl::Status& StatusIn(const absl::Status& outcome) { return outcome; }
template <class T>
const absl::Status& StatusIn(const absl::StatusOr<T>& outcome) {
  return outcome.status();
}

void Remember(Self* self, const caf::strong_actor_ptr& asker,
              SockHandle handle) {
  if (asker == nullptr || !handle.waiting()) return;
  auto [found, is_new] =
      self->state.asked.try_emplace(caf::actor_cast<caf::actor_addr>(asker));
  if (is_new) self->monitor(asker);
  auto& handles = found->second;
  std::erase_if(handles, [](const SockHandle& h) { return !h.waiting(); });
  handles.push_back(std::move(handle));
}

void CancelOf(Self* self, const caf::actor_addr& asker) {
  auto found = self->state.asked.find(asker);
  if (found == self->state.asked.end()) return;
  auto handles = std::move(found->second);
  self->state.asked.erase(found);
  for (SockHandle& handle : handles) handle.Cancel();
}

// Asks for an operation by `start(socks, done)`; what `done` is told becomes a
// Fact by `fact(outcome)`.
template <class Fact, class Outcome, class Start, class MakeFact>
caf::typed_response_promise<Fact> Do(Self* self, Start start, MakeFact fact) {
  const caf::strong_actor_ptr asker = self->current_sender();
  Answer<Fact> answer(self);
  auto promise = answer.promise();
  SockHandle handle =
      start(*self->state.socks,
            [answer = std::move(answer), fact](Outcome outcome) mutable {
              if (!StatusIn(outcome).ok()) {
                answer.Refuse(StatusIn(outcome));
              } else {
                answer.Give(fact(outcome));
              }
            });
  Remember(self, asker, std::move(handle));
  return promise;
}

SockActor::behavior_type Behavior(Self* self, Loop* loop) {
  self->state.socks.emplace(*loop);
  self->set_down_handler(
      [=](const caf::down_msg& down) { CancelOf(self, down.source); });
  return {
      [=](const SockRecv& recv) {
        return Do<SockReceived, absl::StatusOr<Bytes>>(
            self,
            [&](SockOperations& socks, auto done) {
              return socks.Recv(recv.fd, recv.max, std::move(done));
            },
            [](auto& got) { return SockReceived{*std::move(got)}; });
      },
      [=](const SockSendAll& send) {
        return Do<SockSent, absl::Status>(
            self,
            [&](SockOperations& socks, auto done) {
              return socks.SendAll(send.fd, send.bytes, std::move(done));
            },
            [](auto&) { return SockSent(); });
      },
      [=](const SockConnect& connect) {
        return Do<SockConnected, absl::Status>(
            self,
            [&](SockOperations& socks, auto done) {
              return socks.Connect(connect.fd, connect.address,
                                   std::move(done));
            },
            [](auto&) { return SockConnected(); });
      },
      [=](const SockAccept& accept) {
        return Do<SockAccepted, absl::StatusOr<AcceptedSocket>>(
            self,
            [&](SockOperations& socks, auto done) {
              return socks.Accept(accept.fd, std::move(done));
            },
            [](auto& got) {
              return SockAccepted{FdTicket(std::move(got->fd)), got->peer};
            });
      },
      [=](const CancelSock& cancel) {
        self->state.socks->EndAll(
            cancel.fd,
            absl::CancelledError("the socket operation was cancelled"));
      },
  };
}

}  // namespace

SockActor SpawnSockActor(Loop& loop) {
  return SpawnResident<caf::hidden>(loop.host(), Behavior, &loop);
}

}  // namespace troupe
