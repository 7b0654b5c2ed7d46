#include "tests/benchmarks/limit/limit_loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <iterator>
#include <utility>

#include "tests/benchmarks/subject.h"

namespace troupe {
namespace {

sigset_t SetOf(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  return set;
}

}  // namespace

LimitLoop::LimitLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  AddReader(event_fd_, [this] { TakeRemote(); });
  AddReader(timer_fd_, [this] {
    uint64_t expirations;
    (void)!read(timer_fd_, &expirations, sizeof expirations);
    timer_fd_deadline_ = INT64_MAX;
  });
}

LimitLoop::~LimitLoop() {
  close(epoll_);
  close(event_fd_);
  close(timer_fd_);
  if (signal_fd_ != -1) close(signal_fd_);
}

void LimitLoop::CallSoonThreadsafe(Callback callback) {
  bool was_empty;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    was_empty = remote_.empty();
    remote_.push_back(std::move(callback));
  }
  if (was_empty) eventfd_write(event_fd_, 1);
}

int64_t LimitLoop::Now() const { return NowNs(); }

void LimitLoop::Arm(size_t index, int64_t delay_ns, Callback callback) {
  timers_.Arm(index, NowNs() + delay_ns, std::move(callback));
}

void LimitLoop::AddReader(int fd, Callback callback) {
  Callback& kept = readers_[fd] = std::move(callback);
  epoll_event event = {EPOLLIN, {.ptr = &kept}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void LimitLoop::RemoveReader(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  readers_.erase(fd);
}

void LimitLoop::OnSignal(int number, Callback callback) {
  if (subscribers_.empty()) {
    const sigset_t set = SetOf(number);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    AddReader(signal_fd_, [this] { TakeSignals(); });
  }
  subscribers_[number].push_back(std::move(callback));
}

void LimitLoop::Run() {
  for (stop_ = false; !stop_;) Iterate(true);
}

void LimitLoop::Iterate(bool may_sleep) {
  const int64_t deadline = timers_.NextDeadline();
  if (!ready_.empty() || (deadline != INT64_MAX && deadline <= NowNs())) {
    may_sleep = false;
  }
  if (may_sleep) SetTimer(deadline);
  epoll_event events[256];
  const int count =
      epoll_wait(epoll_, events, std::size(events), may_sleep ? -1 : 0);
  for (int i = 0; i < count; ++i)
    (*static_cast<Callback*>(events[i].data.ptr))();
  if (timers_.NextDeadline() != INT64_MAX) timers_.FireUntil(NowNs());
  running_.swap(ready_);
  for (Callback& callback : running_) callback();
  running_.clear();
}

void LimitLoop::SetTimer(int64_t deadline) {
  if (deadline == timer_fd_deadline_ || deadline == INT64_MAX) return;
  timer_fd_deadline_ = deadline;
  itimerspec when = {};
  when.it_value.tv_sec = deadline / 1000000000;
  when.it_value.tv_nsec = deadline % 1000000000;
  timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void LimitLoop::TakeRemote() {
  eventfd_t count;
  eventfd_read(event_fd_, &count);
  std::vector<Callback> calls;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls.swap(remote_);
  }
  for (Callback& callback : calls) callback();
}

void LimitLoop::TakeSignals() {
  signalfd_siginfo taken[32];
  const ssize_t size = read(signal_fd_, taken, sizeof taken);
  for (ssize_t i = 0; i < size / ssize_t(sizeof taken[0]); ++i) {
    for (Callback& callback : subscribers_[taken[i].ssi_signo]) callback();
  }
}

}  // namespace troupe
