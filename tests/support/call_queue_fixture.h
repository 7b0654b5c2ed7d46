// A CallQueue on a clock turned by hand, with what its calls and its owner were
// told written down.
#ifndef TROUPE_TESTS_SUPPORT_CALL_QUEUE_FIXTURE_H_
#define TROUPE_TESTS_SUPPORT_CALL_QUEUE_FIXTURE_H_

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "actors/call_handle.h"
#include "actors/call_queue.h"
#include "actors/code_location.h"
#include "gtest/gtest.h"
#include "io/virtual_clock.h"

namespace troupe {

class CallQueueFixture : public ::testing::Test, protected CallQueue::Owner {
 protected:
  static constexpr CodeLocation kHere{"here.cc", 7};

  void Wake() override { ++wakes_; }
  void OnException(const CallHandle& call, std::exception_ptr) override {
    told_.push_back("threw " + call.ToString());
  }
  void OnSlow(const CallHandle&, absl::Duration) override {
    told_.push_back("slow");
  }

  Callback Says(std::string name, std::function<void()> then = nullptr) {
    return [this, name = std::move(name), then = std::move(then)] {
      told_.push_back(name);
      if (then) then();
    };
  }
  CallHandle Soon(Callback callback) {
    return calls_.Soon(std::move(callback), kHere);
  }
  CallHandle After(int64_t ns, Callback callback) {
    return calls_.At(clock_.NowNs() + ns, std::move(callback), kHere);
  }
  CallHandle Every(int64_t ns, Callback callback) {
    return calls_.Every(clock_.NowNs() + ns, ns, std::move(callback), kHere);
  }
  void Iterate() {
    calls_.Enter();
    calls_.Begin(false);
    calls_.Run();
    calls_.Leave();
  }
  void Pass(int64_t ns) { clock_.Advance(absl::Nanoseconds(ns)); }

  VirtualClock clock_{VirtualClock::Mode::kByHand};
  std::vector<std::string> told_;
  std::atomic<int> wakes_{0};
  CallQueue calls_{clock_, *this};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SUPPORT_CALL_QUEUE_FIXTURE_H_
