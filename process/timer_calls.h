// What is to be done when: the timers of one resident, each with its call.
//
//   TimerId id = timers.After(seconds, [this] { ... });
//   timers.Cancel(id);                    // also when it is over, or 0
//   [=](const TimerFired& fired) { timers.Run(fired.timer); }
//
// A time without end starts no timer. The host's thread only.
#ifndef TROUPE_PROCESS_TIMER_CALLS_H_
#define TROUPE_PROCESS_TIMER_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"
#include "caf/actor_control_block.hpp"
#include "io/io_host.h"
#include "io/timer_id.h"

namespace troupe {

class TimerCalls {
 public:
  TimerCalls(IoHost* host, caf::weak_actor_ptr self)
      : host_(host), self_(std::move(self)) {}

  TimerId After(absl::Duration after, std::function<void()> call) {
    if (after == absl::InfiniteDuration()) return TimerId();
    TimerId id = TimerId::Next();
    calls_.emplace(id.value, std::move(call));
    host_->StartTimer(id, after, self_);
    return id;
  }

  void Cancel(TimerId id) {
    if (calls_.erase(id.value) > 0) host_->CancelTimer(id);
  }

  void Run(TimerId id) {
    auto due = calls_.find(id.value);
    if (due == calls_.end()) return;
    std::function<void()> call = std::move(due->second);
    calls_.erase(due);
    call();
  }

 private:
  IoHost* host_;
  caf::weak_actor_ptr self_;
  std::map<uint64_t, std::function<void()>> calls_;
};

}  // namespace troupe

#endif  // TROUPE_PROCESS_TIMER_CALLS_H_
