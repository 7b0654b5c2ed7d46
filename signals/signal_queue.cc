#include "signals/signal_queue.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>

namespace troupe {
namespace {

constexpr std::uint64_t Packed(std::uint64_t before, std::uint32_t index) {
  return ((before >> 32) + 1) << 32 | index;
}

}  // namespace

SignalQueue::SignalQueue(std::size_t exact, std::uint32_t limit)
    : exact_(exact), limit_(std::min(limit, kFirstSlab << (kSlabs - 1))) {
  HasSlab(0);
}

SignalQueue::~SignalQueue() {
  for (int slab = 0; slab < kSlabs; ++slab) {
    Record* records = slabs_[slab].load();
    const std::size_t size = kFirstSlab << std::max(slab - 1, 0);
    if (records != nullptr) munmap(records, size * sizeof(Record));
  }
}

bool SignalQueue::Push(const SignalDelivery& delivery) {
  if (delivery.number < kFirstRealTime && waiting_.load() >= exact_) {
    return PushMerged(delivery);
  }
  const Index index = NewRecord();
  if (index == kNone) return false;
  Append(index, delivery, 1);
  return true;
}

// The run that takes the count away from 0 appends the record that stands for
// it; Take brings it back to 0. So each such record finds at least one run.
bool SignalQueue::PushMerged(const SignalDelivery& delivery) {
  std::atomic<std::uint64_t>& runs = merged_[delivery.number];
  for (std::uint64_t now = runs.load(); now != 0;) {
    if (runs.compare_exchange_weak(now, now + 1)) return true;
  }
  const Index index = NewRecord();
  if (index == kNone) return false;
  if (runs.fetch_add(1) == 0) {
    Append(index, delivery, 0);
  } else {
    GiveBack(index, index);
  }
  return true;
}

void SignalQueue::Append(Index index, const SignalDelivery& delivery,
                         std::uint64_t count) {
  Record& record = At(index);
  record.delivery = delivery;
  record.delivery.count = count;
  waiting_.fetch_add(1);
  Index before = newest_.load();
  do {
    record.next.store(before);
  } while (!newest_.compare_exchange_weak(before, index));
}

void SignalQueue::Take(std::vector<SignalDelivery>& out) {
  const Index newest = newest_.exchange(kNone);
  if (newest == kNone) return;
  const std::size_t begin = out.size();
  Index oldest = newest;
  for (Index index = newest; index != kNone; index = At(index).next.load()) {
    SignalDelivery& delivery = out.emplace_back(At(index).delivery);
    if (delivery.count == 0)
      delivery.count = merged_[delivery.number].exchange(0);
    oldest = index;
  }
  std::reverse(out.begin() + begin, out.end());
  waiting_.fetch_sub(out.size() - begin);
  GiveBack(newest, oldest);
}

SignalQueue::Index SignalQueue::NewRecord() {
  const Index index = Reuse();
  return index != kNone ? index : Fresh();
}

// Reading `next` of a record that another writer took meanwhile is harmless:
// no record is unmapped, and the exchange then fails.
SignalQueue::Index SignalQueue::Reuse() {
  std::uint64_t before = free_.load();
  while (static_cast<Index>(before) != kNone) {
    const Index index = static_cast<Index>(before);
    const Index next = At(index).next.load();
    if (free_.compare_exchange_weak(before, Packed(before, next))) return index;
  }
  return kNone;
}

SignalQueue::Index SignalQueue::Fresh() {
  Index index = used_.load();
  do {
    if (index >= limit_) return kNone;
    if (!HasSlab(std::bit_width(index / kFirstSlab))) return kNone;
  } while (!used_.compare_exchange_weak(index, index + 1));
  new (&At(index)) Record;
  return index;
}

void SignalQueue::GiveBack(Index first, Index last) {
  std::uint64_t before = free_.load();
  do {
    At(last).next.store(static_cast<Index>(before));
  } while (!free_.compare_exchange_weak(before, Packed(before, first)));
}

// Slab 0 holds records [0, 1024), slab 1 [1024, 2048), slab 2 [2048, 4096), ...
SignalQueue::Record& SignalQueue::At(Index index) {
  const int slab = std::bit_width(index / kFirstSlab);
  const Index begin = slab == 0 ? 0 : kFirstSlab << (slab - 1);
  return slabs_[slab].load()[index - begin];
}

// mmap is a bare system call: it is what a handler can allocate with.
bool SignalQueue::HasSlab(int slab) {
  if (slabs_[slab].load() != nullptr) return true;
  const std::size_t size =
      (std::size_t{kFirstSlab} << std::max(slab - 1, 0)) * sizeof(Record);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  Record* expected = nullptr;
  if (!slabs_[slab].compare_exchange_strong(expected,
                                            static_cast<Record*>(memory))) {
    munmap(memory, size);  // another handler was first
  }
  return true;
}

}  // namespace troupe
