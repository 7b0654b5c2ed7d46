#include "process/pidfd_watcher.h"

#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "caf/actor_addr.hpp"
#include "caf/typed_response_promise.hpp"
#include "io/resident.h"
#include "io/status_error.h"
#include "process/reap.h"

namespace troupe {
namespace {

using Interface =
    ChildWatcher::extend<caf::reacts_to<FdReady>, caf::reacts_to<WatchEnded>>;

struct Child {
  SharedFd pidfd;
  ChildObserver observer;
  WatchId watch;
};

struct State {
  static constexpr const char* name = "pidfd-watcher";

  std::unordered_map<pid_t, Child> children;
  std::unordered_map<uint64_t, pid_t> by_watch;
  // How many children each observer watches; monitored while it is listed.
  std::unordered_map<caf::actor_addr, int> observers;
};

using Self = StatefulResident<Interface, State>;

void Monitor(Self* self, const ChildObserver& observer) {
  if (++self->state.observers[observer.address()] == 1) self->monitor(observer);
}

void StopMonitoring(Self* self, const ChildObserver& observer) {
  if (--self->state.observers[observer.address()] > 0) return;
  self->state.observers.erase(observer.address());
  self->demonitor(observer.address());
}

void EndWatchOf(Self* self, const IoActor& io, Child& child) {
  if (child.watch.value == 0) return;
  self->send(io, EndWatch{child.watch});
  self->state.by_watch.erase(child.watch.value);
  child.watch = WatchId();
}

void Release(Self* self, const IoActor& io, pid_t pid, bool reap) {
  auto found = self->state.children.find(pid);
  if (found == self->state.children.end()) return;
  EndWatchOf(self, io, found->second);
  if (reap) (void)Reap(found->second.pidfd->get());
  ChildObserver observer = std::move(found->second.observer);
  self->state.children.erase(found);
  StopMonitoring(self, observer);
}

caf::result<WatchingChild> Watch(Self* self, IoHost* host, const IoActor& io,
                                 WatchChild& request) {
  pid_t pid = request.pid;
  if (self->state.children.count(pid) != 0) {
    return MakeError(absl::AlreadyExistsError(
        absl::StrCat("child ", pid, " is watched already")));
  }
  Monitor(self, request.observer);
  int fd = request.pidfd->get();
  self->state.children[pid] =
      Child{std::move(request.pidfd), std::move(request.observer), {}};
  auto promise = self->make_response_promise<WatchingChild>();
  self->request(io, caf::infinite, WatchFd{{}, fd, FdObserver(self), {}})
      .then(
          [=](const WatchStarted& started) mutable {
            auto found = self->state.children.find(pid);
            if (found == self->state.children.end()) {  // its observer died
              self->send(io, EndWatch{started.watch});
              return;
            }
            found->second.watch = started.watch;
            self->state.by_watch[started.watch.value] = pid;
            promise.deliver(WatchingChild{});
            host->watches().Arm(started.watch, Side::kRead,
                                Interest::kReadable);
          },
          [=](const caf::error& why) mutable {
            Release(self, io, pid, /*reap=*/false);
            promise.deliver(why);
          });
  return promise;
}

void Poll(Self* self, IoHost* host, const IoActor& io, WatchId watch) {
  auto found = self->state.by_watch.find(watch.value);
  if (found == self->state.by_watch.end()) return;
  pid_t pid = found->second;
  Child& child = self->state.children[pid];
  auto report = PollExit(child.pidfd->get());
  if (report.ok() && !report->has_value()) {
    host->watches().Arm(watch, Side::kRead, Interest::kReadable);
    return;
  }
  ExitReport lost;  // waitid refused: how it ended is not known
  self->send(child.observer, ChildExited{pid, report.ok() ? **report : lost});
  EndWatchOf(self, io, child);
}

Interface::behavior_type Behavior(Self* self, IoHost* host, IoActor io) {
  // A child whose observer died is its lease's business.
  self->set_down_handler([=](const caf::down_msg& down) {
    std::vector<pid_t> orphans;
    for (const auto& [pid, child] : self->state.children) {
      if (child.observer.address() == down.source) orphans.push_back(pid);
    }
    for (pid_t pid : orphans) Release(self, io, pid, /*reap=*/false);
  });
  return {
      [=](WatchChild& request) { return Watch(self, host, io, request); },
      [=](const ReapChild& request) {
        Release(self, io, request.pid, /*reap=*/true);
      },
      [=](const FdReady& ready) { Poll(self, host, io, ready.watch); },
      [=](const WatchEnded&) {},
  };
}

}  // namespace

ChildWatcher SpawnPidfdWatcher(IoHost& host, const IoActor& io) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io);
}

}  // namespace troupe
