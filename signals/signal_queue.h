// The deliveries that wait between signal handlers and the one who takes them:
// lock-free, many writers in handlers on any thread, one reader.
//
//   queue.Push(delivery);   // async-signal-safe
//   queue.Take(out);        // all that waits, in order of arrival
//
// Nothing is lost when the reader falls behind. While fewer than `exact`
// deliveries wait, each keeps a record of its own. From then on a standard
// signal has one more record at most, which counts its further runs; a
// real-time signal takes memory straight from the kernel, up to `limit` records
// in all (40 bytes each), because it must arrive once each with its value.
// Blocking it in the interrupted thread's mask instead was refused: threads and
// programs started meanwhile would inherit that mask, and code that saves and
// restores its own mask would bring it back for good.
//
// Order of arrival is the order in which handlers got here: two threads can
// swap real-time signals that the kernel handed out in order. Memory stays at
// its high-water mark until the queue is destroyed, which no writer may
// survive.
#ifndef TROUPE_SIGNALS_SIGNAL_QUEUE_H_
#define TROUPE_SIGNALS_SIGNAL_QUEUE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "signals/signal_delivery.h"

namespace troupe {

class SignalQueue {
 public:
  // What memory there is; some two thousand million records at the most.
  static constexpr std::uint32_t kNoLimit = ~std::uint32_t{0};

  SignalQueue(std::size_t exact, std::uint32_t limit);
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;
  ~SignalQueue();

  // False, and nothing has changed, when there is no record to be had: `limit`
  // are in use, or the kernel refused memory. `delivery.count` is ignored.
  bool Push(const SignalDelivery& delivery);

  // Appends to `out`. One thread at a time.
  void Take(std::vector<SignalDelivery>& out);

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = ~Index{0};
  static constexpr Index kFirstSlab = 1024;  // records; each next slab doubles
  static constexpr int kSlabs = 22;
  static constexpr int kFirstRealTime = 32;  // the kernel's, not glibc's 34

  struct Record {
    std::atomic<Index> next;
    SignalDelivery delivery;  // count 0: the count is in merged_
  };

  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  static_assert(std::atomic<Record*>::is_always_lock_free);

  bool PushMerged(const SignalDelivery& delivery);
  void Append(Index index, const SignalDelivery& delivery, std::uint64_t count);

  Index NewRecord();
  Index Reuse();
  Index Fresh();
  void GiveBack(Index first, Index last);
  Record& At(Index index);
  bool HasSlab(int slab);

  const std::size_t exact_;
  const std::uint32_t limit_;
  std::atomic<Index> newest_{kNone};  // linked towards the oldest
  std::atomic<std::size_t> waiting_{0};
  std::array<std::atomic<std::uint64_t>, kFirstRealTime> merged_{};
  // The low half is the first free record; the high half changes with every
  // exchange, so that a record that went and came back is not mistaken.
  std::atomic<std::uint64_t> free_{kNone};
  std::atomic<Index> used_{0};  // records below it have been handed out before
  std::array<std::atomic<Record*>, kSlabs> slabs_{};
};

}  // namespace troupe

#endif  // TROUPE_SIGNALS_SIGNAL_QUEUE_H_
