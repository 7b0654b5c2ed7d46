#include "tests/support/yield_until.h"

#include <thread>

namespace troupe {

bool YieldUntil(const std::function<bool()>& holds,
                std::chrono::steady_clock::duration patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace troupe
