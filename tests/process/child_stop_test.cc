// The walk without an actor: what to do next, by a clock the test turns.
#include "process/child_stop.h"

#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/no_kill_capability.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Next = ChildStop::Next;

class ChildStopTest : public LeakCheckedTest {
 protected:
  // A child that ignores SIGTERM and is killed by the fixture, if need be.
  void Spawned(ProcessGroup group) {
    Spawned({.argv = {ChildProgram("ignore_sigterm")}, .group = group});
    ReadBytes(child_.stdout_pipe.get(), 1);
  }
  void Spawned(Command command) {
    const ProcessGroup group = command.group;
    command.stdin_from = command.stdout_to = Stdio::Pipe();
    auto child = Spawn(command);
    ASSERT_TRUE(child.ok()) << child.status();
    child_ = *std::move(child);
    auto pidfd = std::make_shared<const OwnedFd>(std::move(child_.pidfd));
    lease_ = std::make_shared<ChildLease>(
        child_.pid, pidfd, group != ProcessGroup::kInherit,
        [](pid_t, SharedFd pidfd, bool) {
          (void)SignalProcess(pidfd->get(), SIGKILL);
          const ChildId id = ChildId::ByPidfd(pidfd->get());
          (void)AwaitExit(id);
          (void)Reap(id);
        });
  }
  ~ChildStopTest() override {
    child_.stdin_pipe.Close();
    lease_.reset();
    child_ = SpawnedChild();
  }

  ChildStop::TimePoint now_{seconds(1000)};
  SpawnedChild child_;
  std::shared_ptr<ChildLease> lease_;
};

TEST_F(ChildStopTest, WaitsForTheRungsWhileTheLeaderRuns) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGTERM, seconds(5)}, {SIGKILL}}});
  EXPECT_EQ(stop.Begin(now_, false), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + seconds(5));
  EXPECT_EQ(stop.OnTime(now_ + seconds(4)), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + seconds(5));
  EXPECT_EQ(stop.OnTime(now_ + seconds(5)), Next::kWait);
  EXPECT_EQ(stop.wake_at(), std::nullopt);
  auto report = AwaitExit(lease_->id());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->status, ExitStatus::Killed(SIGKILL));
}

TEST_F(ChildStopTest, AsksForTheGroupOnceItsLeaderHasEnded) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGTERM, seconds(5)}, {SIGKILL}}});
  stop.Begin(now_, false);
  EXPECT_EQ(stop.OnLeaderEnded(), Next::kListGroup);
  EXPECT_EQ(stop.OnGroup(now_, 2), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + milliseconds(10));
  EXPECT_EQ(stop.OnTime(now_ + milliseconds(10)), Next::kListGroup);
  EXPECT_EQ(stop.OnGroup(now_ + milliseconds(10), 1), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + milliseconds(30));
  EXPECT_EQ(stop.OnGroup(now_ + milliseconds(30), 0), Next::kDone);
}

// The next rung is never later than promised, whatever the pauses.
TEST_F(ChildStopTest, LooksAtTheGroupNoLaterThanTheNextRung) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGTERM, milliseconds(5)}, {SIGKILL}}});
  stop.Begin(now_, true);
  EXPECT_EQ(stop.OnGroup(now_, 1), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + milliseconds(5));
}

TEST_F(ChildStopTest, WaitsForTheGroupBehindARungWithoutLimit) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGKILL}}});
  EXPECT_EQ(stop.Begin(now_, true), Next::kListGroup);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(stop.OnGroup(now_, 1), Next::kWait);
    EXPECT_LE(*stop.wake_at() - now_, milliseconds(500));
  }
  EXPECT_EQ(stop.OnGroup(now_, 0), Next::kDone);
}

// A /proc that cannot be read: the plan's time, and no more.
TEST_F(ChildStopTest, AGroupThatCannotBeListedHasThePlansTime) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGTERM, seconds(5)}, {SIGKILL}}});
  stop.Begin(now_, true);
  EXPECT_EQ(stop.OnGroup(now_, std::nullopt), Next::kWait);
  EXPECT_EQ(stop.wake_at(), now_ + seconds(5));
  EXPECT_EQ(stop.OnTime(now_ + seconds(5)), Next::kListGroup);
  EXPECT_EQ(stop.OnGroup(now_ + seconds(5), std::nullopt), Next::kDone);
}

