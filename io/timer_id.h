// The identity of one timer. Whoever starts a timer names it, so that it can
// be cancelled, or its firing recognised as stale, without waiting for an
// answer. Unique in the process, never reused; any thread.
#ifndef TROUPE_IO_TIMER_ID_H_
#define TROUPE_IO_TIMER_ID_H_

#include <atomic>
#include <cstdint>

namespace troupe {

struct TimerId {
  uint64_t value = 0;  // 0: none

  static TimerId Next() {
    static std::atomic<uint64_t> last{0};
    return TimerId{last.fetch_add(1, std::memory_order_relaxed) + 1};
  }

  explicit operator bool() const { return value != 0; }
  friend bool operator==(TimerId, TimerId) = default;
};

}  // namespace troupe

#endif  // TROUPE_IO_TIMER_ID_H_
