#include "process/stop_walk.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr StopWalk::TimePoint kNoon{std::chrono::hours(12)};

// Core rule 6: each rung sends its signal, then SIGCONT.
TEST(StopWalkTest, ContinuesTheProcessAfterEachSignal) {
  StopWalk walk{StopPlan()};
  EXPECT_THAT(walk.Start(kNoon), ElementsAre(SIGTERM, SIGCONT));
  EXPECT_THAT(walk.Advance(kNoon + seconds(5)), ElementsAre(SIGKILL, SIGCONT));
}

TEST(StopWalkTest, HasItsNextDeadline) {
  StopWalk walk{StopPlan()};
  EXPECT_EQ(walk.deadline(), std::nullopt);
  walk.Start(kNoon);
  EXPECT_EQ(walk.deadline(), kNoon + seconds(5));
  walk.Advance(kNoon + seconds(5));
  EXPECT_EQ(walk.deadline(), std::nullopt);
}

TEST(StopWalkTest, DoesNothingBeforeItsTime) {
  StopWalk walk{StopPlan()};
  EXPECT_THAT(walk.Advance(kNoon), IsEmpty());
  walk.Start(kNoon);
  EXPECT_THAT(walk.Advance(kNoon + seconds(4)), IsEmpty());
  EXPECT_EQ(walk.deadline(), kNoon + seconds(5));
}

TEST(StopWalkTest, StartsOnce) {
  StopWalk walk{StopPlan()};
  walk.Start(kNoon);
  EXPECT_THAT(walk.Start(kNoon + seconds(1)), IsEmpty());
  EXPECT_EQ(walk.deadline(), kNoon + seconds(5));
}

// A loop that was held up may not take the process's time away.
TEST(StopWalkTest, CountsAWaitFromTheSignalNotFromThePlan) {
  StopWalk walk{
      StopPlan{{{SIGINT, seconds(1)}, {SIGTERM, seconds(2)}, {SIGKILL}}}};
  walk.Start(kNoon);
  EXPECT_THAT(walk.Advance(kNoon + seconds(100)),
              ElementsAre(SIGTERM, SIGCONT));
  EXPECT_EQ(walk.deadline(), kNoon + seconds(102));
}

TEST(StopWalkTest, HurriesToTheNextRung) {
  StopWalk walk{StopPlan()};
  EXPECT_THAT(walk.Hurry(kNoon), ElementsAre(SIGTERM, SIGCONT));
  EXPECT_THAT(walk.Hurry(kNoon), ElementsAre(SIGKILL, SIGCONT));
  EXPECT_THAT(walk.Hurry(kNoon), ElementsAre(SIGKILL, SIGCONT));
  EXPECT_EQ(walk.deadline(), std::nullopt);
}

TEST(StopWalkTest, GivesUpWhenTheLastWaitIsOver) {
  StopWalk walk{StopPlan{{{SIGTERM, seconds(1)}}}};
  walk.Start(kNoon);
  EXPECT_FALSE(walk.gave_up());
  EXPECT_THAT(walk.Advance(kNoon + seconds(1)), IsEmpty());
  EXPECT_TRUE(walk.gave_up());
  EXPECT_EQ(walk.deadline(), std::nullopt);
}

TEST(StopWalkTest, WaitsForEverWithoutRungs) {
  StopWalk walk{StopPlan{{}}};
  EXPECT_THAT(walk.Start(kNoon), IsEmpty());
  EXPECT_THAT(walk.Hurry(kNoon), IsEmpty());
  EXPECT_EQ(walk.deadline(), std::nullopt);
  EXPECT_FALSE(walk.gave_up());
}

}  // namespace
}  // namespace troupe
