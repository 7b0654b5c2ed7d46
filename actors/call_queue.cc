#include "actors/call_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace troupe {
namespace {

// A batch larger than this gives its memory back when it has run.
constexpr size_t kKeptCapacity = 64 * 1024;

// Times and periods beyond these are these, so that no sum or difference of two
// overflows.
constexpr int64_t kEarliestNs = std::numeric_limits<int64_t>::min() / 2;
constexpr int64_t kLongestNs = std::numeric_limits<int64_t>::max() / 2;

int64_t MonotonicNs() { return SystemClock::Get().NowNs(); }

}  // namespace

thread_local CallQueue* CallQueue::current_ = nullptr;

// -- scheduling ---------------------------------------------------------------

absl::Status CallQueue::CheckThread() const {
  if (closed()) return absl::FailedPreconditionError("Event loop is closed");
  if (!OnThread() && running()) {
    return absl::FailedPreconditionError(
        "Non-thread-safe operation invoked on an event loop other than the "
        "current one");
  }
  return absl::OkStatus();
}

absl::Status CallQueue::Check(const Callback& callback,
                              const char* function) const {
  if (!callback) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a callable object was expected by ", function, "(), got nothing"));
  }
  return OnThread() && !closed() ? absl::OkStatus() : CheckThread();
}

CallHandle CallQueue::Soon(Callback&& callback, CodeLocation where) {
  absl::Status refused = Check(callback, "CallSoon");
  if (!refused.ok()) return CallHandle(std::move(refused));
  auto* call = new ScheduledCall(*this, std::move(callback), where, 2);
  TakeRemote();  // what another thread scheduled before comes before (L9)
  ready_.push_back(call);
  if (!OnThread()) Nudge();
  return CallHandle(call);
}

CallHandle CallQueue::SoonThreadsafe(Callback&& callback, CodeLocation where) {
  if (!callback) return CallHandle(Check(callback, "CallSoonThreadsafe"));
  CallRef call(new ScheduledCall(*this, std::move(callback), where, 1));
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed()) {
    return CallHandle(absl::FailedPreconditionError("Event loop is closed"));
  }
  call->AddReference();
  // The owner was woken for those that wait already; not for cancelled timers.
  const bool first = remote_ready_.empty();
  remote_ready_.push_back(call.get());
  has_remote_.store(true);
  if (first && !OnThread()) owner_.Wake();
  return CallHandle(call.release());
}

CallHandle CallQueue::At(int64_t when_ns, Callback&& callback,
                         CodeLocation where) {
  absl::Status refused = Check(callback, "CallAt");
  if (!refused.ok()) return CallHandle(std::move(refused));
  return Arm(new ScheduledCall(*this, std::move(callback), where, 2), when_ns);
}

CallHandle CallQueue::Every(int64_t first_ns, int64_t period_ns,
                            Callback&& callback, CodeLocation where) {
  absl::Status refused = Check(callback, "CallEvery");
  if (!refused.ok()) return CallHandle(std::move(refused));
  auto* call = new ScheduledCall(*this, std::move(callback), where, 2);
  call->repeats_ = true;
  call->period_ns_ = std::clamp<int64_t>(period_ns, 1, kLongestNs);
  return Arm(call, first_ns);
}

// Takes both references: the heap's and the handle's.
CallHandle CallQueue::Arm(ScheduledCall* call, int64_t when_ns) {
  call->is_timer_ = true;
  timers_.Add(call, std::max(when_ns, kEarliestNs));
  if (!OnThread()) Nudge();
  return CallHandle(call);
}

CallRef CallQueue::Repeatable(Callback&& callback, CodeLocation where) {
  CallRef call(new ScheduledCall(*this, std::move(callback), where, 1));
  call->repeats_ = true;
  return call;
}

void CallQueue::Append(ScheduledCall& call) {
  call.AddReference();
  ready_.push_back(&call);
}

// Scheduled while nobody runs the queue: whoever polls for it should look,
// once.
void CallQueue::Nudge() {
  if (nudged_) return;
  nudged_ = true;
  owner_.Wake();
}

// -- cancelling ---------------------------------------------------------------

// The timer leaves at once; elsewhere than on the running thread, when that
// looks next.
void CallQueue::OnCancelled(ScheduledCall& call) {
  if (!call.is_timer_) return;
  if (OnThread()) {
    Disarm(call);
    return;
  }
  std::lock_guard<std::mutex> lock(mutex_);
  call.AddReference();
  remote_cancelled_.push_back(&call);
  has_remote_.store(true);
}

void CallQueue::Disarm(ScheduledCall& call) {
  if (!call.in_heap()) return;
  timers_.Remove(&call);
  call.DropReference();
}

// -- one iteration ------------------------------------------------------------

void CallQueue::Enter() {
  running_.store(true);
  current_ = this;
}

void CallQueue::Leave() {
  current_ = nullptr;
  running_.store(false);
}

