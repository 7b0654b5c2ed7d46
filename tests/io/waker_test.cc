#include "io/waker.h"

#include <poll.h>

#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class WakerTest : public LeakCheckedTest {
 protected:
  bool Awake(int timeout_ms = 0) {
    pollfd set = {waker_.fd(), POLLIN, 0};
    return poll(&set, 1, timeout_ms) == 1;
  }
  Waker waker_ = *Waker::Create();
};

TEST_F(WakerTest, SleepsUntilItIsWoken) {
  EXPECT_FALSE(Awake());
  std::thread other([this] { waker_.Wake(); });
  EXPECT_TRUE(Awake(-1));
  other.join();
}

TEST_F(WakerTest, CountsManyWakeUpsAsOne) {
  std::vector<std::thread> others;
  for (int i = 0; i < 4; ++i) {
    others.emplace_back([this] {
      for (int n = 0; n < 10000; ++n) waker_.Wake();
    });
  }
  for (std::thread& other : others) other.join();
  EXPECT_TRUE(Awake());
  waker_.Clear();
  EXPECT_FALSE(Awake());
}

TEST_F(WakerTest, DoesNotBlockWhenThereIsNothingToClear) {
  waker_.Clear();
  waker_.Wake();
  EXPECT_TRUE(Awake());
}

}  // namespace
}  // namespace troupe
