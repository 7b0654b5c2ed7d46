#include "process/descriptor_limit.h"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "io/os_error.h"

namespace troupe {
namespace {

struct State {
  std::mutex mutex;
  std::optional<rlim_t> original;
};

State& TheState() {
  static State state;
  return state;
}

}  // namespace

absl::Status RaiseDescriptorLimit() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return OsError(errno, "getrlimit");
  if (limit.rlim_cur == limit.rlim_max) return absl::OkStatus();
  rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return OsError(errno, "setrlimit");
  if (!state.original.has_value()) state.original = before;
  return absl::OkStatus();
}

std::optional<rlim_t> OriginalDescriptorLimit() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  return state.original;
}

absl::Status RestoreDescriptorLimit() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (!state.original.has_value()) return absl::OkStatus();
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return OsError(errno, "getrlimit");
  limit.rlim_cur = std::min(*state.original, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return OsError(errno, "setrlimit");
  state.original.reset();
  return absl::OkStatus();
}

}  // namespace troupe
