#include "process/guarded_spawner.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "io/answer_requests.h"
#include "io/owed.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

using Self = Resident<Spawner::base>;

// The lease does not keep the guard, whose end waits.
absl::Status PutUnder(const std::weak_ptr<Guard>& guard, ChildLease& child) {
  if (!child.own_group()) return absl::OkStatus();
  auto alive = guard.lock();
  if (alive == nullptr) return absl::UnavailableError("the guard has ended");
  absl::Status told = alive->Add(child.pid());
  if (told.ok()) {
    child.AtEnd(
        [guard, group = child.pid()] {
          if (auto alive = guard.lock()) (void)alive->Remove(group);
        },
        ChildLease::Until::kDetached);
  }
  return told;
}

Spawner::behavior_type Behavior(Self* self, std::weak_ptr<Guard> guard,
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
  };
}

}  // namespace

Spawner SpawnGuarded(IoHost& host, std::weak_ptr<Guard> guard,
                     const Spawner& spawner) {
  return SpawnResident<caf::hidden>(host, Behavior, std::move(guard), spawner);
}

}  // namespace troupe
