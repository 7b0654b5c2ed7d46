#include "process/spawn_admission.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "caf/actor_addr.hpp"
#include "caf/actor_cast.hpp"
#include "io/answer_requests.h"
#include "io/os_error.h"
#include "io/owed.h"
#include "io/resident.h"
#include "io/status_error.h"
#include "io/tell.h"
#include "process/start_parties.h"

namespace troupe {

struct ChildOver {};
struct AttemptAborted {
  uint64_t ticket = 0;
};

}  // namespace troupe

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::ChildOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::AttemptAborted)

namespace troupe {
namespace {

using Interface =
    Admission::extend<caf::reacts_to<TimerFired>, caf::reacts_to<ChildOver>,
                      caf::reacts_to<AttemptAborted>>;
using Ticket = AdmissionQueue::Ticket;

bool IsWant(const absl::Status& status) {
  auto failure = OsFailureOf(status);
  if (!failure.has_value()) return false;
  const int error = failure->error_number;
  return error == EAGAIN || error == EMFILE || error == ENFILE ||
         error == ENOMEM;
}

absl::Status WantedByNobody() {
  return absl::CancelledError(
      "who wanted the child ended before its turn came");
}

absl::Status GivenUp(const absl::Status& why, AdmissionQueue::Want want) {
  absl::Status status(
      why.code(),
      absl::StrCat(why.message(), " (", want.tries,
                   want.tries == 1 ? " try" : " tries", " in ",
                   absl::FormatDuration(absl::FromChrono(want.time)), ")"));
  why.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    status.SetPayload(url, payload);
  });
  return status;
}

class State {
 public:
  static constexpr const char* name = "spawn-admission";
  using Self = Interface::stateful_base<State>;

  explicit State(Self* self) : self_(self), parties_(self) {}
  ~State() {
    for (auto& [ticket, start] : starts_) {
      start.request.attempt->Finish();
      if (start.attempt != nullptr) start.attempt->Abort();
    }
  }

  void Init(IoHost* host, IoActor io, Spawner spawner, AdmissionLimits limits) {
    host_ = host;
    io_ = std::move(io);
    spawner_ = std::move(spawner);
    limit_ = limits.live;
    queue_.emplace(limits);
  }

  caf::result<ChildSpawned> Add(SpawnChild& request) {
    if (request.together > limit_) {
      return MakeError(absl::FailedPreconditionError(
          absl::StrCat(request.together, " children must live at once, but ",
                       limit_, " may")));
    }
    const Ticket ticket = next_ticket_++;
    // Before the promise: that takes the sender out.
    const auto requester =
        caf::actor_cast<caf::actor_addr>(self_->current_sender());
    WantedBy wanted_by{requester, request.owner ? request.owner : requester};
    const auto owner = parties_.Join(wanted_by, ticket);
    if (!owner.has_value()) {
      request.attempt->Finish();
      return MakeError(WantedByNobody());
    }
    auto promise = self_->make_response_promise<ChildSpawned>();
    Start& start = starts_[ticket];
    start.promise = Owed<ChildSpawned>(promise);
    start.wanted_by = std::move(wanted_by);
    start.request = std::move(request);
    start.request.attempt->WhenAborted(
        [ticket, self = caf::weak_actor_ptr(self_->ctrl())] {
          Tell(self, AttemptAborted{ticket});
        });
    queue_->Add(ticket, *owner, Now());
    GoOn();
    return promise;
  }

  AdmissionInfo Info() const {
    return {queue_->waiting(), queue_->starting(), queue_->live()};
  }

  void OnTimer(TimerId timer) {
    if (!(timer == timer_)) return;
    timer_at_.reset();
    GoOn();
  }
  void OnChildOver() {
    queue_->Ended();
    GoOn();
  }
  void OnAborted(Ticket ticket) {
    GiveUp(ticket, absl::DeadlineExceededError(
                       "the start was aborted while it waited for its turn"));
  }
  void OnDown(const caf::actor_addr& who) {
    for (Ticket ticket : parties_.TicketsOf(who)) {
      GiveUp(ticket, WantedByNobody());
    }
  }

 private:
  using TimePoint = AdmissionQueue::TimePoint;

  struct Start {
    SpawnChild request;  // `attempt` is the requester's, for all tries
    Owed<ChildSpawned> promise;
    WantedBy wanted_by;
    std::shared_ptr<SpawnAttempt> attempt;  // of the try that runs
    absl::Status given_up;                  // why, while it runs
  };

