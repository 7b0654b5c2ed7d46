// Blocks of memory that reads fill and messages share, used again instead of
// freed: a fresh large buffer per read costs page faults, a pooled one does
// not.
//
//   BlockPool pool;
//   Block* block = pool.Get();                      // one reference, ours
//   ssize_t n = read(fd, block->data(), Block::kSize);
//   Bytes chunk(block, block->data(), n);           // another
//   pool.Put(block);                                // or block->Release()
//
// Get() and Put() belong to one thread; a block may be released on any. The
// blocks that are out keep the pool's memory alive, so they may outlive the
// pool object and the loop that owned it.
#ifndef TROUPE_IO_BLOCK_POOL_H_
#define TROUPE_IO_BLOCK_POOL_H_

#include <atomic>
#include <cstddef>
#include <memory>

#include "io/bytes.h"
#include "io/spare_memory.h"

namespace troupe {

class Block final : public ByteStorage {
 public:
  static constexpr size_t kSize = 64 * 1024;

  char* data() { return data_; }

 private:
  friend class BlockPool;
  struct Returned;

  explicit Block(std::shared_ptr<Returned> home) : home_(std::move(home)) {}
  ~Block() override = default;
  void Dispose() override;

  std::shared_ptr<Returned> home_;
  Block* next_ = nullptr;
  char data_[kSize];
};

class BlockPool {
 public:
  // Keeps at most `max_free` blocks that nobody uses (64 are 4 MiB).
  explicit BlockPool(size_t max_free = 64);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // A block with one reference, the caller's.
  Block* Get();
  // Releases it. If nobody else uses it, the next Get has it and neither costs
  // an atomic write.
  void Put(Block* block) {
    if (spare_ == nullptr && block->HasOneReference()) {
      spare_ = block;
    } else {
      block->Release();
    }
  }

  // For the one small chunk that is not worth a block.
  SpareMemory& spare_memory() { return spare_memory_; }

 private:
  std::shared_ptr<Block::Returned> returned_;
  Block* free_ = nullptr;  // taken back from returned_, this thread's own
  Block* spare_ = nullptr;
  SpareMemory spare_memory_;
};

}  // namespace troupe

#endif  // TROUPE_IO_BLOCK_POOL_H_
