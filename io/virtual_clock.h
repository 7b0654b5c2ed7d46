// A clock for tests: time stands still while a loop has something to do, and
// jumps to the next deadline when it has nothing. An hour passes in no time, in
// order.
//
//   VirtualClock clock;
//   auto loop = Loop::Create(*system, {.clock = &clock});
//   (*loop)->CallLater(absl::Hours(1), [] { ... });   // runs at once
//
// With kByHand it moves by Advance only: what is due then runs in the loop's
// next iteration. A loop that sleeps meanwhile is not woken; call RunOnce.
//
// For one loop: two would carry each other's time away. Time does not wait for
// what happens outside, a child's exit for one. Any thread; the clock must
// outlive the loop.
#ifndef TROUPE_IO_VIRTUAL_CLOCK_H_
#define TROUPE_IO_VIRTUAL_CLOCK_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "io/clock.h"

namespace troupe {

class VirtualClock final : public Clock {
 public:
  enum class Mode { kJumpsWhenIdle, kByHand };

  explicit VirtualClock(Mode mode = Mode::kJumpsWhenIdle) : mode_(mode) {}

  void Advance(absl::Duration by) {
    now_ns_.fetch_add(absl::ToInt64Nanoseconds(by));
  }

  int64_t NowNs() const override { return now_ns_.load(); }
  bool SkipTo(int64_t deadline_ns) override {
    if (mode_ == Mode::kByHand) return NowNs() >= deadline_ns;
    now_ns_.store(std::max(NowNs(), deadline_ns));
    return true;
  }
  bool real() const override { return false; }

 private:
  const Mode mode_;
  std::atomic<int64_t> now_ns_{0};
};

}  // namespace troupe

#endif  // TROUPE_IO_VIRTUAL_CLOCK_H_