  TimePoint Now() const { return host_->clock().Now(); }

  // Starts what may start, and sets the clock for the rest.
  void GoOn() {
    while (auto ticket = queue_->Next(Now())) Try(*ticket);
    const auto wake = queue_->wake_at();
    if (wake == timer_at_) return;
    if (timer_at_.has_value()) self_->send(io_, CancelTimer{timer_});
    timer_at_ = wake;
    if (!wake.has_value()) return;
    timer_ = TimerId::Next();
    self_->send(io_, StartTimer{timer_, absl::FromChrono(*wake - Now()),
                                TimerObserver(self_)});
  }

  void Try(Ticket ticket) {
    Start& start = starts_[ticket];
    start.attempt = std::make_shared<SpawnAttempt>();
    self_
        ->request(spawner_, caf::infinite,
                  SpawnChild{start.request.command, start.attempt,
                             start.request.owner, start.request.together})
        .then([=, this](ChildSpawned& made) { OnMade(ticket, made); },
              [=, this](const caf::error& why) { OnFailed(ticket, why); });
  }

  void OnMade(Ticket ticket, ChildSpawned& made) {
    queue_->Started(ticket);
    made.child->AtEnd([self = caf::weak_actor_ptr(
                           self_->ctrl())] { Tell(self, ChildOver{}); },
                      ChildLease::Until::kReaped);
    const absl::Status given_up = starts_[ticket].given_up;
    if (given_up.ok()) {
      Finish(ticket).Deliver(std::move(made));
    } else {  // its lease ends the child
      Finish(ticket).Refuse(MakeError(given_up));
    }
    GoOn();
  }

  void OnFailed(Ticket ticket, const caf::error& why) {
    const absl::Status status = StatusOf(why);
    starts_[ticket].attempt.reset();
    const absl::Status given_up = starts_[ticket].given_up;
    if (!IsWant(status)) {
      queue_->Failed(ticket);
      Finish(ticket).Refuse(why);
    } else if (!given_up.ok()) {
      queue_->Failed(ticket);
      Finish(ticket).Refuse(MakeError(given_up));
    } else if (auto want = queue_->Lacked(ticket, Now())) {
      Finish(ticket).Refuse(MakeError(GivenUp(status, *want)));
    }
    GoOn();
  }

  // One that is being made is told to hurry to its end; it is answered then.
  // None of the others may start sooner for that.
  void GiveUp(Ticket ticket, const absl::Status& why) {
    auto found = starts_.find(ticket);
    if (found == starts_.end()) return;
    if (queue_->Cancel(ticket)) {
      Finish(ticket).Refuse(MakeError(why));
    } else {
      found->second.given_up = why;
      found->second.attempt->Abort();
    }
  }

  Owed<ChildSpawned> Finish(Ticket ticket) {
    auto found = starts_.find(ticket);
    Start start = std::move(found->second);
    starts_.erase(found);
    start.request.attempt->Finish();
    parties_.Leave(start.wanted_by, ticket);
    return std::move(start.promise);
  }

  Self* self_;
  IoHost* host_ = nullptr;
  IoActor io_;
  Spawner spawner_;
  size_t limit_ = 0;  // of those that live
  std::optional<AdmissionQueue> queue_;
  std::unordered_map<Ticket, Start> starts_;
  StartParties parties_;
  Ticket next_ticket_ = 1;
  TimerId timer_;
  std::optional<TimePoint> timer_at_;
};

using Self = StatefulResident<Interface, State>;

Interface::behavior_type Behavior(Self* self, IoHost* host, IoActor io,
                                  Spawner spawner, AdmissionLimits limits) {
  State& state = self->state;
  state.Init(host, std::move(io), std::move(spawner), limits);
  self->set_down_handler(
      [&state](const caf::down_msg& down) { state.OnDown(down.source); });
  return {
      [&state, self](SpawnChild& request) {
        AnswerRequestsOnly(self);
        return state.Add(request);
      },
      [&state](const ChildOver&) { state.OnChildOver(); },
      [&state](const TimerFired& fired) { state.OnTimer(fired.timer); },
      [&state](const AttemptAborted& aborted) {
        state.OnAborted(aborted.ticket);
      },
      [&state, self](const AskAdmission&) {
        AnswerRequestsOnly(self);
        return state.Info();
      },
  };
}

}  // namespace

Admission SpawnAdmission(IoHost& host, const IoActor& io,
                         const Spawner& spawner, AdmissionLimits limits) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, io, spawner, limits);
}

}  // namespace troupe
