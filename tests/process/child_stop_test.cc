// The walk without an actor: what to do next, by a clock the test turns.
#include "process/child_stop.h"

#include <signal.h>

#include <chrono>
#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "process/reap.h"
#include "process/spawn.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Next = ChildStop::Next;

class ChildStopTest : public LeakCheckedTest {
 protected:
  // A child that ignores SIGTERM and is killed by the fixture, if need be.
  void Spawned(ProcessGroup group) {
    auto child = Spawn({.argv = {ChildProgram("ignore_sigterm")},
                        .stdin_from = Stdio::Pipe(),
                        .stdout_to = Stdio::Pipe(),
                        .group = group});
    ASSERT_TRUE(child.ok()) << child.status();
    child_ = *std::move(child);
    ReadBytes(child_.stdout_pipe.get(), 1);
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
