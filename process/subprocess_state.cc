#include "process/subprocess_state.h"

#include <utility>

#include "io/status_error.h"
#include "process/reap.h"

namespace troupe {

void SubprocessState::OnExit(const ChildExited& exited) {
  exit_ = ProcessExited{exited.pid, exited.report,
                        absl::FromChrono(Now() - started_at_)};
  phase_ = Phase::kExited;
  // Nobody would see its end; the lease's holder makes sure of it.
  if (exited.unwatched) {
    reaped_ = true;
    child_->GiveUp();
  }
  SayExited();
  Tell(exit_);
  for (auto& waiter : std::exchange(exit_waiters_, {})) waiter.deliver(exit_);
  if (exited.reaped || exited.report.status.lost()) {
    // Nothing is left to reap, and nothing pins its group's number any more.
    reaped_ = true;
    child_->Settle();
  }
  if (stop_.has_value()) {
    GoOn(reaped_ ? ChildStop::Next::kDone : stop_->OnLeaderEnded());
  } else if (orphaned_) {  // the observer's plan had given up on it
    Reap();
    CloseStreams();
  } else if (!child_->own_group() || (!keep_group_ && !streams_.AnyOpen())) {
    Reap();
  }  // else a member of its group may hold a stream: the zombie pins the group
  MaybeEnd();
}

// From here on nothing may be sent to the pid or the group. It is reaped here
// and now: a message can be lost with a watcher that ends first.
void SubprocessState::Reap() {
  if (reaped_) return;
  reaped_ = true;
  (void)troupe::Reap(child_->id());
  child_->Settle();
  self_->send(services_.watcher, ReapChild{child_->pid(), /*reaped=*/true});
}

void SubprocessState::MaybeEnd() {
  if (ended_ || phase_ != Phase::kExited || streams_.AnyOpen()) return;
  ended_ = true;
  if (!stop_.has_value() && !keep_group_) Reap();
  silence_watch_ = TimerObserver();
  Tell(ProcessEnded{});
  // Two that hold each other would live for ever.
  monitor_.End();
  observer_ = ProcessObserver();
  for (auto& waiter : std::exchange(end_waiters_, {})) {
    waiter.deliver(ProcessEnded{});
  }
}

// Also whoever waits for a process whose actor is killed hears of it.
void SubprocessState::FailWaiters(const caf::error& why) {
  std::exchange(starting_, {}).deliver(why);
  for (auto* waiters : {&stop_waiters_, &exit_waiters_}) {
    for (auto& waiter : std::exchange(*waiters, {})) waiter.deliver(why);
  }
  for (auto& waiter : std::exchange(end_waiters_, {})) waiter.deliver(why);
}

SubprocessState::~SubprocessState() {
  // Or a spawner that hangs in it would wait on.
  if (phase_ == Phase::kSpawning) attempt_->Abort();
  FailWaiters(MakeError(absl::CancelledError("the process was ended")));
  SayUnclosed();
}

caf::result<ProcessExited> SubprocessState::WaitForExit() {
  if (phase_ == Phase::kExited) return exit_;
  auto promise = self_->make_response_promise<ProcessExited>();
  exit_waiters_.push_back(promise);
  return promise;
}

caf::result<ProcessEnded> SubprocessState::WaitForEnd() {
  if (ended_) return ProcessEnded{};
  auto promise = self_->make_response_promise<ProcessEnded>();
  end_waiters_.push_back(promise);
  return promise;
}

}  // namespace troupe
