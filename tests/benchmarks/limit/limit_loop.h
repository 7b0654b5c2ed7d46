// The limit: the least that plain C++ and system calls need for what a loop
// does. One epoll set, an eventfd, a timerfd, a signalfd; no errors, no
// handles, no cancellation of anything but timers.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_LOOP_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "tests/benchmarks/limit/limit_timers.h"

namespace troupe {

class LimitLoop {
 public:
  using Callback = std::function<void()>;

  LimitLoop();
  ~LimitLoop();
  LimitLoop(const LimitLoop&) = delete;
  LimitLoop& operator=(const LimitLoop&) = delete;

  void CallSoon(Callback callback) { ready_.push_back(std::move(callback)); }
  void CallSoonThreadsafe(Callback callback);

  void ReserveTimers(size_t count) { timers_.Reserve(count); }
  void Arm(size_t index, int64_t delay_ns, Callback callback);
  int64_t Now() const;
  void ArmAt(size_t index, int64_t when_ns, Callback callback) {
    timers_.Arm(index, when_ns, std::move(callback));
  }
  void Cancel(size_t index) { timers_.Cancel(index); }
  void ForgetTimers() {}

  void AddReader(int fd, Callback callback);
  void RemoveReader(int fd);

  void OnSignal(int number, Callback callback);

  void Run();
  void RunOnce() { Iterate(false); }
  void Stop() { stop_ = true; }

 private:
  void Iterate(bool may_sleep);
  void SetTimer(int64_t deadline);
  void TakeRemote();
  void TakeSignals();

  const int epoll_;
  const int event_fd_;
  const int timer_fd_;
  int signal_fd_ = -1;
  int64_t timer_fd_deadline_ = INT64_MAX;
  bool stop_ = false;
  LimitTimers timers_;
  std::vector<Callback> ready_;
  std::vector<Callback> running_;
  std::map<int, Callback> readers_;
  std::map<int, std::vector<Callback>> subscribers_;

  std::mutex mutex_;  // guards what follows
  std::vector<Callback> remote_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_LOOP_H_
