// Where a stream reads to: pooled blocks, filled one after the other, each
// chunk charged to the stream's account.
//
//   auto room = buffer.Room();
//   ssize_t n = read(fd, room.data(), room.size());
//   auto [bytes, credit] = buffer.Commit(n);
//
// The charge is what a chunk costs in memory while a message holds it:
//   * the whole block, once, as long as any of its chunks has credit out;
//   * a message, plus 512 bytes or the chunk's own length, whichever is more
//     (its own length is in the block already).
// So a child that writes byte by byte is stopped by the messages it makes long
// before it has filled a block.
#ifndef TROUPE_IO_READ_BUFFER_H_
#define TROUPE_IO_READ_BUFFER_H_

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

  // The pool must outlive the buffer.
  ReadBuffer(BlockPool& pool, std::shared_ptr<CreditAccount> account)
      : pool_(pool), account_(std::move(account)) {}
  ~ReadBuffer() { DropBlock(); }
  ReadBuffer(const ReadBuffer&) = delete;
  ReadBuffer& operator=(const ReadBuffer&) = delete;

  // Where the next read goes: at least 4 KiB.
  absl::Span<char> Room();

  // The `size` bytes that were read there.
  std::pair<Bytes, Credit> Commit(size_t size);

  // Gives an untouched block back, so that an idle stream holds none.
  void GiveBackIfUnused();

 private:
  void DropBlock();

  BlockPool& pool_;
  std::shared_ptr<CreditAccount> account_;
  Block* block_ = nullptr;
  size_t used_ = 0;
  std::weak_ptr<Charge> block_charge_;
};

}  // namespace troupe

#endif  // TROUPE_IO_READ_BUFFER_H_
