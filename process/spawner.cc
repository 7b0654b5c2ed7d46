#include "process/spawner.h"

#include <signal.h>

#include <memory>
#include <unordered_map>
#include <utility>

#include "caf/allowed_unsafe_message_type.hpp"
#include "io/status_error.h"
#include "io/tell.h"
#include "process/child_lease.h"
#include "process/child_signal.h"
#include "process/exit_waiter.h"
#include "process/reap.h"
#include "process/sigchld_mask.h"
#include "process/spawn.h"

namespace troupe {

// To the spawner from its leases: nobody answers for the child any more.
struct AbandonChild {
  std::shared_ptr<ChildLease> child;  // its end kills and reaps, see EndChild
};

// To itself: the child may not be killed.
struct LeaveChild {
  pid_t pid = -1;
  SharedFd pidfd;

  ChildId id() const { return ChildId::Of(pid, pidfd->get()); }
};
struct LeftChildEnded {
  pid_t pid = -1;
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AbandonChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::LeaveChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::LeftChildEnded)

namespace troupe {
namespace {

using Interface =
    Spawner::extend<caf::reacts_to<AbandonChild>, caf::reacts_to<LeaveChild>,
                    caf::reacts_to<LeftChildEnded>>;

// Children that may not be killed (set-user-id, row V10) and that nobody
// answers for: each is waited for by a thread, so that it is reaped when it
// ends. What runs when the spawner ends stays, and is its next parent's.
class State {
 public:
  static constexpr const char* name = "spawner";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}
  ~State() {
    while (!left_.empty()) ReapLeft(left_.begin()->first);
  }

  void Leave(const LeaveChild& child) {
    const pid_t pid = child.pid;
    auto thread = ExitWaiter::Start(
        child.id(), [pid, self = caf::weak_actor_ptr(self_->ctrl())] {
          Tell(self, LeftChildEnded{pid});
        });
    if (thread.ok()) left_[pid] = {child, *std::move(thread)};
  }
  void ReapLeft(pid_t pid) {
    auto found = left_.find(pid);
    if (found == left_.end()) return;
    found->second.thread.reset();
    (void)Reap(found->second.child.id());
    left_.erase(found);
  }

 private:
  struct Left {
    LeaveChild child;
    std::unique_ptr<ExitWaiter> thread;
  };

  Self* self_;
  std::unordered_map<pid_t, Left> left_;
};

using Self = StatefulResident<Interface, State>;

// Kill first, while the zombie-to-be pins the group's number, then reap. A
// child that has ended meanwhile is only reaped; its zombie, too, may be one
// that we may not signal.
void EndChild(const caf::weak_actor_ptr& spawner, pid_t pid, SharedFd pidfd,
              bool own_group) {
  if (own_group) (void)SignalGroupOf(pid, pidfd->get(), SIGKILL);
  if (RemoveChild(pid, pidfd->get())) return;
  LeaveChild left{pid, std::move(pidfd)};
  if (!Reap(left.id()).ok()) Tell(spawner, std::move(left));
}

// Wherever the message is dropped the child ends: on the spawner's thread, or
// on the sender's if the spawner is gone, because nobody else can then.
ChildLease::Abandon AbandonThrough(caf::weak_actor_ptr spawner) {
  return [spawner](pid_t pid, SharedFd pidfd, bool own_group) {
    auto end = [spawner](pid_t pid, SharedFd pidfd, bool own_group) {
      EndChild(spawner, pid, std::move(pidfd), own_group);
    };
    Tell(spawner, AbandonChild{std::make_shared<ChildLease>(
                      pid, std::move(pidfd), own_group, end)});
  };
}

caf::result<ChildSpawned> Make(Self* self, const SpawnChild& request) {
  BlockSigchldIfHandled();
  auto child = Spawn(request.command, request.attempt.get());
  if (!child.ok()) return MakeError(child.status());
  auto lease = std::make_shared<ChildLease>(
      child->pid, std::make_shared<const OwnedFd>(std::move(child->pidfd)),
      request.command.group != ProcessGroup::kInherit,
      AbandonThrough(caf::weak_actor_ptr(self->ctrl())));
  auto ticket = [](OwnedFd& fd) {
    return fd.valid() ? FdTicket(std::move(fd)) : FdTicket();
  };
  return ChildSpawned{std::move(lease), ticket(child->stdin_pipe),
                      ticket(child->stdout_pipe), ticket(child->stderr_pipe),
                      ticket(child->terminal)};
}

Interface::behavior_type Behavior(Self* self) {
  return {
      [=](const SpawnChild& request) { return Make(self, request); },
      [=](AbandonChild& abandoned) { abandoned.child.reset(); },
      [=](const LeaveChild& child) { self->state.Leave(child); },
      [=](const LeftChildEnded& ended) { self->state.ReapLeft(ended.pid); },
  };
}

}  // namespace

Spawner SpawnSpawner(Host& host) {
  return SpawnResident<caf::hidden>(host, Behavior);
}

}  // namespace troupe
