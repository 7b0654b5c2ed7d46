#include "io/io_actor.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "caf/actor_addr.hpp"
#include "io/actor_sink.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

struct State {
  static constexpr const char* name = "io";

  struct Role {
    WatchId watch;
    Side side;
  };
  // What each observer watches, the oldest first: a watch's number is higher
  // than all before. Monitored as long as it is listed.
  std::unordered_map<caf::actor_addr, std::vector<Role>> observers;
  std::unordered_map<uint64_t, std::vector<caf::actor_addr>> watchers;
};

using Self = StatefulResident<IoActor, State>;

void Remember(Self* self, const FdObserver& observer, WatchId watch,
              Side side) {
  if (!observer) return;
  auto& roles = self->state.observers[observer.address()];
  if (roles.empty()) self->monitor(observer);
  roles.push_back({watch, side});
  self->state.watchers[watch.value].push_back(observer.address());
}

void Forget(Self* self, WatchId watch) {
  auto found = self->state.watchers.find(watch.value);
  if (found == self->state.watchers.end()) return;
  for (const caf::actor_addr& observer : found->second) {
    auto entry = self->state.observers.find(observer);
    if (entry == self->state.observers.end()) continue;
    auto& roles = entry->second;
    const auto first =
        std::lower_bound(roles.begin(), roles.end(), watch.value,
                         [](const State::Role& role, uint64_t number) {
                           return role.watch.value < number;
                         });
    auto last = first;
    while (last != roles.end() && last->watch == watch) ++last;
    roles.erase(first, last);
    if (!roles.empty()) continue;
    self->demonitor(observer);
    self->state.observers.erase(entry);
  }
  self->state.watchers.erase(found);
}

caf::result<WatchStarted> Watch(Self* self, IoHost& host, WatchFd& request) {
  if (!request.reader && !request.writer) {
    return MakeError(absl::InvalidArgumentError("a watch without observer"));
  }
  WatchTable& table = host.watches();
  auto reader = MakeActorSink(request.reader, host);
  auto writer = MakeActorSink(request.writer, host);
  OwnedFd fd = request.fd.Take();
  int number = fd.valid() ? fd.get() : request.borrowed;
  auto id = fd.valid() ? table.Add(fd, std::move(reader), std::move(writer))
                       : table.AddBorrowed(number, std::move(reader),
                                           std::move(writer));
  if (!id.ok()) {
    request.fd.Return(std::move(fd));
    return MakeError(id.status());
  }
  Remember(self, request.reader, *id, Side::kRead);
  Remember(self, request.writer, *id, Side::kWrite);
  return WatchStarted{*id, number};
}

void DropObserver(Self* self, IoHost& host, const caf::actor_addr& observer) {
  auto found = self->state.observers.find(observer);
  if (found == self->state.observers.end()) return;
  auto roles = std::move(found->second);
  self->state.observers.erase(found);
  for (const State::Role& role : roles) {
    host.watches().Drop(role.watch, role.side);
    auto others = self->state.watchers.find(role.watch.value);
    if (others == self->state.watchers.end()) continue;
    std::erase(others->second, observer);
    if (others->second.empty()) self->state.watchers.erase(others);
  }
}

IoActor::behavior_type Behavior(Self* self, IoHost* host) {
  self->set_down_handler([=](const caf::down_msg& down) {
    DropObserver(self, *host, down.source);
  });
  return {
      [=](WatchFd& request) { return Watch(self, *host, request); },
      [=](const ArmFd& arm) {
        host->watches().Arm(arm.watch, arm.side, arm.interest, arm.still_ready);
      },
      [=](const EndWatch& end) {
        host->watches().End(end.watch);
        Forget(self, end.watch);
      },
      [=](const StartTimer& start) {
        host->StartTimer(start.timer, start.after,
                         caf::actor_cast<caf::weak_actor_ptr>(start.observer));
      },
      [=](const CancelTimer& cancel) { host->CancelTimer(cancel.timer); },
  };
}

}  // namespace

IoActor SpawnIoActor(IoHost& host) {
  return SpawnResident<caf::hidden>(host, Behavior, &host);
}

}  // namespace troupe
