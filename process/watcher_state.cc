#include "process/watcher_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "io/answer_requests.h"
#include "io/check_local.h"
#include "io/status_error.h"

namespace troupe {

// -- the children -------------------------------------------------------------

ChildId WatcherState::IdOf(pid_t pid, const Child& child) {
  return ChildId::Of(pid, child.pidfd == nullptr ? -1 : child.pidfd->get());
}

absl::Status WatcherState::Check(const WatchChild& request) const {
  if (request.pid <= 0) {  // would mean a group, or anybody
    return absl::InvalidArgumentError(
        absl::StrCat("no process has the pid ", request.pid));
  }
  if (!request.observer) return absl::InvalidArgumentError("no observer");
  return CheckLocal(request.observer, self_->node(), "a child");
}

caf::result<WatchingChild> WatcherState::Watch(WatchChild& request) {
  absl::Status valid = Check(request);
  if (!valid.ok()) return MakeError(valid);
  if (request.pidfd != nullptr && !request.pidfd->valid()) {
    request.pidfd = nullptr;
  }
  auto promise = self_->make_response_promise<WatchingChild>();
  if (phase_ == Phase::kAttached) {
    Begin(std::move(request), promise);
    return promise;
  }
  WhenSettled([=, this](const absl::Status& status) mutable {
    if (status.ok()) {
      Begin(std::move(request), promise);
    } else {
      promise.deliver(MakeError(status));
    }
  });
  return promise;
}

void WatcherState::Begin(WatchChild request, Watching promise) {
  const pid_t pid = request.pid;
  auto found = children_.find(pid);
  if (found != children_.end() && !found->second.told) {
    if (!request.replace) {
      promise.deliver(MakeError(absl::AlreadyExistsError(
          absl::StrCat("child ", pid, " is watched already"))));
      return;
    }
    Child& child = found->second;
    Monitor(request.observer);
    StopMonitoring(std::exchange(child.observer, request.observer));
    child.starting.push_back(std::move(promise));
    if (child.standing) Standing(pid, child.serial, absl::OkStatus());
    return;
  }
  if (found != children_.end()) Forget(pid, absl::OkStatus());
  Monitor(request.observer);
  Child& child = children_[pid];
  child.pidfd = std::move(request.pidfd);
  child.observer = std::move(request.observer);
  child.serial = ++serial_;
  child.starting.push_back(std::move(promise));
  source_->Add(pid, child.pidfd,
               [this, pid, serial = serial_](const absl::Status& status) {
                 Standing(pid, serial, status);
               });
}

void WatcherState::Standing(pid_t pid, uint64_t serial,
                            const absl::Status& status) {
  auto found = children_.find(pid);
  if (found == children_.end() || found->second.serial != serial) return;
  if (!status.ok()) return Forget(pid, status);
  found->second.standing = true;
  for (Watching& promise : std::exchange(found->second.starting, {})) {
    promise.deliver(WatchingChild{});
  }
}

void WatcherState::Forget(pid_t pid, const absl::Status& why) {
  auto found = children_.find(pid);
  if (found == children_.end()) return;
  Child child = std::move(found->second);
  children_.erase(found);
  if (child.told) {
    --told_;
  } else {
    source_->Remove(pid);
  }
  StopMonitoring(child.observer);
  for (Watching& promise : child.starting) promise.deliver(MakeError(why));
}

// Zombies are still to be reaped.
void WatcherState::ForgetAll() {
  for (pid_t pid : Awaited()) {
    Forget(pid, absl::CancelledError(
                    absl::StrCat("the watch of child ", pid, " was given up")));
  }
}

caf::result<ChildUnwatched> WatcherState::Unwatch(pid_t pid) {
  const bool was_watched = IsAwaited(pid);
  if (was_watched) {
    Forget(pid,
           absl::CancelledError(absl::StrCat("child ", pid, " was unwatched")));
  }
  return ChildUnwatched{was_watched};
}

// Only one that was told: if its pid is another child's by now, that one is
// watched on.
void WatcherState::ReapZombie(const ReapChild& request) {
  const pid_t pid = request.pid;
  if (!IsKept(pid)) return;
  if (!request.reaped) (void)Reap(IdOf(pid, children_[pid]));
  Forget(pid, absl::OkStatus());
}

// -- exits --------------------------------------------------------------------

absl::StatusOr<std::optional<ExitReport>> WatcherState::Look(pid_t pid) const {
  return PollExit(IdOf(pid, children_.at(pid)));
}

void WatcherState::Poll(pid_t pid) {
  if (!IsAwaited(pid) || !children_[pid].standing) return;
  auto report = Look(pid);
  if (!report.ok()) {
    Log(absl::StrCat("child ", pid, ": ", report.status().message()));
    return Tell(pid, ExitReport(), /*reaped=*/false);
  }
  if (report->has_value()) Tell(pid, **report, /*reaped=*/false);
}

void WatcherState::PollAll() {
  for (pid_t pid : Awaited()) Poll(pid);
}

void WatcherState::Tell(pid_t pid, const ExitReport& report, bool reaped) {
  if (!IsAwaited(pid)) return;
  Child& child = children_[pid];
  if (report.status.lost()) {
    Log(absl::Substitute(source_->kind().lost_text, pid));
  } else if (source_->kind().logs_exits && host_->debug_sink()) {
    Log(absl::StrCat("process ", pid, " exited with returncode ",
                     report.status.ReturnCode()));
  }
  self_->send(child.observer, ChildExited{pid, report, reaped});
  source_->Remove(pid);
  child.told = true;
  ++told_;
  // Nothing is left to reap, and the pid may be another child's soon.
  if (reaped || report.status.lost()) Forget(pid, absl::OkStatus());
}

bool WatcherState::IsAwaited(pid_t pid) const {
  auto found = children_.find(pid);
  return found != children_.end() && !found->second.told;
}

bool WatcherState::IsKept(pid_t pid) const {
  auto found = children_.find(pid);
  return found != children_.end() && found->second.told;
}

std::vector<pid_t> WatcherState::Awaited() const {
  std::vector<pid_t> pids;
  for (const auto& [pid, child] : children_) {
    if (!child.told) pids.push_back(pid);
  }
  return pids;
}

void WatcherState::Log(absl::string_view line) const {
  if (host_->debug_sink()) host_->debug_sink()(line);
}

// -- observers ----------------------------------------------------------------

void WatcherState::Monitor(const ChildObserver& observer) {
  if (++observers_[observer.address()] == 1) self_->monitor(observer);
}

void WatcherState::StopMonitoring(const ChildObserver& observer) {
  if (--observers_[observer.address()] > 0) return;
  observers_.erase(observer.address());
  self_->demonitor(observer.address());
}

// A child whose observer died is its lease's business.
void WatcherState::OnDown(const caf::actor_addr& who) {
  if (source_->OnDown(who)) {
    phase_ = Phase::kDetached;
    Log("the child watcher hears of no exits any more: its signal relay ended");
    return;
  }
  std::vector<pid_t> orphans;
  for (const auto& [pid, child] : children_) {
    if (child.observer.address() == who) orphans.push_back(pid);
  }
  for (pid_t pid : orphans) {
    if (IsAwaited(pid)) {
      Log(absl::StrCat("Loop of the observer ", to_string(who),
                       " that handles pid ", pid, " is closed"));
    }
    Forget(pid, absl::CancelledError("the observer has ended"));
  }
}

// -- the actor ----------------------------------------------------------------

namespace {

WatcherInterface::behavior_type Behavior(
    WatcherResident* self, IoHost* host,
    std::function<std::unique_ptr<ExitSource>(WatcherState&)> make) {
  WatcherState* state = &self->state;
  state->Init(host, make(*state));
  self->set_down_handler(
      [=](const caf::down_msg& down) { state->OnDown(down.source); });
  auto asked = [=] { AnswerRequestsOnly(self); };
  return {
      [=](WatchChild& request) {
        asked();
        return state->Watch(request);
      },
      [=](const ReapChild& request) { state->ReapZombie(request); },
      [=](const UnwatchChild& request) {
        asked();
        return state->Unwatch(request.pid);
      },
      [=](const AttachWatcher&) {
        asked();
        return state->Attach();
      },
      [=](const DetachWatcher&) {
        asked();
        return state->Detach(/*close=*/false);
      },
      [=](const CloseWatcher&) {
        asked();
        return state->Detach(/*close=*/true);
      },
      [=](const AskWatcher&) {
        asked();
        return state->Ask();
      },
      [=](const FdReady& ready) { state->source().OnReady(ready.watch); },
      [=](const WatchEnded&) {},
      [=](const SignalReceived&) { state->source().OnSignal(); },
      [=](const WaitOver& over) {
        state->source().OnWaitOver(over.pid, over.serial);
      },
      [=](const TimerFired&) { state->source().OnTimer(); },
  };
}

}  // namespace

ChildWatcher SpawnWatcher(
    IoHost& host,
    std::function<std::unique_ptr<ExitSource>(WatcherState&)> make) {
  return SpawnResident<caf::hidden>(host, Behavior, &host, std::move(make));
}

}  // namespace troupe
