#include "io/warm_ring.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Person final : WarmRing::Member {
  Person(int number, std::vector<int>& cold) : number(number), cold(cold) {}
  void OnCold() override { cold.push_back(number); }

  const int number;
  std::vector<int>& cold;
};

class WarmRingTest : public ::testing::Test {
 protected:
  // Of a full ring: as often as it takes.
  void PushIn(Person& person) {
    for (size_t i = 1; i < WarmRing::kAsks; ++i) {
      EXPECT_FALSE(ring_.Enter(person));
    }
    EXPECT_TRUE(ring_.Enter(person));
  }

  WarmRing ring_{2};
  std::vector<int> cold_;
  Person one_{1, cold_}, two_{2, cold_}, three_{3, cold_};
};

TEST_F(WarmRingTest, WhoEnteredFirstMakesRoom) {
  EXPECT_TRUE(ring_.Enter(one_));
  EXPECT_TRUE(ring_.Enter(two_));
  EXPECT_THAT(cold_, IsEmpty());
  PushIn(three_);
  PushIn(one_);
  EXPECT_THAT(cold_, ElementsAre(1, 2));
}

TEST_F(WarmRingTest, EnteringAgainChangesNothing) {
  ring_.Enter(one_);
  ring_.Enter(one_);
  ring_.Enter(one_);
  ring_.Enter(two_);
  EXPECT_TRUE(ring_.Enter(one_));
  PushIn(three_);
  EXPECT_THAT(cold_, ElementsAre(1));
}

TEST_F(WarmRingTest, AMemberThatEndsLeaves) {
  auto ends = std::make_unique<Person>(4, cold_);
  ring_.Enter(*ends);
  ends.reset();
  ring_.Enter(one_);
  EXPECT_TRUE(ring_.Enter(two_));
  PushIn(three_);
  EXPECT_THAT(cold_, ElementsAre(1));
}

// The one that has lost its place has none to leave.
TEST_F(WarmRingTest, WhoIsColdLeavesTheOthersAlone) {
  auto ends = std::make_unique<Person>(4, cold_);
  ring_.Enter(*ends);
  ring_.Enter(one_);
  PushIn(two_);
  ends.reset();
  PushIn(three_);
  EXPECT_THAT(cold_, ElementsAre(4, 1));
}

}  // namespace
}  // namespace troupe
