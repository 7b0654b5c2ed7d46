#include "process/guarded_spawner.h"

#include <utility>

#include "io/answer_requests.h"
#include "io/owed.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

using Self = Resident<Spawner::base>;

// What a child's lease holds.
class GuardedGroup {
 public:
  GuardedGroup(std::shared_ptr<Guard> guard, pid_t group)
      : guard_(std::move(guard)), group_(group) {}
  ~GuardedGroup() { (void)guard_->Remove(group_); }
  GuardedGroup(const GuardedGroup&) = delete;
  GuardedGroup& operator=(const GuardedGroup&) = delete;

 private:
  std::shared_ptr<Guard> guard_;
  pid_t group_;
};

absl::Status PutUnder(const std::shared_ptr<Guard>& guard, ChildLease& child) {
  if (!child.own_group()) return absl::OkStatus();
  absl::Status told = guard->Add(child.pid());
  if (told.ok()) {
    child.Hold(std::make_shared<GuardedGroup>(guard, child.pid()),
               ChildLease::Until::kDetached);
  }
  return told;
}

Spawner::behavior_type Behavior(Self* self, std::shared_ptr<Guard> guard,
                                Spawner spawner) {
  return {
      [=](SpawnChild& request) {
        AnswerRequestsOnly(self);
        auto promise = self->make_response_promise<ChildSpawned>();
        auto answer = ShareOwed(promise);
        self->request(spawner, caf::infinite, std::move(request))
            .then(
                [=](ChildSpawned& made) {
                  absl::Status told = PutUnder(guard, *made.child);
                  if (!told.ok()) return answer->Refuse(MakeError(told));
                  answer->Deliver(std::move(made));
                },
                [=](const caf::error& why) { answer->Refuse(why); });
        return promise;
      },
      [=](AbandonChild& abandoned) {
        self->send(spawner, std::move(abandoned));
      },
      [=](const ListGroup& request) {
        return self->delegate(spawner, request);
      },
      [=](const FindHolders& request) {
        return self->delegate(spawner, request);
      },
  };
}

}  // namespace

Spawner SpawnGuarded(IoHost& host, std::shared_ptr<Guard> guard,
                     const Spawner& spawner) {
  return SpawnResident<caf::hidden>(host, Behavior, std::move(guard), spawner);
}

}  // namespace troupe
