// StopProcess of a leader: its group has the plan's time, too (core rule 6).
#include <signal.h>

#include <chrono>
#include <memory>

#include "caf/send.hpp"
#include "gtest/gtest.h"
#include "process/process_messages.h"
#include "tests/process/subprocess_stop_fixture.h"

namespace troupe {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class SubprocessGroupStopTest : public SubprocessStopTest {};

// Core rule 6: offspring that outlives its leader has the plan's time, too, and
// the answer waits for it.
TEST_F(SubprocessGroupStopTest, TheGroupHasItsTimeAfterItsLeaderEnded) {
  Subprocess child = Lead("linger", InGroup(Piped({})));
  AskLater<ProcessExited>("stop", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("DATA 1 't'"));
  EXPECT_EQ(trace_->Count("stop: EXIT -15"), 0u);
  EXPECT_EQ(StateOf(pid_), 'Z');  // pins the group's number
  caf::anon_send(child, CloseStdin{});
  ASSERT_TRUE(trace_->WaitFor("stop: EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
  EXPECT_EQ(trace_->Count("DATA 1 'd'"), 1u);
  EXPECT_TRUE(WaitUntilGone(pid_));
}

TEST_F(SubprocessGroupStopTest,
       TheGroupIsKilledAndTheAnswerWaitsUntilItIsEmpty) {
  for (int round = 1; round <= 20; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = Lead("ignore", InGroup(Piped({})));
    EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(20)}, {SIGKILL}})}),
              "EXIT -15");
    EXPECT_TRUE(IsDead(second_)) << "round " << round << StateOf(second_);
    ASSERT_TRUE(trace_->WaitFor("CL", round));
  }
}

// The same when leader and offspring are killed together.
TEST_F(SubprocessGroupStopTest, AKillAtOnceIsAnsweredWhenTheGroupIsEmpty) {
  for (int round = 1; round <= 20; ++round) {
    got_ = std::make_shared<Received>();
    Subprocess child = Lead("ignore", InGroup(Piped({})));
    EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -9");
    EXPECT_TRUE(IsDead(second_)) << "round " << round << StateOf(second_);
    ASSERT_TRUE(trace_->WaitFor("CL", round));
  }
}

// A leader that ended by itself leaves its group to be stopped later.
TEST_F(SubprocessGroupStopTest, StopsTheGroupOfALeaderThatHasExited) {
  Subprocess child = NewSubprocess();
  ASSERT_EQ(Start(child, InGroup(Piped({ChildProgram("hold_stdout")}))), "");
  ASSERT_TRUE(trace_->WaitFor("EXIT 0"));
  EXPECT_EQ(trace_->Count("CL"), 0u);
  EXPECT_EQ(StopBy(child), "EXIT 0");
  EXPECT_LT(took_, milliseconds(2500));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessGroupStopTest, AChildInOurGroupIsStoppedAlone) {
  Subprocess child = Lead("ignore", Piped({}));
  EXPECT_EQ(StopBy(child), "EXIT -15");
  EXPECT_FALSE(IsDead(second_));
  EXPECT_EQ(trace_->Count("CL"), 0u);
  kill(second_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// The same when the leader has ended and its group is being waited for.
TEST_F(SubprocessGroupStopTest, ASecondStopReplacesThePlanOfTheGroup) {
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  AskLater<ProcessExited>("first", child,
                          StopProcess{Plan({{SIGTERM, hours(1)}, {SIGKILL}})});
  ASSERT_TRUE(trace_->WaitFor("EXIT -15"));
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT -15");
  EXPECT_TRUE(IsDead(second_));
  ASSERT_TRUE(trace_->WaitFor("first: EXIT -15"));
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

TEST_F(SubprocessGroupStopTest, APlanThatGivesUpOnAGroupIsAnsweredByTheExit) {
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  EXPECT_EQ(StopBy(child, {Plan({{SIGTERM, milliseconds(50)}})}), "EXIT -15");
  EXPECT_FALSE(IsDead(second_));
  kill(second_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
}

// Somebody who ignores SIGCHLD has all statuses taken by the kernel, and then
// nothing pins the group's number: it is not signalled any more.
TEST_F(SubprocessGroupStopTest, NeverSignalsTheGroupOfAReapedLeader) {
  signal(SIGCHLD, SIG_IGN);
  Subprocess child = Lead("ignore", InGroup(Piped({})));
  ASSERT_TRUE(Do(child, SendSignal{SIGKILL}).ok());
  ASSERT_TRUE(trace_->WaitFor("EXIT 255"));
  EXPECT_EQ(StopBy(child, {Plan({{SIGKILL}})}), "EXIT 255");
  EXPECT_FALSE(IsDead(second_));
  kill(second_, SIGKILL);
  ASSERT_TRUE(trace_->WaitFor("CL"));
  signal(SIGCHLD, SIG_DFL);
}

}  // namespace
}  // namespace troupe
