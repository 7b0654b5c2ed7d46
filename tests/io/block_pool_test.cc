#include "io/block_pool.h"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "io/bytes.h"

namespace troupe {
namespace {

TEST(BlockPoolTest, UsesABlockAgain) {
  BlockPool pool;
  Block* first = pool.Get();
  first->Release();
  Block* again = pool.Get();
  EXPECT_EQ(again, first);
  again->Release();
}

TEST(BlockPoolTest, UsesABlockThatWasPutBackAgain) {
  BlockPool pool;
  Block* one = pool.Get();
  Block* two = pool.Get();
  pool.Put(one);
  pool.Put(two);
  std::set<Block*> again = {pool.Get(), pool.Get()};
  EXPECT_EQ(again, (std::set<Block*>{one, two}));
  for (Block* block : again) pool.Put(block);
}

TEST(BlockPoolTest, DoesNotGiveOutABlockThatBytesStillUse) {
  BlockPool pool;
  for (bool put : {false, true}) {
    Block* block = pool.Get();
    std::memcpy(block->data(), "kept", 4);
    Bytes bytes(block, block->data(), 4);
    put ? pool.Put(block) : block->Release();
    Block* other = pool.Get();
    EXPECT_NE(other, block);
    EXPECT_EQ(bytes.view(), "kept");
    other->Release();
  }
}

TEST(BlockPoolTest, KeepsNoMoreThanItsBound) {
  BlockPool pool(/*max_free=*/2);
  std::vector<Block*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(pool.Get());
  std::set<Block*> used(blocks.begin(), blocks.end());
  EXPECT_EQ(used.size(), 8u);
  for (Block* block : blocks) block->Release();  // asan: six are freed
  Block* a = pool.Get();
  Block* b = pool.Get();
  EXPECT_TRUE(used.count(a) && used.count(b));
  a->Release();
  b->Release();
}

TEST(BlockPoolTest, IsOutlivedByItsBlocks) {
  auto pool = std::make_unique<BlockPool>();
  Block* one = pool->Get();
  Block* two = pool->Get();
  Bytes bytes(one, one->data(), Block::kSize);
  one->Release();
  pool.reset();
  std::memset(two->data(), 'x', Block::kSize);
  two->Release();
  EXPECT_EQ(bytes.size(), Block::kSize);
}

// One thread takes, four give back, and the pool goes while they do.
TEST(BlockPoolTest, TakesBlocksBackFromManyThreads) {
  constexpr int kThreads = 4, kRounds = 50000;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Bytes> queue;
  bool over = false;
  std::atomic<int> bad{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        Bytes bytes;
        {
          std::unique_lock<std::mutex> lock(mutex);
          changed.wait(lock, [&] { return over || !queue.empty(); });
          if (queue.empty()) return;
          bytes = std::move(queue.back());
          queue.pop_back();
        }
        int first, last;
        std::memcpy(&first, bytes.data(), 4);
        std::memcpy(&last, bytes.data() + Block::kSize - 4, 4);
        bad += first != last;
      }
    });
  }
  {
    BlockPool pool(16);
    for (int i = 0; i < kRounds; ++i) {
      Block* block = pool.Get();
      std::memcpy(block->data(), &i, 4);
      std::memcpy(block->data() + Block::kSize - 4, &i, 4);
      Bytes bytes(block, block->data(), Block::kSize);
      block->Release();
      std::unique_lock<std::mutex> lock(mutex);
      queue.push_back(std::move(bytes));
      if (queue.size() > 64) queue.erase(queue.begin(), queue.begin() + 32);
      changed.notify_one();
    }
  }
  {
    std::lock_guard<std::mutex> lock(mutex);
    over = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace troupe
