// Which members a supervisor starts again, when, and how often.
#include <chrono>
#include <string>
#include <vector>

#include "actors/supervisor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/io_thread.h"
#include "tests/actors/supervisor_fixture.h"
#include "tests/support/standstill.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

class SupervisorRestartTest : public SupervisorFixture {};

TEST_F(SupervisorRestartTest, RestartsWithBackOffUntilThePolicyGivesUp) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kOnFailure,
               .initial_delay = milliseconds(1),
               .max_restarts = 2};
  Start({a, Waiting("b")});
  std::vector<std::string> facts = FactsOf("a");
  std::erase(facts, "a drained");  // of an earlier run: at any time
  EXPECT_THAT(facts,
              ElementsAre("a started 0", "a exit code 3", "a restarts 1 1ms",
                          "a started 1", "a exit code 3", "a restarts 2 2ms",
                          "a started 2", "a exit code 3"));
  EXPECT_EQ(trace_->Count("a drained"), 3u);
  EXPECT_EQ(trace_->Count("b asked killed by SIGTERM"), 1u);
}

TEST_F(SupervisorRestartTest, DoesNotRestartWhatEndedWellOnFailureOnly) {
  MemberSpec a = Exiting("a", 0);
  a.restart.when = RestartWhen::kOnFailure;
  Start({a});
  EXPECT_THAT(Facts(), Not(Contains(StartsWith("a restarts"))));
}

TEST_F(SupervisorRestartTest, RestartsEachMemberOnceOnRequest) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  WhileStandingStill(system_->io().host(), [&] {
    Tell(RestartMembers{});
    Tell(RestartMembers{});  // while it is at it
  });
  ASSERT_TRUE(trace_->WaitFor("a wrote r", 2) &&
              trace_->WaitFor("b wrote r", 2));
  EXPECT_EQ(trace_->Count("a asked killed by SIGTERM"), 1u);
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"), Not(Contains(StartsWith("a started 2"))));
}

TEST_F(SupervisorRestartTest, RestartsAMemberThatWaitsAtOnce) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = std::chrono::hours(1),
               .max_delay = std::chrono::hours(1)};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a restarts 1 1h"));
  Tell(RestartMembers{});
  ASSERT_TRUE(trace_->WaitFor("a started 1"));
  Tell(StopMembers{});
  Facts();
}

TEST_F(SupervisorRestartTest, RestartsAMemberThatHadEnded) {
  MemberSpec a = Exiting("a", 0);
  a.on_end = MemberSpec::OnEnd::kLetOthersRun;
  Start({a, Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  Tell(RestartMembers{});
  ASSERT_TRUE(trace_->WaitFor("a started 1"));
  Tell(StopMembers{});
  Facts();
}

TEST_F(SupervisorRestartTest, DoesNotRestartWhileItStops) {
  Start({Stubborn("a")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Tell(RestartMembers{});
  Tell(KillMembers{});
  EXPECT_THAT(FactsOf("a"), Not(Contains("a started 1")));
}

}  // namespace
}  // namespace troupe
