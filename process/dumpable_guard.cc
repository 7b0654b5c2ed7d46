#include "process/dumpable_guard.h"

#include <sys/prctl.h>

#include <mutex>

namespace troupe {
namespace {

struct State {
  std::mutex mutex;
  int guards = 0;
  int saved = 0;
};

State& TheState() {
  static State state;
  return state;
}

}  // namespace

DumpableGuard::DumpableGuard(bool needed) : needed_(needed) {
  if (!needed_) return;
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (state.guards++ == 0) state.saved = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

DumpableGuard::~DumpableGuard() {
  if (!needed_) return;
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  // 2 cannot be set, only come from fs.suid_dumpable: there was nothing to
  // lose.
  if (--state.guards == 0 && state.saved == 1) {
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
}

}  // namespace troupe
