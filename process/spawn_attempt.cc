#include "process/spawn_attempt.h"

#include <signal.h>

#include "process/child_signal.h"

namespace troupe {

bool SpawnAttempt::Abort() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (phase_ == Phase::kOver) return false;
  // Each side writes its flag, then reads the other's: either the child sees
  // `aborted` and ends by itself, or we see `started`. Without `started` the
  // number in `pidfd` is not to be trusted: clone may still fail and free it.
  __atomic_store_n(&flags_.aborted, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&flags_.started, __ATOMIC_SEQ_CST)) {
    (void)SignalChild(flags_.pid, flags_.pidfd, SIGKILL);
  }
  return true;
}

bool SpawnAttempt::Begin() {
  std::lock_guard<std::mutex> lock(mutex_);
  phase_ = Phase::kRunning;
  return !flags_.aborted;
}

bool SpawnAttempt::Finish() {
  std::lock_guard<std::mutex> lock(mutex_);
  phase_ = Phase::kOver;
  return flags_.aborted;
}

}  // namespace troupe
