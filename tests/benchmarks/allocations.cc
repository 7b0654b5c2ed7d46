#include "tests/benchmarks/allocations.h"

#include <atomic>
#include <cstddef>

// clang has no macro for its sanitizers, g++ no feature to ask for.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TROUPE_FOREIGN_MALLOC
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TROUPE_FOREIGN_MALLOC
#endif

namespace {

// One counter a thread: a shared one would slow down who allocates on two. The
// last is for all threads that come too late and counts roughly.
struct alignas(64) Counter {
  std::atomic<int64_t> value{0};
};
constexpr int kCounters = 64;
Counter counters[kCounters];

std::atomic<int> threads{0};
thread_local Counter* own_counter = nullptr;

Counter& OwnCounter() {
  if (own_counter == nullptr) {
    const int mine = threads.fetch_add(1);
    own_counter = &counters[mine < kCounters ? mine : kCounters - 1];
  }
  return *own_counter;
}

}  // namespace

#if !defined(TROUPE_FOREIGN_MALLOC)
// glibc's malloc by its other name. free and the rest stay glibc's.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* malloc(size_t size) {
  std::atomic<int64_t>& count = OwnCounter().value;
  count.store(count.load(std::memory_order_relaxed) + 1,
              std::memory_order_relaxed);
  return __libc_malloc(size);
}
#endif

namespace troupe {

int64_t Allocations() {
  int64_t sum = 0;
  for (const Counter& counter : counters) sum += counter.value.load();
  return sum;
}

int64_t AllocationsHere() { return OwnCounter().value.load(); }

}  // namespace troupe
