#include "actors/loop_actor.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/loop.h"
#include "caf/actor_addr.hpp"
#include "io/answer_requests.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

struct State {
  static constexpr const char* name = "loop";

  // The calls know the state, and nobody could cancel them any more.
  ~State() {
    for (auto& [timer, call] : calls) call.Cancel();
  }

  struct Role {
    int fd;
    Side side;
    uint64_t token;
  };
  std::unordered_map<uint64_t, CallHandle> calls;  // by TimerId
  std::unordered_map<caf::actor_addr, std::vector<Role>> observers;
};

using Self = StatefulResident<LoopActor, State>;

// `what` may run many times, if there is a period.
void Schedule(Self* self, Loop* loop, TimerId timer, absl::Duration delay,
              absl::Duration period, std::function<void()> what) {
  State& state = self->state;
  if (auto found = state.calls.find(timer.value); found != state.calls.end()) {
    found->second.Cancel();
    state.calls.erase(found);
  }
  CallHandle handle;
  if (period > absl::ZeroDuration()) {
    handle = loop->CallEveryFrom(loop->Time() + delay, period, std::move(what));
  } else if (timer) {
    handle = loop->CallLater(delay, [&state, timer, what = std::move(what)] {
      state.calls.erase(timer.value);
      what();
    });
  } else {
    handle = loop->CallLater(delay, std::move(what));
  }
  if (timer) state.calls[timer.value] = std::move(handle);
}

CallCancelled Cancel(Self* self, TimerId timer) {
  auto found = self->state.calls.find(timer.value);
  if (found == self->state.calls.end()) return {false};
  CallHandle handle = std::move(found->second);
  self->state.calls.erase(found);
  return {handle.Cancel()};
}

caf::result<WatchStarted> Add(Self* self, Loop* loop, int fd, Side side,
                              const FdObserver& observer) {
  AnswerRequestsOnly(self);
  auto added = side == Side::kRead ? loop->AddReader(fd, observer)
                                   : loop->AddWriter(fd, observer);
  if (!added.ok()) return MakeError(added.status());
  auto& roles = self->state.observers[observer.address()];
  if (roles.empty()) self->monitor(observer);
  std::erase_if(roles, [&](const State::Role& role) {
    return role.fd == fd && role.side == side;
  });
  roles.push_back({fd, side, added->token});
  return WatchStarted{added->watch, fd};
}

void Drop(Self* self, Loop* loop, const caf::actor_addr& observer) {
  auto found = self->state.observers.find(observer);
  if (found == self->state.observers.end()) return;
  for (const State::Role& role : found->second) {
    loop->RemoveRegistration(role.fd, role.side, role.token);
  }
  self->state.observers.erase(found);
}

LoopActor::behavior_type Behavior(Self* self, Loop* loop) {
  self->set_down_handler(
      [=](const caf::down_msg& down) { Drop(self, loop, down.source); });
  return {
      [=](CallSoon& call) { loop->CallSoon(std::move(call.callback)); },
      [=](CallLater& call) {
        Schedule(self, loop, call.timer, call.delay, call.period,
                 std::move(call.callback));
      },
      [=](SendLater& send) {
        if (send.to == nullptr) return;
        Schedule(self, loop, send.timer, send.delay, send.period,
                 [to = std::move(send.to), message = std::move(send.message)] {
                   to->enqueue(nullptr, caf::make_message_id(), message,
                               nullptr);
                 });
      },
      [=](const CancelCall& cancel) {
        AnswerRequestsOnly(self);
        return Cancel(self, cancel.timer);
      },
      [=](const AddReader& add) {
        return Add(self, loop, add.fd, Side::kRead, add.observer);
      },
      [=](const AddWriter& add) {
        return Add(self, loop, add.fd, Side::kWrite, add.observer);
      },
      [=](const ArmWatch& arm) { loop->ArmWatch(arm.watch, arm.side); },
      [=](const RemoveReader& remove) {
        AnswerRequestsOnly(self);
        return Removed{loop->RemoveReader(remove.fd)};
      },
      [=](const RemoveWriter& remove) {
        AnswerRequestsOnly(self);
        return Removed{loop->RemoveWriter(remove.fd)};
      },
      [=](const StopLoop&) { loop->Stop(); },
      [=](const GetLoopMetrics&) {
        AnswerRequestsOnly(self);
        return loop->Metrics();
      },
  };
}

}  // namespace

LoopActor SpawnLoopActor(Loop& loop) {
  return SpawnResident<caf::hidden>(loop.host(), Behavior, &loop);
}

}  // namespace troupe
