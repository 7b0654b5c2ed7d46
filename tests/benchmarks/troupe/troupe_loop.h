// Troupe's Loop, for the workloads.
#ifndef TROUPE_TESTS_BENCHMARKS_TROUPE_TROUPE_LOOP_H_
#define TROUPE_TESTS_BENCHMARKS_TROUPE_TROUPE_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "actors/call_handle.h"
#include "actors/config.h"
#include "actors/loop.h"
#include "actors/system.h"
#include "caf/actor_system.hpp"

namespace troupe {

class TroupeLoop {
 public:
  template <class F>
  void CallSoon(F callback) {
    loop_->CallSoon(std::move(callback));
  }
  template <class F>
  void CallSoonThreadsafe(F callback) {
    loop_->CallSoonThreadsafe(std::move(callback));
  }

  void ReserveTimers(size_t count) { timers_.resize(count); }
  template <class F>
  void Arm(size_t index, int64_t delay_ns, F callback) {
    timers_[index] =
        loop_->CallLater(absl::Nanoseconds(delay_ns), std::move(callback));
  }
  int64_t Now() const { return absl::ToInt64Nanoseconds(loop_->Time()); }
  template <class F>
  void ArmAt(size_t index, int64_t when_ns, F callback) {
    timers_[index] =
        loop_->CallAt(absl::Nanoseconds(when_ns), std::move(callback));
  }
  void Cancel(size_t index) { timers_[index].Cancel(); }
  void ForgetTimers() { timers_.assign(timers_.size(), CallHandle()); }

  template <class F>
  void AddReader(int fd, F callback) {
    Require(loop_->AddReader(fd, std::move(callback)));
  }
  void RemoveReader(int fd) { loop_->RemoveReader(fd); }

  // One handler for each signal, as in asyncio: it calls all subscribers.
  void OnSignal(int number, std::function<void()> callback);

  void Run();
  void RunOnce();
  void Stop() { loop_->Stop(); }

 private:
  static void Require(const CallHandle& accepted);

  Config config_;
  caf::actor_system actors_{config_};
  std::unique_ptr<System> system_ = *System::Start(actors_);
  std::unique_ptr<Loop> loop_ = *Loop::Create(*system_);
  std::vector<CallHandle> timers_;
  std::map<int, std::vector<std::function<void()>>> subscribers_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_TROUPE_TROUPE_LOOP_H_
