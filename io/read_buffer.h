// Where a stream reads to, and what its chunks are charged to its account.
//
//   auto room = buffer.Room();
//   ssize_t n = read(fd, room.data(), room.size());
//   auto [bytes, credit] = buffer.Commit(n);
//   buffer.GiveBack();                       // drained: nothing to read now
//
// Reads go into pooled blocks, one after the other. A chunk is a slice of its
// block, but a small one a copy: it would keep 64 KiB for its sake, and an idle
// stream holds no block.
//
// The charge is what a chunk costs in memory while a message holds it:
//   * a slice: the whole block, once, as long as any of its chunks has credit
//     out;
//   * a copy: its length, or 512 bytes if it is shorter;
//   * both: a message.
// So a child that writes byte by byte is stopped by the messages it makes.
#ifndef TROUPE_IO_READ_BUFFER_H_
#define TROUPE_IO_READ_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/types/span.h"
#include "io/block_pool.h"
#include "io/bytes.h"
#include "io/credit.h"

namespace troupe {

class ReadBuffer {
 public:
  // What a message costs beside its bytes: CAF's element, the credit, the
  // receiver's own bookkeeping.
  static constexpr size_t kMessageCost = 256;
  static constexpr size_t kLeastCharge = 512;
  static constexpr size_t kMostCopied = 4096;
  static constexpr size_t kLeastRoom = 4096;

  // The pool must outlive the buffer.
  ReadBuffer(BlockPool& pool, std::shared_ptr<CreditAccount> account)
      : pool_(pool), account_(std::move(account)) {}
  ~ReadBuffer() { GiveBack(); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  // Where the next read goes: `least` bytes or more, which are at most a block.
  absl::Span<char> Room(size_t least = kLeastRoom);

  // The `size` bytes that were read there.
  std::pair<Bytes, Credit> Commit(size_t size);

  // The same as a slice that is not charged, also if it is small: for one who
  // is soon done with it.
  Bytes Lend(size_t size);

  // What was read elsewhere, charged as a copy.
  std::pair<Bytes, Credit> Charged(Bytes bytes);

  // Keeps no block for later.
  void GiveBack();

 private:
  // Of a message with a copy of so many bytes.
  static size_t CostOf(size_t size) {
    return kMessageCost + std::max(size, kLeastCharge);
  }
  std::shared_ptr<Charge> ChargeOfBlock();

  BlockPool& pool_;
  std::shared_ptr<CreditAccount> account_;
  Block* block_ = nullptr;
  size_t used_ = 0;
  std::weak_ptr<Charge> block_charge_;
};

}  // namespace troupe

#endif  // TROUPE_IO_READ_BUFFER_H_
