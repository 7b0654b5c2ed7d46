#include "process/orphan_reaper.h"

#include <signal.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "caf/allowed_unsafe_message_type.hpp"
#include "io/answer_requests.h"
#include "io/owed.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/tell.h"
#include "process/orphan_ledger.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "process/subreaper.h"

namespace troupe {

struct ChildReaped {
  pid_t pid = -1;
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ChildReaped)

namespace troupe {
namespace {

using Interface = OrphanReaper::extend<caf::reacts_to<SignalReceived>,
                                       caf::reacts_to<ChildReaped>>;

absl::Status LeftMeanwhile() {
  return absl::CancelledError("the orphans were left meanwhile");
}

class State {
 public:
  static constexpr const char* name = "orphan-reaper";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self) {}
  ~State() {
    if (on_) (void)SetSubreaper(false);
  }

  void Init(Spawner spawner, SignalRelay relay, OrphanObserver observer) {
    spawner_ = std::move(spawner);
    relay_ = std::move(relay);
    observer_ = std::move(observer);
  }

  caf::result<AdoptingOrphans> Adopt() {
    auto promise = self_->make_response_promise<AdoptingOrphans>();
    auto answer = ShareOwed(promise);
    wanted_ = true;
    self_
        ->request(relay_, caf::infinite,
                  SubscribeToSignal{SIGCHLD, SignalObserver(self_)})
        .then(
            [=, this](const Subscribed&) {
              absl::Status set = wanted_ ? SetSubreaper(true) : LeftMeanwhile();
              if (!set.ok()) return answer->Refuse(MakeError(set));
              on_ = true;
              answer->Deliver(AdoptingOrphans{});
              Look();
            },
            [=](const caf::error& why) { answer->Refuse(why); });
    return promise;
  }

  caf::result<OrphansLeft> Leave() {
    wanted_ = false;
    absl::Status set = SetSubreaper(false);
    if (!set.ok()) return MakeError(set);
    on_ = false;
    auto promise = self_->make_response_promise<OrphansLeft>();
    auto left = [answer = ShareOwed(promise)] {
      answer->Deliver(OrphansLeft{});
    };
    self_
        ->request(relay_, caf::infinite,
                  UnsubscribeFromSignal{SIGCHLD, SignalObserver(self_)})
        .then([=](const Unsubscribed&) { left(); },
              [=](const caf::error&) { left(); });
    return promise;
  }

  caf::result<ChildSpawned> Spawn(SpawnChild& request) {
    auto promise = self_->make_response_promise<ChildSpawned>();
    auto answer = ShareOwed(promise);
    const auto serial = ledger_.SpawnBegins();
    self_->request(spawner_, caf::infinite, std::move(request))
        .then(
            [=, this](ChildSpawned& made) {
              const pid_t pid = made.child->pid();
              ledger_.SpawnEnds(serial, pid);
              made.child->AtEnd(
                  [pid, self = caf::weak_actor_ptr(self_->ctrl())] {
                    Tell(self, ChildReaped{pid});
                  },
                  ChildLease::Until::kReaped);
              answer->Deliver(std::move(made));
              if (ledger_.IsUndecided()) Look();
            },
            [=, this](const caf::error& why) {
              ledger_.SpawnEnds(serial, 0);
              answer->Refuse(why);
              if (ledger_.IsUndecided()) Look();
            });
    return promise;
  }

  // Alive, and known to be nobody's.
  caf::result<OrphansListed> List() {
    auto strangers = Strangers();
    if (!strangers.ok()) return MakeError(strangers.status());
    OrphansListed listed;
    for (const ProcessEntry& child : *strangers) {
      if (child.IsAlive()) listed.orphans.push_back(child.pid);
    }
    std::sort(listed.orphans.begin(), listed.orphans.end());
    return listed;
  }

  void Spare(pid_t pid) { ledger_.Add(pid); }
  // While it went, another may have been skipped in the list of children.
  void OnReaped(pid_t pid) {
    ledger_.Remove(pid);
    Look();
  }

  void Look() {
    if (!on_ || !AnyChildEnded()) return;
    auto zombies = Strangers();
    if (!zombies.ok()) return;  // the next SIGCHLD will tell
    zombies->erase(std::remove_if(zombies->begin(), zombies->end(),
                                  [](const ProcessEntry& child) {
                                    return child.IsAlive();
                                  }),
                   zombies->end());
    for (const ProcessEntry& orphan : ledger_.Sort(*zombies)) {
      auto report = Reap(ChildId::ByPid(orphan.pid));
      if (report.ok() && observer_) {
        self_->send(observer_, OrphanReaped{orphan.pid, *report});
      }
    }
  }

 private:
  // Children that are not known to be ours; of those that are nothing is read.
  absl::StatusOr<std::vector<ProcessEntry>> Strangers() const {
    return OwnChildren([this](pid_t pid) { return ledger_.IsOurs(pid); });
  }

  Self* self_;
  Spawner spawner_;
  SignalRelay relay_;
  OrphanObserver observer_;
  OrphanLedger ledger_;
  bool wanted_ = false;  // the last of Adopt and Leave
  bool on_ = false;
};

using Self = StatefulResident<Interface, State>;

Interface::behavior_type Behavior(Self* self, Spawner spawner,
                                  SignalRelay relay, OrphanObserver observer) {
  State& state = self->state;
  state.Init(std::move(spawner), std::move(relay), std::move(observer));
  return {
      [&state](const SignalReceived&) { state.Look(); },
      [&state, self](SpawnChild& request) {
        AnswerRequestsOnly(self);
        return state.Spawn(request);
      },
      [&state](const ChildReaped& child) { state.OnReaped(child.pid); },
      [&state, self](const AdoptOrphans&) {
        AnswerRequestsOnly(self);
        return state.Adopt();
      },
      [&state, self](const LeaveOrphans&) {
        AnswerRequestsOnly(self);
        return state.Leave();
      },
      [&state, self](const ListOrphans&) {
        AnswerRequestsOnly(self);
        return state.List();
      },
      [&state](const SpareChild& child) { state.Spare(child.pid); },
  };
}

}  // namespace

OrphanReaper SpawnOrphanReaper(IoHost& host, const Spawner& spawner,
                               const SignalRelay& relay,
                               const OrphanObserver& observer) {
  return SpawnResident<caf::hidden>(host, Behavior, spawner, relay, observer);
}

}  // namespace troupe
