#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/status_error.h"
#include "process/subprocess_state.h"

namespace troupe {
namespace {

absl::Status NotRunning() {
  return absl::NotFoundError("the process is not running");
}

}  // namespace

caf::result<void> SubprocessState::Signal(const SendSignal& signal) {
  if (phase_ != Phase::kRunning) return MakeError(NotRunning());
  absl::Status sent = signal.to_group && child_->own_group()
                          ? child_->SignalGroup(signal.number)
                          : child_->Signal(signal.number);
  if (!sent.ok()) return MakeError(sent);
  return caf::unit;
}

caf::result<ProcessExited> SubprocessState::Stop(const StopProcess& request) {
  StopPlan plan = request.plan.value_or(plan_);
  absl::Status valid = Validate(plan);
  if (!valid.ok()) return MakeError(valid);
  if (phase_ == Phase::kIdle) return MakeError(NotRunning());
  if (reaped_) return exit_;
  auto promise = self_->make_response_promise<ProcessExited>();
  stop_waiters_.push_back(promise);
  if (phase_ == Phase::kSpawning) {
    StopWhenRunning(std::move(plan));
  } else {
    BeginStop(std::move(plan));
  }
  return promise;
}

// Whoever drops the lease now does nothing. While this actor lives the watch
// goes on, and ends in a reap.
caf::result<ProcessDetached> SubprocessState::Detach() {
  if (phase_ != Phase::kRunning) return MakeError(NotRunning());
  if (stop_.has_value()) {
    return MakeError(
        absl::FailedPreconditionError("the process is being stopped"));
  }
  if (dies_with_us_) {
    return MakeError(absl::FailedPreconditionError(
        "the process has a parent-death signal and would not outlive us"));
  }
  detached_ = true;
  keep_group_ = false;
  child_->Detach();
  CloseStreams();
  return ProcessDetached{child_->pid()};
}

// An exec that hangs does not get more time than the plan gives the process.
void SubprocessState::StopWhenRunning(StopPlan plan) {
  auto until_kill = TimeUntilKill(plan);
  stop_when_running_ = std::move(plan);
  if (child_ != nullptr) return;
  TimePoint deadline = spawn_deadline_;
  if (until_kill.has_value())
    deadline = std::min(deadline, Now() + *until_kill);
  SetTimer(deadline);
}

void SubprocessState::BeginStop(StopPlan plan) {
  stop_.emplace(child_, std::move(plan));
  GoOn(stop_->Begin(Now(), phase_ == Phase::kExited));
}

void SubprocessState::GoOn(ChildStop::Next next) {
  switch (next) {
    case ChildStop::Next::kWait:
      return SetTimer(stop_->wake_at());
    case ChildStop::Next::kListGroup:
      return ListGroup();
    case ChildStop::Next::kDone:
      return FinishStop();
    case ChildStop::Next::kGaveUp:
      return GiveUpStop();
  }
}

void SubprocessState::ListGroup() {
  auto answered = [this](std::optional<size_t> members) {
    if (stop_.has_value()) GoOn(stop_->OnGroup(Now(), members));
  };
  self_
      ->request(services_.proc_reader, caf::infinite,
                troupe::ListGroup{child_->pid()})
      .then([=](const GroupListed& group) { answered(group.members.size()); },
            [=](const caf::error&) { answered(std::nullopt); });
}

void SubprocessState::GiveUpStop() {
  stop_.reset();
  SetTimer(std::nullopt);
  for (auto& waiter : std::exchange(stop_waiters_, {})) {
    waiter.deliver(MakeError(absl::DeadlineExceededError(absl::StrCat(
        "process ", child_->pid(), " did not end by its stop plan"))));
  }
  if (std::exchange(plan_due_, false)) BeginStop(plan_);
}

void SubprocessState::FinishStop() {
  stop_.reset();
  SetTimer(std::nullopt);
  Reap();
  for (auto& waiter : std::exchange(stop_waiters_, {})) waiter.deliver(exit_);
  if (!observer_) CloseStreams();
}

void SubprocessState::OnTimer(TimerId timer) {
  if (!(timer == timer_)) return;
  timer_ = TimerId();
  if (phase_ == Phase::kSpawning) {
    attempt_->Abort();
  } else if (stop_.has_value()) {
    GoOn(stop_->OnTime(Now()));
  }
}

// Its output is read no more, so that nothing is read into nothing.
void SubprocessState::OnObserverDown() {
  observer_ = ProcessObserver();
  if (detached_) return;
  orphaned_ = true;
  streams_.PauseOutputs();
  if (reaped_) {
    CloseStreams();
  } else if (phase_ == Phase::kSpawning) {
    if (!stop_when_running_.has_value()) StopWhenRunning(plan_);
  } else if (stop_.has_value()) {
    plan_due_ = true;
  } else {
    BeginStop(plan_);
  }
}

void SubprocessState::SetTimer(std::optional<TimePoint> when) {
  if (timer_) services_.host->CancelTimer(std::exchange(timer_, {}));
  if (!when.has_value()) return;
  timer_ = TimerId::Next();
  services_.host->StartTimer(timer_, absl::FromChrono(*when - Now()),
                             caf::weak_actor_ptr(self_->ctrl()));
}

}  // namespace troupe
