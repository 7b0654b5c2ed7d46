#include "tests/benchmarks/troupe/troupe_loop.h"

#include <cstdlib>

#include "absl/status/status.h"

namespace troupe {

void TroupeLoop::OnSignal(int number, std::function<void()> callback) {
  auto& subscribers = subscribers_[number];
  subscribers.push_back(std::move(callback));
  if (subscribers.size() > 1) return;
  Require(loop_->AddSignalHandler(number, [&subscribers] {
    for (const auto& subscriber : subscribers) subscriber();
  }));
}

void TroupeLoop::Run() {
  if (!loop_->RunForever().ok()) abort();
}

void TroupeLoop::RunOnce() {
  if (!loop_->RunOnce().ok()) abort();
}

void TroupeLoop::Require(const CallHandle& accepted) {
  if (!accepted.status().ok()) abort();
}

}  // namespace troupe