TEST_F(ChildStopTest, AChildInOurGroupIsAllThereIs) {
  Spawned(ProcessGroup::kInherit);
  ChildStop stop(lease_, {{{SIGTERM, seconds(5)}, {SIGKILL}}});
  stop.Begin(now_, false);
  EXPECT_EQ(stop.OnLeaderEnded(), Next::kDone);
}

TEST_F(ChildStopTest, GivesUpAtTheEndOfThePlan) {
  Spawned(ProcessGroup::kNewGroup);
  ChildStop stop(lease_, {{{SIGTERM, seconds(1)}}});
  stop.Begin(now_, false);
  EXPECT_EQ(stop.OnTime(now_ + seconds(1)), Next::kGaveUp);
  ChildStop group(lease_, {{{SIGTERM, seconds(1)}}});
  group.Begin(now_, true);
  EXPECT_EQ(group.OnTime(now_ + seconds(1)), Next::kDone);
}

// Rows V9, A7: the zombie pinned the number of its group; it is gone.
TEST_F(ChildStopTest, SignalsNoGroupWhoseLeaderSomebodyElseHasReaped) {
  Spawned({.argv = {ChildProgram("lead_group"), "linger"},
           .group = ProcessGroup::kNewGroup});
  std::string line;
  while (line.empty() || line.back() != '\n') {
    line += ReadBytes(child_.stdout_pipe.get(), 1);
  }
  ASSERT_EQ(kill(child_.pid, SIGKILL), 0);
  (void)AwaitExit(lease_->id());
  ASSERT_EQ(Reap(lease_->id())->status, ExitStatus::Killed(SIGKILL));
  ChildStop stop(lease_, {{{SIGKILL}}});
  stop.Begin(now_, false);
  EXPECT_EQ(kill(-child_.pid, SIGTERM), 0);  // the second is alive
  child_.stdin_pipe.Close();
  EXPECT_EQ(ReadToEnd(child_.stdout_pipe.get()), "td");
}

class StrangersStopTest : private NoKillCapability, public ChildStopTest {
 protected:
  void SetUp() override {
    if (!MayHaveStrangers()) GTEST_SKIP() << "needs root";
  }
};

// Row V10: a leader that may not be signalled (set-user-id) is there all the
// same, and its group is reached as far as that is allowed.
TEST_F(StrangersStopTest, SignalsTheGroupOfALeaderThatMayNotBeSignalled) {
  Spawned({.argv = {"/bin/cat"},
           .group = ProcessGroup::kNewGroup,
           .uid = kStrangersUid});
  ASSERT_TRUE(absl::IsPermissionDenied(lease_->Signal(SIGKILL)));
  auto second = Spawn({.argv = {"/bin/cat"},
                       .stdin_from = Stdio::Pipe(),
                       .join_group = child_.pid});
  ASSERT_TRUE(second.ok()) << second.status();
  ChildStop stop(lease_, {{{SIGKILL}}});
  EXPECT_EQ(stop.Begin(now_, false), Next::kWait);
  EXPECT_EQ(EndOf(&*second), ExitStatus::Killed(SIGKILL));
  EXPECT_EQ(EndOf(&child_), ExitStatus::Exited(0));
}

TEST(TimeUntilKillTest, IsTheSumOfTheWaitsBeforeIt) {
  EXPECT_EQ(TimeUntilKill(StopPlan()), seconds(5));
  EXPECT_EQ(TimeUntilKill({{{SIGKILL}}}), seconds(0));
  EXPECT_EQ(
      TimeUntilKill({{{SIGINT, seconds(1)}, {SIGTERM, seconds(2)}, {SIGKILL}}}),
      seconds(3));
  EXPECT_EQ(TimeUntilKill({{{SIGTERM, seconds(2)}}}), std::nullopt);
  EXPECT_EQ(TimeUntilKill({{{SIGTERM}}}), std::nullopt);
  EXPECT_EQ(TimeUntilKill({{}}), std::nullopt);
}

}  // namespace
}  // namespace troupe
