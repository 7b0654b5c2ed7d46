#include "actors/supervisor.h"

#include <signal.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actors/supervisor_fixture.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SupervisorTest : public SupervisorFixture {};

// -- order of facts -----------------------------------------------------------

TEST_F(SupervisorTest, TellsStartOutputExitDrainAndEndInOrder) {
  Start({Member("a", {"/bin/echo", "-n", "hello"})});
  std::vector<std::string> facts = Facts();
  ASSERT_EQ(facts.size(), 6u);
  EXPECT_EQ(facts.front(), "a started 0");
  EXPECT_EQ(facts.back(), "ended");
  EXPECT_THAT(facts, Contains("a wrote hello"));
  EXPECT_THAT(facts, Contains("a exit code 0"));
  EXPECT_THAT(facts, Contains("stopping 0 because a"));
  EXPECT_EQ(facts[4], "a drained");
}

TEST_F(SupervisorTest, TellsTheEndOnceAndLast) {
  std::vector<MemberSpec> members;
  for (int i = 0; i < 20; ++i) members.push_back(Exiting("m", i));
  for (MemberSpec& member : members) {
    member.on_end = MemberSpec::OnEnd::kLetOthersRun;
  }
  Start(std::move(members));
  std::vector<std::string> facts = Facts();
  EXPECT_EQ(facts.back(), "ended");
  EXPECT_EQ(trace_->Count("ended"), 1u);
  EXPECT_EQ(trace_->Count("m drained"), 20u);
}

TEST_F(SupervisorTest, EndsAtOnceWithoutMembers) {
  Start({});
  EXPECT_THAT(Facts(), ElementsAre("ended"));
}

// -- ends ---------------------------------------------------------------------

TEST_F(SupervisorTest, StopsTheOthersWhenOneEnds) {
  Start({Exiting("a", 3), Waiting("b"), Waiting("c")});
  std::vector<std::string> facts = Facts();
  EXPECT_THAT(facts, Contains("a exit code 3"));
  EXPECT_THAT(facts, Contains("stopping 2 because a"));
  EXPECT_THAT(facts, Contains("b asked killed by SIGTERM"));
  EXPECT_THAT(facts, Contains("c asked killed by SIGTERM"));
}

TEST_F(SupervisorTest, LetsTheOthersRunWhenToldSo) {
  MemberSpec a = Exiting("a", 3);
  a.on_end = MemberSpec::OnEnd::kLetOthersRun;
  Start({a, Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  ASSERT_TRUE(trace_->WaitFor("b wrote r"));
  EXPECT_EQ(trace_->Count("b drained"), 0u);
  Tell(StopMembers{});
  EXPECT_THAT(Facts(), Contains("stopping 1"));
}

TEST_F(SupervisorTest, StopsWhatAMemberLeftInItsGroup) {
  Start({Shell("a", "sleep 1000 >&- & printf r")});
  EXPECT_THAT(FactsOf("a"), Contains("a exit code 0"));
  WaitUntilNobodyIsLeft();
}

TEST_F(SupervisorTest, StopsWhatHoldsTheOutputOfAMemberThatEnded) {
  Start({Shell("a", "sleep 1000 & printf r")});
  EXPECT_THAT(FactsOf("a"), Contains("a drained"));
  WaitUntilNobodyIsLeft();
}

// It holds no stream, and the leader was reaped: nobody could reach it.
TEST_F(SupervisorTest, KillsWhatAMemberLeftInItsGroup) {
  MemberSpec a =
      Shell("a", "trap '' TERM; sleep 1000 >/dev/null 2>&1 & printf r");
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a drained"));
  EXPECT_EQ(trace_->Count("ended"), 0u);
  Tell(KillMembers{});
  Facts();
  WaitUntilNobodyIsLeft();
}

// -- starts that fail ---------------------------------------------------------

TEST_F(SupervisorTest, TellsWhyAMemberCouldNotStartAndStopsTheOthers) {
  Start({Member("a", {"/no/such"}), Waiting("b")});
  std::vector<std::string> facts = Facts();
  EXPECT_THAT(facts, Contains("a not started exec \"/no/such\": No such file "
                              "or directory"));
  EXPECT_THAT(facts, Contains("stopping 1 because a"));
  EXPECT_EQ(trace_->Count("a drained"), 0u);
  EXPECT_EQ(facts.back(), "ended");
}

TEST_F(SupervisorTest, TellsAFolderThatIsNotThere) {
  MemberSpec a = Waiting("a");
  a.command.cwd = "/no/such";
  Start({a});
  EXPECT_THAT(Facts(),
              Contains(AllOf(StartsWith("a not started"),
                             HasSubstr("\"/no/such\": No such file"))));
}

TEST_F(SupervisorTest, TriesAgainWhatCouldNotStartWithBackOff) {
  MemberSpec a = Member("a", {"/no/such"});
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = milliseconds(1),
               .max_restarts = 3};
  Start({a});
  std::vector<std::string> facts = FactsOf("a");
  ASSERT_EQ(facts.size(), 7u);
  EXPECT_THAT(facts[0], StartsWith("a not started"));
  EXPECT_EQ(facts[1], "a restarts 1 1ms");
  EXPECT_EQ(facts[3], "a restarts 2 2ms");
  EXPECT_EQ(facts[5], "a restarts 3 4ms");
}

TEST_F(SupervisorTest, DoesItsWorkWithoutAnObserver) {
  group_ = SpawnSupervisor(system_->processes(), {Exiting("a", 0)},
                           SupervisorObserver());
}

}  // namespace
}  // namespace troupe
