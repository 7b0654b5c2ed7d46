#include "signals/block_signals.h"

#include <sys/stat.h>

#include <mutex>

#include "absl/strings/str_cat.h"
#include "io/thread_mask.h"

namespace troupe {
namespace {

std::mutex mutex;
std::optional<sigset_t> before;

// One link for each thread's folder, one for "." and one for the folder's name;
// 1 if /proc is not there to ask.
int Threads() {
  struct stat folder {};
  return stat("/proc/self/task", &folder) == 0 ? folder.st_nlink - 2 : 1;
}

}  // namespace

absl::Status BlockSignals() {
  std::lock_guard<std::mutex> lock(mutex);
  if (before.has_value()) return absl::OkStatus();
  const int threads = Threads();
  if (threads > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("BlockSignals comes before the first thread, and ",
                     threads - 1, " run already"));
  }
  before.emplace();
  pthread_sigmask(SIG_BLOCK, nullptr, &*before);
  // Not destroyed: at exit the waiting signals would end the program.
  [[maybe_unused]] static const auto* mask = new BlockAllSignals;
  return absl::OkStatus();
}

std::optional<sigset_t> MaskBeforeBlockSignals() {
  std::lock_guard<std::mutex> lock(mutex);
  return before;
}

}  // namespace troupe
