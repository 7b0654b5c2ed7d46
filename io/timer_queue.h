// The timers of one loop: a heap that also knows where each timer is, so that
// a cancelled one leaves at once and leaves nothing behind (row L7).
//
//   TimerQueue<Target> timers;
//   timers.Add(id, deadline_ns, target);
//   while (auto due = timers.PopDue(now_ns)) Fire(due->id, due->target);
//
// Deadlines are nanoseconds on the owner's clock. Timers with one deadline fire
// in the order they were added. Add, Cancel and PopDue are O(log n), the next
// deadline O(1). One thread.
#ifndef TROUPE_IO_TIMER_QUEUE_H_
#define TROUPE_IO_TIMER_QUEUE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/timer_id.h"

namespace troupe {

template <class Target>
class TimerQueue {
 public:
  struct Timer {
    TimerId id;
    int64_t deadline_ns;
    Target target;
  };

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // A second timer of one id replaces the first.
  void Add(TimerId id, int64_t deadline_ns, Target target) {
    Cancel(id);
    heap_.push_back(Entry{deadline_ns, sequence_++,
                          Timer{id, deadline_ns, std::move(target)}});
    where_[id.value] = heap_.size() - 1;
    Up(heap_.size() - 1);
  }

  // False if it has fired, was cancelled before or never was.
  bool Cancel(TimerId id) {
    auto found = where_.find(id.value);
    if (found == where_.end()) return false;
    RemoveAt(found->second);
    return true;
  }

  std::optional<Timer> PopDue(int64_t now_ns) {
    if (heap_.empty() || heap_[0].deadline_ns > now_ns) return std::nullopt;
    return RemoveAt(0);
  }

  int64_t next_deadline_ns() const {
    return heap_.empty() ? kNever : heap_[0].deadline_ns;
  }
  size_t size() const { return heap_.size(); }

 private:
  static constexpr size_t kChildren = 4;

  struct Entry {
    int64_t deadline_ns;
    uint64_t sequence;
    Timer timer;
    bool operator<(const Entry& other) const {
      return std::pair(deadline_ns, sequence) <
             std::pair(other.deadline_ns, other.sequence);
    }
  };

  Timer RemoveAt(size_t at) {
    Timer timer = std::move(heap_[at].timer);
    where_.erase(timer.id.value);
    if (at != heap_.size() - 1) {
      heap_[at] = std::move(heap_.back());
      heap_.pop_back();
      where_[heap_[at].timer.id.value] = at;
      Up(at);
      Down(at);
    } else {
      heap_.pop_back();
    }
    return timer;
  }

  void Up(size_t at) {
    while (at > 0 && heap_[at] < heap_[(at - 1) / kChildren]) {
      Swap(at, (at - 1) / kChildren);
      at = (at - 1) / kChildren;
    }
  }

  void Down(size_t at) {
    for (;;) {
      size_t least = at;
      size_t first = at * kChildren + 1;
      for (size_t i = first; i < first + kChildren && i < heap_.size(); ++i) {
        if (heap_[i] < heap_[least]) least = i;
      }
      if (least == at) return;
      Swap(at, least);
      at = least;
    }
  }

  void Swap(size_t a, size_t b) {
    std::swap(heap_[a], heap_[b]);
    where_[heap_[a].timer.id.value] = a;
    where_[heap_[b].timer.id.value] = b;
  }

  std::vector<Entry> heap_;
  std::unordered_map<uint64_t, size_t> where_;
  uint64_t sequence_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_TIMER_QUEUE_H_
