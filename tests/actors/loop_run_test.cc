// Running, stopping and closing a loop.
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "actors/loop.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/loop_fixture.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

class LoopRunTest : public LoopFixture {};

// Row L1.
TEST_F(LoopRunTest, SaysWhatStateItIsIn) {
  EXPECT_EQ(loop_->ToString(), "<Loop running=False closed=False debug=False>");
  loop_->CallSoon([&] {
    EXPECT_EQ(loop_->ToString(),
              "<Loop running=True closed=False debug=False>");
    loop_->Stop();
  });
  Run();
  ASSERT_TRUE(loop_->Close().ok());
  EXPECT_EQ(loop_->ToString(), "<Loop running=False closed=True debug=False>");
}

// Row L11.
TEST_F(LoopRunTest, MayBeRunAgainAfterStop) {
  for (int i = 0; i < 3; ++i) {
    loop_->CallSoon(SaysAndStops("run"));
    Run();
    EXPECT_FALSE(loop_->IsRunning());
  }
  EXPECT_THAT(told_, ElementsAre("run", "run", "run"));
}

}  // namespace
}  // namespace troupe
