#include "io/io_host.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "io/direct_line.h"
#include "io/io_messages.h"
#include "io/os_error.h"

namespace troupe {
namespace {

constexpr uint64_t kWakerId = 1;
constexpr uint64_t kTimerId = 2;
constexpr int kRounds = 16;
// What so many watches and their actors touch is in the processor's caches.
constexpr size_t kNearWatches = 256;

}  // namespace

absl::StatusOr<std::shared_ptr<IoHost>> IoHost::Create(
    caf::actor_system& system, SelectorKind kind, Clock& clock) {
  auto selector = Selector::Create(kind);
  if (!selector.ok()) return selector.status();
  auto waker = Waker::Create();
  if (!waker.ok()) return waker.status();
  OwnedFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return OsError(errno, "timerfd_create");
  auto host =
      std::make_shared<IoHost>(system, kind, clock, *std::move(selector),
                               *std::move(waker), std::move(timer));
  absl::Status registered = host->RegisterOwnDescriptors();
  if (!registered.ok()) return registered;
  return host;
}

IoHost::IoHost(caf::actor_system& system, SelectorKind kind, Clock& clock,
               std::unique_ptr<Selector> selector, Waker waker,
               OwnedFd timer_fd)
    : Host(system),
      kind_(kind),
      clock_(clock),
      selector_(std::move(selector)),
      waker_(std::move(waker)),
      timer_fd_(std::move(timer_fd)),
      watches_(*selector_) {}

absl::Status IoHost::RegisterOwnDescriptors() {
  absl::Status added = selector_->Add(waker_.fd(), kWakerId, EPOLLIN | EPOLLET);
  if (!added.ok()) return added;
  return selector_->Add(timer_fd_.get(), kTimerId, EPOLLIN | EPOLLET);
}

// -- an iteration, from its parts to the whole --------------------------------

inline int64_t IoHost::NextDeadline() const {
  const int64_t deadline = timers_.next_deadline_ns();
  if (turn_ == nullptr) return deadline;
  return std::min(deadline, turn_->next_deadline_ns());
}

// Without this a timer that is due already would cost a sleep.
inline bool IoHost::TimerIsDue() const {
  const int64_t deadline = NextDeadline();
  return deadline != timers_.kNever && deadline <= clock_.NowNs();
}

// The timer descriptor is set only before a sleep, and only if the earliest
// deadline is another one than last time.
inline void IoHost::PrepareTimer() {
  int64_t deadline = NextDeadline();
  // 0 disarms, so what is long due is 1.
  deadline = deadline == timers_.kNever ? 0 : std::max<int64_t>(deadline, 1);
  if (deadline == timer_fd_deadline_ || !clock_.real()) return;
  // One that is set too early wakes once for nothing: dearer than this call
  // only if that happens often, and timers that are cancelled are long ones.
  if (timer_fd_deadline_ != 0 &&
      (deadline == 0 || deadline >= timer_fd_deadline_)) {
    return;
  }
  timer_fd_deadline_ = deadline;
  itimerspec spec = {};
  spec.it_value.tv_sec = deadline / 1000000000;
  spec.it_value.tv_nsec = deadline % 1000000000;
  timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

// Asked in this order, because whoever queues after BeginSleep wakes us.
inline bool IoHost::BeginNap() {
  if (watches_.has_due()) return false;
  if (turn_ != nullptr && turn_->Ready()) return false;
  if (!BeginSleep()) return false;
  if (turn_ == nullptr || !turn_->Ready()) return true;
  EndSleep();
  return false;
}

inline absl::Span<const Selector::Event> IoHost::WaitForEvents(bool may_sleep) {
  const bool sleep = may_sleep && !stop_.load() && !TimerIsDue() && BeginNap();
  if (!sleep) return selector_->Wait(0);
  straight_on_ = false;
  absl::Span<const Selector::Event> events;
  const int64_t deadline = NextDeadline();
  if (deadline != timers_.kNever && !clock_.real()) [[unlikely]] {
    events = selector_->Wait(0);
    if (events.empty() && !clock_.SkipTo(deadline))
      events = selector_->Wait(-1);
  } else {
    PrepareTimer();
    events = selector_->Wait(stop_.load() ? 0 : -1);
  }
  EndSleep();
  return events;
}

inline void IoHost::HandleEvents(absl::Span<const Selector::Event> events) {
  using Step = WatchTable::PrefetchStep;
  const bool far = watches_.size() > kNearWatches;
  auto prefetch = [&](size_t at, Step step) {
    if (far && at < events.size()) watches_.Prefetch(events[at], step);
  };
  for (size_t i = 0; i < events.size(); ++i) {
    prefetch(i + 3, Step::kWatch);
    prefetch(i + 2, Step::kSink);
    prefetch(i + 1, Step::kObserver);
    const Selector::Event& event = events[i];
    if (event.id == kWakerId) [[unlikely]] {
      waker_.Clear();
      selector_->Rearm(waker_.fd());
    } else if (event.id == kTimerId) [[unlikely]] {
      timer_fd_deadline_ = 0;  // set anew before the next sleep
      if (kind_ == SelectorKind::kEpoll) continue;  // an edge comes once
      uint64_t expirations;
      (void)!read(timer_fd_.get(), &expirations, sizeof expirations);
      selector_->Rearm(timer_fd_.get());
    } else {
      watches_.Dispatch(event);
      EmptyLine();
    }
  }
}

void IoHost::RunOnce(bool may_sleep) {
  auto events = WaitForEvents(may_sleep);
  if (!events.empty() || watches_.has_due()) straight_on_ = false;
  if (turn_ != nullptr) turn_->Begin(straight_on_);
  BeginSlice();
  HandleEvents(events);
  if (watches_.has_due()) watches_.DeliverDue();
  if (timers_.size() > 0) FireTimers();
  if (turn_ != nullptr) turn_->Run();
  straight_on_ = true;
  for (int round = 0;
       round < kRounds && !stop_.load() && RunRound() && !slice_over();
       ++round) {
    straight_on_ = false;
  }
}

// -----------------------------------------------------------------------------

void IoHost::RequestStop() {
  stop_.store(true);
  Wake();
}

void IoHost::Run() {
  Enter();
  while (!stop_.load()) RunOnce(/*may_sleep=*/true);
  EndEverything();
  EndRun();
}

void IoHost::Enter() {
  straight_on_ = false;
  BeginRun();
}

// Counts as asleep from here on; what is left to do keeps fd() readable.
void IoHost::Leave() {
  const bool asleep = BeginNap();
  PrepareTimer();
  if (!asleep) Wake();
  PauseRun();
}

void IoHost::Shutdown() {
  BeginRun();
  EndEverything();
  EndRun();
}

void IoHost::StartTimer(TimerId id, absl::Duration after,
                        caf::weak_actor_ptr observer) {
  // A bound keeps the sum in range; nobody waits three hundred years.
  int64_t ns = absl::ToInt64Nanoseconds(
      std::clamp(after, absl::ZeroDuration(), absl::Hours(24 * 36500)));
  // At least 1: a zero deadline would disarm the descriptor.
  timers_.Add(id, std::max<int64_t>(clock_.NowNs() + ns, 1),
              std::move(observer));
}

// All that are due first: a handler may start one that is due, too.
void IoHost::FireTimers() {
  const int64_t now = clock_.NowNs();
  std::vector<std::pair<TimerId, caf::strong_actor_ptr>> due;
  while (auto timer = timers_.PopDue(now)) {
    caf::strong_actor_ptr observer = timer->target.lock();
    if (observer != nullptr) due.emplace_back(timer->id, std::move(observer));
  }
  for (auto& [id, observer] : due) {
    DirectLine(std::move(observer), *this).Send(TimerFired{id});
  }
}

// Residents first: they may use the numbers of their descriptors until they
// are gone. What is left are watches of actors that live elsewhere.
void IoHost::EndEverything() {
  CloseToNewcomers();
  KillResidents();
  while (resident_count() > 0 && RunRound()) BeginSlice();
  watches_.EndAll(absl::CancelledError("the I/O actor was stopped"));
}

}  // namespace troupe
