#include "process/spawner.h"

#include <signal.h>

#include <memory>
#include <utility>

#include "caf/allowed_unsafe_message_type.hpp"
#include "io/status_error.h"
#include "io/tell.h"
#include "process/child_lease.h"
#include "process/child_signal.h"
#include "process/process_tree.h"
#include "process/spawn.h"

namespace troupe {

// To the spawner from its leases: nobody answers for the child any more.
struct AbandonChild {
  std::shared_ptr<ChildLease> child;  // its end kills and reaps, see EndChild
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AbandonChild)

namespace troupe {
namespace {

using Interface = Spawner::extend<caf::reacts_to<AbandonChild>>;
using Self = Resident<Interface::base>;

// Kill first, while the zombie-to-be pins the group's number, then reap. A
// child that has ended meanwhile is only reaped; one that somebody else reaped
// (signal 0 finds nobody) pins nothing.
void EndChild(pid_t pid, const SharedFd& pidfd, bool own_group) {
  if (own_group && SignalChild(pid, pidfd->get(), 0).ok()) {
    (void)SignalGroup(pid, SIGKILL);
  }
  RemoveChild(pid, pidfd->get());
}

// Wherever the message is dropped the child ends: on the spawner's thread, or
// on the sender's if the spawner is gone, because nobody else can then.
ChildLease::Abandon AbandonThrough(caf::weak_actor_ptr spawner) {
  return [spawner](pid_t pid, SharedFd pidfd, bool own_group) {
    Tell(spawner, AbandonChild{std::make_shared<ChildLease>(
                      pid, std::move(pidfd), own_group, EndChild)});
  };
}

caf::result<ChildSpawned> Make(Self* self, const SpawnChild& request) {
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
  };
}

}  // namespace

Spawner SpawnSpawner(Host& host) {
  return SpawnResident<caf::hidden>(host, Behavior);
}

}  // namespace troupe
