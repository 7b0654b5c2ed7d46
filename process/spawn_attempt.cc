#include "process/spawn_attempt.h"

#include <signal.h>

#include <utility>

#include "process/child_signal.h"

namespace troupe {

bool SpawnAttempt::Abort() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (phase_ == Phase::kOver) return false;
  // Each side writes its flag, then reads the other's: either the child sees
  // `aborted` and ends by itself, or we see `started`. Without `started` the
  // number in `pidfd` is not to be trusted: clone may still fail and free it.
  __atomic_store_n(&flags_.aborted, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&flags_.started, __ATOMIC_SEQ_CST)) {
    (void)SignalChild(flags_.pid, flags_.pidfd, SIGKILL);
  }
  auto when_aborted = std::exchange(when_aborted_, nullptr);
  lock.unlock();
  if (when_aborted) when_aborted();
  return true;
}

void SpawnAttempt::WhenAborted(std::function<void()> abort) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!flags_.aborted) when_aborted_ = std::exchange(abort, nullptr);
  }
  if (abort) abort();
}

bool SpawnAttempt::Begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  phase_ = Phase::kRunning;
  return !flags_.aborted;
}

bool SpawnAttempt::Finish() {
  std::lock_guard<std::mutex> lock(mutex_);
  phase_ = Phase::kOver;
  when_aborted_ = nullptr;
  return flags_.aborted;
}

}  // namespace troupe
