#include "io/spare_memory.h"

#include <cstring>
#include <memory>
#include <thread>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(SpareMemoryTest, IsOutUntilItComesBack) {
  SpareMemory spare;
  void* memory = spare.Take();
  ASSERT_NE(memory, nullptr);
  std::memset(memory, 1, SpareMemory::kBytes);
  EXPECT_EQ(spare.Take(), nullptr);
  SpareMemory::GiveBack(memory);
  EXPECT_EQ(spare.Take(), memory);
  SpareMemory::GiveBack(memory);
}

// Asan: neither freed too soon nor twice nor never.
TEST(SpareMemoryTest, OutlivesItsObjectWhileItIsOut) {
  auto spare = std::make_unique<SpareMemory>();
  void* memory = spare->Take();
  spare.reset();
  std::memset(memory, 1, SpareMemory::kBytes);
  SpareMemory::GiveBack(memory);
}

TEST(SpareMemoryTest, ComesBackOnAnyThreadAsTheObjectEnds) {
  for (int round = 0; round < 1000; ++round) {
    auto spare = std::make_unique<SpareMemory>();
    void* memory = spare->Take();
    std::thread other([=] { SpareMemory::GiveBack(memory); });
    while (round % 2 == 0 && spare->Take() == nullptr) {
      std::this_thread::yield();
    }
    if (round % 2 == 0) SpareMemory::GiveBack(memory);
    spare.reset();
    other.join();
  }
}

}  // namespace
}  // namespace troupe
