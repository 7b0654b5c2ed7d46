#include "io/block_pool.h"

#include <utility>

namespace troupe {

// Blocks come home on any thread by a push; the pool's thread takes all at
// once. Nobody pops a single block, so the stack has no ABA problem.
struct Block::Returned {
  explicit Returned(size_t max) : max_free(max) {}

  ~Returned() { FreeAll(head.load()); }

  static void FreeAll(Block* block) {
    while (block != nullptr) delete std::exchange(block, block->next_);
  }

  std::atomic<Block*> head{nullptr};
  std::atomic<size_t> free{0};  // in the stack and in the pool's own list
  std::atomic<bool> open{true};
  const size_t max_free;
};

void Block::Dispose() {
  // The stack must not own itself through its blocks.
  std::shared_ptr<Returned> home = std::move(home_);
  if (!home->open.load() ||
      home->free.load(std::memory_order_relaxed) >= home->max_free) {
    delete this;
    return;
  }
  home->free.fetch_add(1, std::memory_order_relaxed);
  next_ = home->head.load(std::memory_order_relaxed);
  while (!home->head.compare_exchange_weak(
      next_, this, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

BlockPool::BlockPool(size_t max_free)
    : returned_(std::make_shared<Block::Returned>(max_free)) {}

BlockPool::~BlockPool() {
  if (spare_ != nullptr) spare_->Release();
  returned_->open.store(false);
  Block::Returned::FreeAll(free_);
}

Block* BlockPool::Get() {
  if (spare_ != nullptr) return std::exchange(spare_, nullptr);
  if (free_ == nullptr) {
    free_ = returned_->head.exchange(nullptr, std::memory_order_acquire);
  }
  if (free_ == nullptr) return new Block(returned_);
  Block* block = std::exchange(free_, free_->next_);
  returned_->free.fetch_sub(1, std::memory_order_relaxed);
  block->home_ = returned_;
  block->Revive();
  return block;
}

}  // namespace troupe
