#include "process/stop_plan.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(StopPlanTest, AsksThenKillsByDefault) {
  EXPECT_EQ(StopPlan().ToString(), "SIGTERM 5s SIGKILL");
  EXPECT_TRUE(Validate(StopPlan()).ok());
}

TEST(StopPlanTest, ReadsAsItWillBeWalked) {
  EXPECT_EQ((StopPlan{{{SIGINT, milliseconds(1500)}, {SIGKILL, seconds(1)}}})
                .ToString(),
            "SIGINT 1500ms SIGKILL 1s");
  EXPECT_EQ(StopPlan{{}}.ToString(), "no signal");
}

TEST(StopPlanTest, MayBeEmpty) { EXPECT_TRUE(Validate(StopPlan{{}}).ok()); }

TEST(StopPlanTest, RefusesWhatEndsNoProcess) {
  EXPECT_EQ(Validate(StopPlan{{{SIGSTOP}}}).message(),
            "stop plan: SIGSTOP ends no process");
  EXPECT_EQ(Validate(StopPlan{{{0}}}).message(),
            "stop plan: signal 0 ends no process");
}

TEST(StopPlanTest, RefusesNegativeWaits) {
  EXPECT_EQ(Validate(StopPlan{{{SIGTERM, seconds(-1)}}}).message(),
            "stop plan: negative wait after SIGTERM");
}

TEST(StopPlanTest, RefusesRungsThatAreNeverReached) {
  EXPECT_EQ(Validate(StopPlan{{{SIGTERM}, {SIGKILL}}}).message(),
            "stop plan: nothing can follow SIGTERM, which has no time limit");
}

}  // namespace
}  // namespace troupe
