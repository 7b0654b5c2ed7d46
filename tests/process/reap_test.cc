#include "process/reap.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "gtest/gtest.h"
#include "io/os_error.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

// A child that runs until its stdin ends, past its first byte.
class ReapTest : public LeakCheckedTest {
 protected:
  void SetUp() override {
    auto child = Spawn({.argv = {ChildProgram("wait_for_eof")},
                        .stdin_from = Stdio::Pipe(),
                        .stdout_to = Stdio::Pipe()});
    ASSERT_TRUE(child.ok()) << child.status();
    child_ = *std::move(child);
    ASSERT_EQ(ReadBytes(child_.stdout_pipe.get(), 1), "r");
  }

  int pidfd() const { return child_.pidfd.get(); }

  // Ends the child and waits until the pidfd tells so.
  void End() {
    child_.stdin_pipe.Close();
    pollfd waited = {pidfd(), POLLIN, 0};
    ASSERT_EQ(poll(&waited, 1, -1), 1);
  }

  SpawnedChild child_;
};

TEST_F(ReapTest, TellsNothingWhileTheChildRuns) {
  auto report = PollExit(child_.id());
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->has_value());
  EXPECT_TRUE(absl::IsFailedPrecondition(Reap(child_.id()).status()));
  End();
  EXPECT_TRUE(Reap(child_.id()).ok());
}

// Core rule 6: the exit is published, the zombie stays.
TEST_F(ReapTest, PublishesTheExitWithoutReaping) {
  End();
  for (int i = 0; i < 2; ++i) {
    auto report = PollExit(child_.id());
    ASSERT_TRUE(report.ok());
    ASSERT_TRUE(report->has_value());
    EXPECT_EQ((*report)->status, ExitStatus::Exited(0));
  }
  EXPECT_EQ(kill(child_.pid, 0), 0);
  auto report = Reap(child_.id());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->status, ExitStatus::Exited(0));
  EXPECT_NE(kill(child_.pid, 0), 0);
}

TEST_F(ReapTest, TellsWhatTheChildHasUsed) {
  End();
  auto report = Reap(child_.id());
  ASSERT_TRUE(report.ok());
  EXPECT_GT(report->usage.ru_maxrss, 0);
}

// Row RC4.
TEST_F(ReapTest, TellsALostStatus) {
  End();
  ASSERT_EQ(waitpid(child_.pid, nullptr, 0), child_.pid);
  auto report = PollExit(child_.id());
  ASSERT_TRUE(report.ok());
  ASSERT_TRUE(report->has_value());
  EXPECT_TRUE((*report)->status.lost());
  EXPECT_TRUE(AwaitExit(child_.id())->status.lost());
  EXPECT_TRUE(Reap(child_.id())->status.lost());
}

TEST_F(ReapTest, WaitsForTheExit) {
  child_.stdin_pipe.Close();
  auto report = AwaitExit(child_.id());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->status, ExitStatus::Exited(0));
  EXPECT_TRUE(Reap(child_.id()).ok());
}

// One that has no pidfd.
TEST_F(ReapTest, KnowsAChildByItsPid) {
  const ChildId child = ChildId::ByPid(child_.pid);
  EXPECT_FALSE(PollExit(child)->has_value());
  EXPECT_TRUE(absl::IsFailedPrecondition(Reap(child).status()));
  child_.stdin_pipe.Close();
  EXPECT_EQ(AwaitExit(child)->status, ExitStatus::Exited(0));
  EXPECT_TRUE(PollExit(child)->has_value());
  EXPECT_EQ(Reap(child)->status, ExitStatus::Exited(0));
  EXPECT_TRUE(Reap(child)->status.lost());
}

// A process that is no child of ours is lost at once.
TEST_F(ReapTest, TellsAStrangersStatusAsLost) {
  EXPECT_TRUE((*PollExit(ChildId::ByPid(1)))->status.lost());
  EndOf(&child_);
}

TEST_F(ReapTest, TakesAnyZombieAway) {
  auto none = ReapAny();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());  // it runs
  End();
  auto reaped = ReapAny();
  ASSERT_TRUE(reaped.ok() && reaped->has_value());
  EXPECT_EQ((*reaped)->pid, child_.pid);
  EXPECT_EQ((*reaped)->report.status, ExitStatus::Exited(0));
  EXPECT_GT((*reaped)->report.usage.ru_maxrss, 0);
  EXPECT_FALSE(ReapAny()->has_value());  // no children at all
}

TEST_F(ReapTest, SendsSignals) {
  ASSERT_TRUE(SignalProcess(pidfd(), SIGUSR1).ok());
  EXPECT_EQ(EndOf(&child_), ExitStatus::Killed(SIGUSR1));
}

// Row P20: a stopped child has not exited.
TEST_F(ReapTest, DoesNotTakeAStopForAnExit) {
  ASSERT_TRUE(SignalProcess(pidfd(), SIGSTOP).ok());
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, child_.pid, &info, WSTOPPED), 0);
  EXPECT_FALSE(PollExit(child_.id())->has_value());
  ASSERT_TRUE(SignalProcess(pidfd(), SIGCONT).ok());
  EXPECT_EQ(EndOf(&child_), ExitStatus::Exited(0));
}

// Row P20: EINVAL for what is no signal; 0 asks whether the child is there.
TEST_F(ReapTest, RefusesWhatIsNoSignal) {
  EXPECT_TRUE(SignalProcess(pidfd(), 0).ok());
  EXPECT_EQ(OsFailureOf(SignalProcess(pidfd(), 9999))->error_number, EINVAL);
  EXPECT_EQ(OsFailureOf(SignalProcess(pidfd(), -1))->error_number, EINVAL);
  EndOf(&child_);
}

TEST_F(ReapTest, ReachesNobodyOnceTheChildIsReaped) {
  End();
  EXPECT_TRUE(SignalProcess(pidfd(), SIGTERM).ok());  // a zombie: no effect
  ASSERT_EQ(Reap(child_.id())->status, ExitStatus::Exited(0));
  EXPECT_TRUE(absl::IsNotFound(SignalProcess(pidfd(), SIGTERM)));
}

}  // namespace
}  // namespace troupe
