// What time it is for a host and its timers: nanoseconds since some moment,
// never backwards.
//
// SystemClock::Get() is the kernel's monotonic clock. virtual_clock.h has one
// that a test turns.
#ifndef TROUPE_IO_CLOCK_H_
#define TROUPE_IO_CLOCK_H_

#include <chrono>
#include <cstdint>
#include <ctime>

namespace troupe {

class Clock {
 public:
  virtual ~Clock() = default;

  // Any thread.
  virtual int64_t NowNs() const = 0;
  std::chrono::steady_clock::time_point Now() const {
    return std::chrono::steady_clock::time_point(
        std::chrono::nanoseconds(NowNs()));
  }

  // Asked by a host that has nothing to do before `deadline_ns`. True: it is
  // that time now, go on. False: sleep until then.
  virtual bool SkipTo(int64_t deadline_ns) = 0;

  // Whether a sleep can be left to the kernel's monotonic clock.
  virtual bool real() const = 0;
};

class SystemClock final : public Clock {
 public:
  static SystemClock& Get() {
    static SystemClock clock;
    return clock;
  }

  int64_t NowNs() const override {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
  }
  bool SkipTo(int64_t) override { return false; }
  bool real() const override { return true; }
};

}  // namespace troupe

#endif  // TROUPE_IO_CLOCK_H_
