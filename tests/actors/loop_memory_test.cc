// What a loop leaves behind, counted at operator new.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/config.h"
#include "actors/call_queue.h"
#include "gtest/gtest.h"
#include "io/virtual_clock.h"

namespace {

size_t live_blocks = 0;
size_t live_bytes = 0;

void* Allocate(size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  ++live_blocks;
  live_bytes += malloc_usable_size(block);
  return block;
}

void Free(void* block) {
  if (block == nullptr) return;
  --live_blocks;
  live_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void operator delete(void* block) noexcept { Free(block); }
void operator delete(void* block, size_t) noexcept { Free(block); }

namespace troupe {
namespace {

class NobodyOwns : public CallQueue::Owner {
  void Wake() override {}
  void OnException(const CallHandle&, std::exception_ptr) override {}
  void OnSlow(const CallHandle&, absl::Duration) override {}
};

// Row L7: a million timers, 900,000 of them cancelled.
TEST(LoopMemoryTest, IsGivenBackWithCancelledTimers) {
  constexpr int kTimers = 1'000'000;
  VirtualClock clock(VirtualClock::Mode::kByHand);
  NobodyOwns owner;
  CallQueue calls(clock, owner);
  calls.Enter();
  int fired = 0;
  const size_t bytes_before = live_bytes;
  const size_t blocks_before = live_blocks;
  {
    std::vector<CallHandle> handles;
    for (int i = 0; i < kTimers; ++i) {
      handles.push_back(calls.At(1 + i % 1000, [&fired] { ++fired; }, {}));
    }
    for (int i = 0; i < kTimers; ++i) {
      if (i % 10 != 0) {
        ASSERT_TRUE(handles[i].Cancel());
      }
    }
  }
  EXPECT_EQ(calls.Metrics().timers, kTimers / 10u);
  // One block for each timer that is left, the heap's array, and the blocks a
  // thread keeps for its next calls.
  EXPECT_LE(live_blocks - blocks_before, kTimers / 10u + 1 + 1024);
  EXPECT_LE(live_bytes - bytes_before, kTimers / 10u * 256u);
  clock.Advance(absl::Nanoseconds(2000));
  calls.Begin(false);
  calls.Run();
  EXPECT_EQ(fired, kTimers / 10);
  EXPECT_LE(live_bytes - bytes_before, 2u << 20);
  calls.Leave();
}

// What has run is the memory of what comes next.
TEST(LoopMemoryTest, IsNotAllocatedForCallsThatComeAndGo) {
#ifdef ABSL_HAVE_ADDRESS_SANITIZER
  constexpr size_t kPerCall = 1;  // nothing is kept from it
#else
  constexpr size_t kPerCall = 0;
#endif
  VirtualClock clock;
  NobodyOwns owner;
  CallQueue calls(clock, owner);
  calls.Enter();
  for (int i = 0; i < 4; ++i) {  // until there is room in the lists
    for (int n = 0; n < 1000; ++n) calls.Soon([] {}, {});
    calls.Run();
  }
  const size_t before = live_blocks;
  for (int n = 0; n < 1000; ++n) calls.Soon([] {}, {});
  EXPECT_EQ(live_blocks - before, 1000 * kPerCall);
  calls.Run();
  EXPECT_EQ(live_blocks, before);
  calls.Leave();
}

}  // namespace
}  // namespace troupe
