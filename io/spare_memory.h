// A piece of memory that is used again as soon as it came back: for what lives
// one at a time and briefly, an allocation that costs two atomic operations.
//
//   SpareMemory spare;
//   void* memory = spare.Take();      // null: it is out, allocate instead
//   ...
//   SpareMemory::GiveBack(memory);
//
// Take belongs to one thread; it may come back on any, and after the object is
// gone.
#ifndef TROUPE_IO_SPARE_MEMORY_H_
#define TROUPE_IO_SPARE_MEMORY_H_

#include <atomic>
#include <cstddef>

namespace troupe {

class SpareMemory {
 public:
  static constexpr size_t kBytes = 4096 + 128;

  SpareMemory() = default;
  ~SpareMemory() { Leave(piece_, Piece::kAlone, Piece::kHere); }
  SpareMemory(const SpareMemory&) = delete;
  SpareMemory& operator=(const SpareMemory&) = delete;

  void* Take() {
    if (piece_->state.load(std::memory_order_acquire) != Piece::kHere) {
      return nullptr;
    }
    piece_->state.store(Piece::kOut, std::memory_order_relaxed);
    return piece_->memory;
  }

  // What Take gave.
  static void GiveBack(void* memory) {
    Leave(static_cast<Piece*>(memory), Piece::kHere, Piece::kAlone);
  }

 private:
  struct Piece {
    enum State { kHere, kOut, kAlone };

    alignas(std::max_align_t) std::byte memory[kBytes];
    std::atomic<State> state{kHere};
  };

  // Memory is the first member. Of the object and the one who has the memory,
  // the last one frees it.
  static void Leave(Piece* piece, Piece::State now, Piece::State last) {
    if (piece->state.exchange(now, std::memory_order_acq_rel) == last) {
      delete piece;
    }
  }

  Piece* const piece_ = new Piece;
};

}  // namespace troupe

#endif  // TROUPE_IO_SPARE_MEMORY_H_