void CallQueue::TakeRemote() {
  if (!has_remote_.load()) return;
  std::vector<ScheduledCall*> cancelled;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    has_remote_.store(false);
    if (ready_.empty()) {
      ready_.swap(remote_ready_);
    } else {
      ready_.insert(ready_.end(), remote_ready_.begin(), remote_ready_.end());
      remote_ready_.clear();
    }
    cancelled.swap(remote_cancelled_);
  }
  for (ScheduledCall* call : cancelled) {
    Disarm(*call);
    call->DropReference();
  }
}

bool CallQueue::Ready() {
  TakeRemote();
  return !ready_.empty();
}

void CallQueue::Begin(bool straight_on) {
  nudged_ = false;
  if (!straight_on) measured_until_ns_ = 0;
  TakeRemote();
}

void CallQueue::TakeDueTimers() {
  if (timers_.size() == 0) return;
  const int64_t now = clock_.NowNs();
  while (ScheduledCall* due = timers_.PopDue(now)) {
    lag_ns_ = now - due->deadline_ns();
    longest_lag_ns_ = std::max(longest_lag_ns_, lag_ns_);
    ready_.push_back(due);  // with the heap's reference
  }
}

void CallQueue::Run() {
  TakeDueTimers();
  ++iterations_;
  if (ready_.empty()) {
    measured_until_ns_ = 0;
    return;
  }
  batch_.swap(ready_);
  RunBatch();
  batch_.clear();
  if (batch_.capacity() > kKeptCapacity) batch_.shrink_to_fit();
}

// One look at the clock serves the end of a call and the begin of the next,
// also in the next iteration if that follows at once.
void CallQueue::RunBatch() {
  int64_t began = measured_until_ns_;
  if (began == 0) began = MonotonicNs();
  size_t unmeasured = 0;
  for (size_t i = 0; i < batch_.size(); ++i) {
    CallRef call(batch_[i]);
    Execute(*call.get());
    if (++unmeasured < measured_together_ && i + 1 < batch_.size()) continue;
    unmeasured = 0;
    const int64_t now = MonotonicNs();
    Measure(*call.get(), now - began);
    began = now;
  }
  measured_until_ns_ = began;
}

void CallQueue::Execute(ScheduledCall& call) {
  if (call.HasOneHolder()) {
    if (call.cancelled()) return;
    call.state_.store(State::kRunning, std::memory_order_relaxed);
  } else if (!call.Move(State::kWaiting, State::kRunning)) {
    return;
  }
  ++callbacks_;
  try {
    call.callback_();
  } catch (...) {
    call.AddReference();
    owner_.OnException(CallHandle(&call), std::current_exception());
  }
  Repeat(call);
}

void CallQueue::Measure(ScheduledCall& last, int64_t took_ns) {
  longest_ns_ = std::max(longest_ns_, took_ns);
  if (took_ns < slow_ns_) return;
  last.AddReference();
  owner_.OnSlow(CallHandle(&last), absl::Nanoseconds(took_ns));
}

void CallQueue::Repeat(ScheduledCall& call) {
  if (!call.repeats_ || !call.Move(State::kRunning, State::kWaiting)) {
    if (!call.repeats_) {
      call.state_.store(State::kDone, std::memory_order_release);
    }
    call.callback_ = nullptr;
    return;
  }
  if (!call.is_timer_) return;
  const int64_t now = clock_.NowNs();
  int64_t next = call.deadline_ns() + call.period_ns_;
  if (next <= now)
    next = now - (now - next) % call.period_ns_ + call.period_ns_;
  call.AddReference();
  timers_.Add(&call, next);
}

// -- the end ------------------------------------------------------------------

void CallQueue::Discard(ScheduledCall& call) {
  CallRef held(&call);
  if (call.Move(State::kWaiting, State::kCancelled)) call.callback_ = nullptr;
}

// Captures that are destroyed may hold handles and cancel others, so nothing is
// left in a list while they go.
void CallQueue::Close() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_.store(true);
  }
  while (has_remote_.load() || !ready_.empty() || timers_.size() > 0) {
    TakeRemote();
    std::vector<ScheduledCall*> dead;
    dead.swap(ready_);
    while (timers_.size() > 0) {
      dead.push_back(timers_.back());
      timers_.Remove(dead.back());
    }
    for (ScheduledCall* call : dead) Discard(*call);
  }
}

LoopMetrics CallQueue::Metrics() {
  TakeRemote();
  LoopMetrics metrics;
  metrics.iterations = iterations_;
  metrics.callbacks = callbacks_;
  metrics.ready = ready_.size();
  metrics.timers = timers_.size();
  metrics.longest_callback = absl::Nanoseconds(longest_ns_);
  metrics.lag = absl::Nanoseconds(lag_ns_);
  metrics.longest_lag = absl::Nanoseconds(longest_lag_ns_);
  return metrics;
}

}  // namespace troupe
