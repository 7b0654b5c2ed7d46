#include "tests/benchmarks/limit/limit_timers.h"

#include <algorithm>
#include <utility>

namespace troupe {

void LimitTimers::Reserve(size_t count) {
  heap_.resize(count);  // touches the memory, too
  heap_.clear();
  at_.resize(count);
  callbacks_.resize(count);
}

void LimitTimers::Arm(size_t slot, int64_t deadline,
                      std::function<void()> callback) {
  callbacks_[slot] = std::move(callback);
  heap_.push_back({deadline, slot});
  SiftUp(heap_.size() - 1, heap_.back());
}

void LimitTimers::Cancel(size_t slot) { Remove(at_[slot]); }

int64_t LimitTimers::NextDeadline() const {
  return heap_.empty() ? INT64_MAX : heap_.front().deadline;
}

void LimitTimers::FireUntil(int64_t now) {
  while (NextDeadline() <= now) {
    const size_t slot = heap_.front().slot;
    Remove(0);
    callbacks_[slot]();
  }
}

void LimitTimers::Place(size_t at, Entry entry) {
  heap_[at] = entry;
  at_[entry.slot] = at;
}

void LimitTimers::SiftUp(size_t at, Entry entry) {
  while (at > 0) {
    const size_t parent = (at - 1) / 4;
    if (heap_[parent].deadline <= entry.deadline) break;
    Place(at, heap_[parent]);
    at = parent;
  }
  Place(at, entry);
}

void LimitTimers::SiftDown(size_t at, Entry entry) {
  for (;;) {
    const size_t first = 4 * at + 1;
    const size_t end = std::min(first + 4, heap_.size());
    size_t least = first;
    for (size_t i = first + 1; i < end; ++i) {
      if (heap_[i].deadline < heap_[least].deadline) least = i;
    }
    if (first >= end || heap_[least].deadline >= entry.deadline) break;
    Place(at, heap_[least]);
    at = least;
  }
  Place(at, entry);
}

void LimitTimers::Remove(size_t at) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (at == heap_.size()) return;
  if (at > 0 && last.deadline < heap_[(at - 1) / 4].deadline) {
    SiftUp(at, last);
  } else {
    SiftDown(at, last);
  }
}

}  // namespace troupe
