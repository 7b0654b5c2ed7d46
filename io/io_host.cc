#include "io/io_host.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "caf/message.hpp"
#include "io/io_messages.h"
#include "io/os_error.h"

namespace troupe {
namespace {

constexpr uint64_t kWakerId = 1;
constexpr uint64_t kTimerId = 2;
constexpr int kRounds = 16;

int64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

}  // namespace

absl::StatusOr<std::shared_ptr<IoHost>> IoHost::Create(
    caf::actor_system& system, SelectorKind kind) {
  auto selector = Selector::Create(kind);
  if (!selector.ok()) return selector.status();
  auto waker = Waker::Create();
  if (!waker.ok()) return waker.status();
  OwnedFd timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.valid()) return OsError(errno, "timerfd_create");
  auto host = std::make_shared<IoHost>(system, kind, *std::move(selector),
                                       *std::move(waker), std::move(timer));
  absl::Status registered = host->RegisterOwnDescriptors();
  if (!registered.ok()) return registered;
  return host;
}

IoHost::IoHost(caf::actor_system& system, SelectorKind kind,
               std::unique_ptr<Selector> selector, Waker waker,
               OwnedFd timer_fd)
    : Host(system),
      kind_(kind),
      selector_(std::move(selector)),
      waker_(std::move(waker)),
      timer_fd_(std::move(timer_fd)),
      watches_(*selector_) {}

absl::Status IoHost::RegisterOwnDescriptors() {
  absl::Status added = selector_->Add(waker_.fd(), kWakerId, EPOLLIN);
  if (!added.ok()) return added;
  return selector_->Add(timer_fd_.get(), kTimerId, EPOLLIN);
}

void IoHost::RequestStop() {
  stop_.store(true);
  Wake();
}

void IoHost::Run() {
  BeginRun();
  while (!stop_.load()) Iterate();
  EndEverything();
  EndRun();
}

void IoHost::Iterate() {
  bool sleep = !watches_.has_due() && BeginSleep();
  if (sleep) PrepareTimer();
  auto events = selector_->Wait(sleep && !stop_.load() ? -1 : 0);
  EndSleep();
  for (const Selector::Event& event : events) {
    if (event.id == kWakerId) {
      waker_.Clear();
      selector_->Rearm(waker_.fd());
    } else if (event.id == kTimerId) {
      // Read empty, or poll would report it for ever.
      uint64_t expirations;
      (void)!read(timer_fd_.get(), &expirations, sizeof expirations);
      timer_fd_deadline_ = 0;  // set anew before the next sleep
      selector_->Rearm(timer_fd_.get());
    } else {
      watches_.Dispatch(event);
    }
  }
  watches_.DeliverDue();
  FireTimers();
  for (int round = 0; round < kRounds && !stop_.load() && RunRound(); ++round) {
  }
}

// The timer descriptor is set only before a sleep, and only if the earliest
// deadline is another one than last time.
void IoHost::PrepareTimer() {
  int64_t deadline = timers_.next_deadline_ns();
  if (deadline == timers_.kNever) {
    if (timer_fd_deadline_ == 0) return;
    deadline = 0;  // disarms
  }
  if (deadline == timer_fd_deadline_) return;
  timer_fd_deadline_ = deadline;
  itimerspec spec = {};
  spec.it_value.tv_sec = deadline / 1000000000;
  spec.it_value.tv_nsec = deadline % 1000000000;
  timerfd_settime(timer_fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

void IoHost::StartTimer(TimerId id, absl::Duration after,
                        caf::weak_actor_ptr observer) {
  // A bound keeps the sum in range; nobody waits three hundred years.
  int64_t ns = absl::ToInt64Nanoseconds(
      std::clamp(after, absl::ZeroDuration(), absl::Hours(24 * 36500)));
  // At least 1: a zero deadline would disarm the descriptor.
  timers_.Add(id, std::max<int64_t>(NowNs() + ns, 1), std::move(observer));
}

void IoHost::FireTimers() {
  if (timers_.size() == 0) return;
  int64_t now = NowNs();
  while (auto due = timers_.PopDue(now)) {
    caf::strong_actor_ptr observer = due->target.lock();
    if (observer == nullptr) continue;
    observer->enqueue(nullptr, caf::make_message_id(),
                      caf::make_message(TimerFired{due->id}), this);
  }
}

// Residents first: they may use the numbers of their descriptors until they
// are gone. What is left are watches of actors that live elsewhere.
void IoHost::EndEverything() {
  CloseToNewcomers();
  KillResidents();
  while (resident_count() > 0 && RunRound()) {
  }
  watches_.EndAll(absl::CancelledError("the I/O actor was stopped"));
}

}  // namespace troupe
