// The timers of a host, by id: whoever starts one names it and may cancel it by
// that name from anywhere.
//
//   TimerQueue<Target> timers;
//   timers.Add(id, deadline_ns, target);
//   while (auto due = timers.PopDue(now_ns)) Fire(due->id, due->target);
//
// Deadlines are nanoseconds on the owner's clock. Timers with one deadline fire
// in the order they were added. A cancelled one leaves nothing behind
// (timer_heap.h). One thread.
#ifndef TROUPE_IO_TIMER_QUEUE_H_
#define TROUPE_IO_TIMER_QUEUE_H_

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "io/timer_heap.h"
#include "io/timer_id.h"

namespace troupe {

template <class Target>
class TimerQueue {
 public:
  struct Due {
    TimerId id;
    int64_t deadline_ns;
    Target target;
  };

  // A second timer of one id replaces the first.
  void Add(TimerId id, int64_t deadline_ns, Target target) {
    auto [entry, is_new] = timers_.try_emplace(id.value);
    Timer& timer = entry->second;
    if (!is_new) heap_.Remove(&timer);
    timer.id = id;
    timer.target = std::move(target);
    heap_.Add(&timer, deadline_ns);
  }

  // False if it has fired, was cancelled before or never was.
  bool Cancel(TimerId id) {
    auto found = timers_.find(id.value);
    if (found == timers_.end()) return false;
    heap_.Remove(&found->second);
    timers_.erase(found);
    return true;
  }

  std::optional<Due> PopDue(int64_t now_ns) {
    Timer* timer = heap_.PopDue(now_ns);
    if (timer == nullptr) return std::nullopt;
    Due due{timer->id, timer->deadline_ns(), std::move(timer->target)};
    timers_.erase(due.id.value);
    return due;
  }

  int64_t next_deadline_ns() const { return heap_.next_deadline_ns(); }
  size_t size() const { return heap_.size(); }

 private:
  struct Timer : TimerHeapEntry {
    TimerId id;
    Target target{};
  };

 public:
  static constexpr int64_t kNever = TimerHeap<Timer>::kNever;

 private:
  std::unordered_map<uint64_t, Timer> timers_;
  TimerHeap<Timer> heap_;
};

}  // namespace troupe

#endif  // TROUPE_IO_TIMER_QUEUE_H_
