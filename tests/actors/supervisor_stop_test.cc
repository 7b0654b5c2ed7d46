// Stopping and killing members, in every phase of theirs, and when an actor
// dies.
#include <signal.h>

#include <chrono>

#include "actors/supervisor.h"
#include "caf/exit_reason.hpp"
#include "caf/send.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actors/supervisor_fixture.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;

class SupervisorStopTest : public SupervisorFixture {};

TEST_F(SupervisorStopTest, StopsMembersThatAreStarting) {
  Start({Waiting("a"), Waiting("b")});
  Tell(StopMembers{});
  EXPECT_EQ(Facts().back(), "ended");
}

TEST_F(SupervisorStopTest, KillsMembersThatAreStarting) {
  Start({Stubborn("a"), Stubborn("b")});
  Tell(KillMembers{});
  EXPECT_EQ(Facts().back(), "ended");
}

TEST_F(SupervisorStopTest, StopsAMemberThatWaitsForItsRestart) {
  MemberSpec a = Exiting("a", 3);
  a.restart = {.when = RestartWhen::kAlways,
               .initial_delay = std::chrono::hours(1),
               .max_delay = std::chrono::hours(1)};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a restarts 1 1h"));
  Tell(StopMembers{});
  EXPECT_THAT(Facts(), Contains("stopping 0"));
}

TEST_F(SupervisorStopTest, StopsMembersThatAreBeingRestarted) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, milliseconds(50)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(RestartMembers{});
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"),
              ElementsAre("a started 0", "a wrote r",
                          "a asked killed by SIGKILL", "a drained"));
}

TEST_F(SupervisorStopTest, KillsMembersThatAreBeingStopped) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Tell(KillMembers{});
  Tell(KillMembers{});
  EXPECT_THAT(FactsOf("a"), Contains("a asked killed by SIGKILL"));
  WaitUntilNobodyIsLeft();
}

TEST_F(SupervisorStopTest, KillsMembersThatAreBeingRestarted) {
  MemberSpec a = Stubborn("a");
  a.stop_plan = {{{SIGTERM, std::chrono::hours(1)}, {SIGKILL}}};
  Start({a});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(RestartMembers{});
  Tell(KillMembers{});
  EXPECT_EQ(Facts().back(), "ended");
  EXPECT_EQ(trace_->Count("a started 1"), 0u);
}

TEST_F(SupervisorStopTest, StopsTheWholeGroupOfAMember) {
  Start({Shell("a", "sleep 1000 & printf r; wait")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  Facts();
  WaitUntilNobodyIsLeft();
}

TEST_F(SupervisorStopTest, StopsAStoppedMember) {
  Start({Shell("a", "printf r; kill -STOP $$")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r"));
  Tell(StopMembers{});
  EXPECT_THAT(FactsOf("a"), Contains("a asked killed by SIGTERM"));
}

TEST_F(SupervisorStopTest, StopsAllWhenItsObserverDies) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  caf::anon_send_exit(observer_, caf::exit_reason::kill);
  WaitUntilNobodyIsLeft();
}

TEST_F(SupervisorStopTest, StopsAllWhenItIsKilled) {
  Start({Waiting("a"), Waiting("b")});
  ASSERT_TRUE(trace_->WaitFor("a wrote r") && trace_->WaitFor("b wrote r"));
  caf::anon_send_exit(group_, caf::exit_reason::kill);
  WaitUntilNobodyIsLeft();
  EXPECT_EQ(trace_->Count("ended"), 0u);
  caf::anon_send_exit(observer_, caf::exit_reason::user_shutdown);
}

}  // namespace
}  // namespace troupe
