// A heap of timers that knows where each of them is, so that a cancelled one
// leaves at once and leaves nothing behind (row L7).
//
//   struct Timer : TimerHeapEntry { ... };
//   TimerHeap<Timer> heap;
//   heap.Add(&timer, deadline_ns);
//   while (Timer* due = heap.PopDue(now_ns)) ...
//
// The timers belong to the caller and hold their place in the heap; the heap
// allocates an array of 16 bytes for each and gives it back as it shrinks.
// Timers with one deadline come in the order they were added. Add, Remove and
// PopDue are O(log n). One thread.
#ifndef TROUPE_IO_TIMER_HEAP_H_
#define TROUPE_IO_TIMER_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace troupe {

class TimerHeapEntry {
 public:
  int64_t deadline_ns() const { return deadline_ns_; }
  bool in_heap() const { return place_ != kNowhere; }
  bool DueBefore(const TimerHeapEntry& other) const {
    if (deadline_ns_ != other.deadline_ns_) {
      return deadline_ns_ < other.deadline_ns_;
    }
    return sequence_ < other.sequence_;
  }

 private:
  template <class Timer>
  friend class TimerHeap;
  static constexpr size_t kNowhere = ~size_t{0};

  int64_t deadline_ns_ = 0;
  uint64_t sequence_ = 0;
  size_t place_ = kNowhere;
};

template <class Timer>
class TimerHeap {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  // `timer` is in no heap.
  void Add(Timer* timer, int64_t deadline_ns) {
    timer->deadline_ns_ = deadline_ns;
    timer->sequence_ = sequence_++;
    heap_.push_back({deadline_ns, timer});
    Up(heap_.size() - 1, heap_.back());
  }

  // `timer` is in this heap.
  void Remove(Timer* timer) {
    size_t at = timer->place_;
    timer->place_ = TimerHeapEntry::kNowhere;
    Item last = heap_.back();
    heap_.pop_back();
    if (last.timer != timer) {
      if (at > 0 && Before(last, heap_[Parent(at)])) {
        Up(at, last);
      } else {
        Down(at, last);
      }
    }
    if (heap_.capacity() > kSmall && heap_.size() < heap_.capacity() / 4) {
      heap_.shrink_to_fit();
    }
  }

  Timer* PopDue(int64_t now_ns) {
    if (heap_.empty() || heap_[0].deadline_ns > now_ns) return nullptr;
    Timer* due = heap_[0].timer;
    Remove(due);
    return due;
  }

  int64_t next_deadline_ns() const {
    return heap_.empty() ? kNever : heap_[0].deadline_ns;
  }
  size_t size() const { return heap_.size(); }
  // Any of them; not empty.
  Timer* back() const { return heap_.back().timer; }

 private:
  static constexpr size_t kChildren = 4;
  static constexpr size_t kSmall = 1024;

  // The deadline is here, too: a comparison touches no timer.
  struct Item {
    int64_t deadline_ns;
    Timer* timer;
  };

  static size_t Parent(size_t at) { return (at - 1) / kChildren; }
  static bool Before(const Item& a, const Item& b) {
    if (a.deadline_ns != b.deadline_ns) return a.deadline_ns < b.deadline_ns;
    return a.timer->DueBefore(*b.timer);
  }
  void Put(size_t at, const Item& item) {
    heap_[at] = item;
    item.timer->place_ = at;
  }

  // Both put `item` where it belongs, beginning at a free place `at`.
  void Up(size_t at, Item item) {
    while (at > 0 && Before(item, heap_[Parent(at)])) {
      Put(at, heap_[Parent(at)]);
      at = Parent(at);
    }
    Put(at, item);
  }
  void Down(size_t at, Item item) {
    for (;;) {
      size_t first = at * kChildren + 1;
      if (first >= heap_.size()) break;
      size_t least = first;
      size_t end =
          first + kChildren < heap_.size() ? first + kChildren : heap_.size();
      for (size_t i = first + 1; i < end; ++i) {
        if (Before(heap_[i], heap_[least])) least = i;
      }
      if (!Before(heap_[least], item)) break;
      Put(at, heap_[least]);
      at = least;
    }
    Put(at, item);
  }

  std::vector<Item> heap_;
  uint64_t sequence_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_IO_TIMER_HEAP_H_
