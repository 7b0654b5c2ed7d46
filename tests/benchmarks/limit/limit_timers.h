// Timers in a 4-ary heap of (deadline, slot), with each slot's place in it.
#ifndef TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TIMERS_H_
#define TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TIMERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace troupe {

class LimitTimers {
 public:
  // Slots are 0 to count - 1; the caller knows which are free.
  void Reserve(size_t count);
  void Arm(size_t slot, int64_t deadline, std::function<void()> callback);
  void Cancel(size_t slot);

  int64_t NextDeadline() const;  // INT64_MAX if there is none
  void FireUntil(int64_t now);

 private:
  struct Entry {
    int64_t deadline;
    size_t slot;
  };

  void Place(size_t at, Entry entry);
  void SiftUp(size_t at, Entry entry);
  void SiftDown(size_t at, Entry entry);
  void Remove(size_t at);

  std::vector<Entry> heap_;
  std::vector<size_t> at_;  // by slot
  std::vector<std::function<void()>> callbacks_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BENCHMARKS_LIMIT_LIMIT_TIMERS_H_
