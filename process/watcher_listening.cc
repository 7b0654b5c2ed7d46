// Whether a child watcher listens: attached, detached, closed.
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/owed.h"
#include "io/status_error.h"
#include "process/watcher_state.h"

namespace troupe {
namespace {

constexpr char kPending[] =
    "A loop is being detached from a child watcher with pending handlers";

}  // namespace

void WatcherState::Init(IoHost* host, std::unique_ptr<ExitSource> source) {
  host_ = host;
  source_ = std::move(source);
  BeginAttach();
}

// Whoever waits is answered, and whoever would have been told hears that he
// will not be.
WatcherState::~WatcherState() {
  if (source_ == nullptr) return;
  if (source_->kind().always_active && !Awaited().empty()) {  // C20
    Log(absl::StrCat("the ", source_->kind().name,
                     " child watcher has registered but not finished child "
                     "processes"));
  }
  phase_ = Phase::kDetached;
  const absl::Status ended =
      absl::CancelledError("the child watcher has ended");
  Settle(ended);
  for (auto& [pid, child] : children_) {
    for (Watching& promise : child.starting) promise.deliver(MakeError(ended));
    if (!child.standing || child.told) continue;
    self_->send(child.observer,
                ChildExited{pid, {}, /*reaped=*/false, /*unwatched=*/true});
  }
  source_.reset();  // its threads wait for what children_ holds
}

bool WatcherState::active() const {
  return phase_ == Phase::kAttached || source_->kind().always_active;
}

void WatcherState::BeginAttach() {
  phase_ = Phase::kAttaching;
  source_->Attach([this, attempt = ++attempt_](const absl::Status& status) {
    Attached(attempt, status);
  });
}

void WatcherState::Attached(uint64_t attempt, const absl::Status& status) {
  if (attempt != attempt_) return;  // it was detached meanwhile
  phase_ = status.ok() ? Phase::kAttached : Phase::kDetached;
  if (status.ok()) source_->AskAll();
  Settle(status);
}

void WatcherState::Settle(const absl::Status& status) {
  for (Settled& then : std::exchange(settling_, {})) then(status);
}

void WatcherState::WhenSettled(Settled then) {
  if (phase_ == Phase::kAttaching) {
    settling_.push_back(std::move(then));
  } else if (active()) {
    then(absl::OkStatus());
  } else {
    then(absl::FailedPreconditionError(absl::StrCat(
        "the ", source_->kind().name, " child watcher is not attached")));
  }
}

caf::result<WatcherAttached> WatcherState::Attach() {
  if (phase_ == Phase::kDetached) {
    BeginAttach();
  } else if (phase_ == Phase::kAttached) {
    source_->AskAll();
  }
  auto promise = self_->make_response_promise<WatcherAttached>();
  WhenSettled([promise](const absl::Status& status) mutable {
    if (status.ok()) {
      promise.deliver(WatcherAttached{});
    } else {
      promise.deliver(MakeError(status));
    }
  });
  return promise;
}

caf::result<WatcherDetached> WatcherState::Detach(bool close) {
  const ExitSource::Kind& kind = source_->kind();
  if (!close && !kind.can_detach) return WatcherDetached{};
  const bool pending = phase_ != Phase::kDetached && !Awaited().empty();
  if (pending && (close ? kind.warns_at_close : true)) Log(kPending);
  if (close || !kind.keeps_children) ForgetAll();
  if (close) source_->Clear();
  if (phase_ == Phase::kDetached) return WatcherDetached{};
  phase_ = Phase::kDetached;
  ++attempt_;
  Settle(absl::CancelledError("the child watcher was detached"));
  auto promise = self_->make_response_promise<WatcherDetached>();
  source_->Detach([answer = ShareOwed(promise)](absl::Status restored) {
    answer->Deliver(WatcherDetached{std::move(restored)});
  });
  return promise;
}

caf::result<WatcherInfo> WatcherState::Ask() {
  auto promise = self_->make_response_promise<WatcherInfo>();
  auto answer = [=, this](const absl::Status&) mutable {
    promise.deliver(
        WatcherInfo{source_->kind().name, active(), CountAwaited()});
  };
  WhenSettled(answer);
  return promise;
}

}  // namespace troupe
