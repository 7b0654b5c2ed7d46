#include "actors/scheduled_call.h"

#include <new>

#include "absl/base/config.h"

namespace troupe {
namespace {

#ifdef ABSL_HAVE_ADDRESS_SANITIZER
constexpr size_t kMostKept = 0;  // it sees only what goes back to it
#else
constexpr size_t kMostKept = 1024;
#endif

struct Block {
  Block* next;
};

// This thread's blocks for its next calls. A call may be deleted on another
// thread than the one that made it, also while that thread ends.
thread_local Block* first_kept = nullptr;
thread_local size_t kept = 0;

struct FreeAtThreadEnd {
  ~FreeAtThreadEnd() {
    kept = kMostKept;  // takes no more
    while (Block* block = first_kept) {
      first_kept = block->next;
      ::operator delete(block);
    }
  }
};

void FreeKeptAtThreadEnd() { thread_local FreeAtThreadEnd at_end; }

}  // namespace

void* ScheduledCall::operator new(size_t size) {
  if (Block* block = first_kept) {
    first_kept = block->next;
    --kept;
    return block;
  }
  return ::operator new(size);
}

void ScheduledCall::operator delete(void* memory) {
  if (kept >= kMostKept) {
    ::operator delete(memory);
    return;
  }
  if (kept == 0) FreeKeptAtThreadEnd();
  first_kept = new (memory) Block{first_kept};
  ++kept;
}

}  // namespace troupe
