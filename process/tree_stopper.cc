#include "process/tree_stopper.h"

#include <cstdint>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "io/answer_requests.h"
#include "io/owed.h"
#include "io/resident.h"
#include "io/status_error.h"

namespace troupe {
namespace {

using Interface = TreeStopper::extend<caf::reacts_to<TimerFired>>;

struct Walk {
  TreeStop stop;
  Owed<TreeStopped> answer;
};

struct State {
  static constexpr const char* name = "tree-stopper";

  std::unordered_map<uint64_t, Walk> walks;  // by the timer they wait for
};

using Self = StatefulResident<Interface, State>;

void GoOn(Self* self, const IoHost& host, const IoActor& io, Walk walk,
          const absl::StatusOr<TreeStop::Next>& next) {
  if (!next.ok()) {
    walk.answer.Refuse(MakeError(next.status()));
  } else if (*next != TreeStop::Next::kWait) {
    walk.answer.Deliver(TreeStopped{walk.stop.Report()});
  } else {
    const TimerId timer = TimerId::Next();
    self->send(io, StartTimer{timer,
                              absl::FromChrono(walk.stop.wake_at() -
                                               host.clock().Now()),
                              TimerObserver(self)});
    self->state.walks.emplace(timer.value, std::move(walk));
  }
}

Interface::behavior_type Behavior(Self* self, const IoHost* host, IoActor io) {
  return {
      [=](StopTree& request) -> caf::result<TreeStopped> {
        AnswerRequestsOnly(self);
        auto stop =
            TreeStop::Make(std::move(request.target), std::move(request.plan));
        if (!stop.ok()) return MakeError(stop.status());
        auto promise = self->make_response_promise<TreeStopped>();
        Walk walk{*std::move(stop), Owed<TreeStopped>(promise)};
        auto next = walk.stop.Begin(host->clock().Now());
        GoOn(self, *host, io, std::move(walk), next);
        return promise;
      },
      [=](const TimerFired& fired) {
        auto found = self->state.walks.find(fired.timer.value);
        if (found == self->state.walks.end()) return;
        Walk walk = std::move(found->second);
        self->state.walks.erase(found);
        auto next = walk.stop.OnTime(host->clock().Now());
        GoOn(self, *host, io, std::move(walk), next);
      },
  };
}

}  // namespace

TreeStopper SpawnTreeStopper(IoHost& host, const IoActor& io) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io);
}

}  // namespace troupe
