#include "process/tree_stop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "tests/process/grown_tree.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

const StopPlan kKill{{{SIGKILL}}};

class TreeStopTest : public LeakCheckedTest {
 protected:
  // Looks until nobody within reach is alive, at one and the same time: no
  // further rung is due.
  static TreeReport Finish(TreeStop& stop, TreeStop::Next next) {
    YieldUntil([&] {
      if (next == TreeStop::Next::kWait) next = *stop.OnTime(kStart);
      return next != TreeStop::Next::kWait;
    });
    EXPECT_EQ(next, TreeStop::Next::kDone);
    return stop.Report();
  }
  static TreeReport Kill(TreeTarget target) {
    auto stop = TreeStop::Make(std::move(target), kKill);
    EXPECT_TRUE(stop.ok()) << stop.status();
    return stop.ok() ? Finish(*stop, *stop->Begin(kStart)) : TreeReport{};
  }

  static constexpr TreeStop::TimePoint kStart{seconds(100)};
};

// Row A3: the group, not only the shell; who left it is named.
TEST_F(TreeStopTest, KillsAGroupAndNamesWhoLeftIt) {
  GrownTree tree({"member", "group", "session"},
                 {.group = ProcessGroup::kNewGroup});
  TreeReport report = Kill({.leader = tree.leader().pid});
  EXPECT_EQ(report.killed, tree.pids({"leader", "member"}));
  EXPECT_EQ(report.escaped, tree.pids({"group", "session"}));
  EXPECT_THAT(report.left, IsEmpty());
}

// Peers' row 62: jobs of a shell have groups of their own.
TEST_F(TreeStopTest, KillsASessionWithAllItsGroups) {
  GrownTree tree({"member", "group", "session"},
                 {.group = ProcessGroup::kNewSession});
  TreeReport report =
      Kill({.leader = tree.leader().pid, .reach = TreeReach::kSession});
  EXPECT_EQ(report.killed, tree.pids({"leader", "member", "group"}));
  EXPECT_EQ(report.escaped, tree.pids({"session"}));
}

TEST_F(TreeStopTest, KillsDescendantsWhateverGroupTheyHave) {
  GrownTree tree({"member", "group", "session"});
  TreeReport report =
      Kill({.leader = tree.leader().pid, .reach = TreeReach::kDescendants});
  EXPECT_EQ(report.killed, tree.pids({"leader", "member", "group", "session"}));
  EXPECT_THAT(report.escaped, IsEmpty());
  tree.AwaitEnd();
}

// Without its parent it is nobody's descendant; who has found it otherwise, by
// the pipe it holds or as a subreaper, is told that it lives.
TEST_F(TreeStopTest, NamesASuspectThatEscaped) {
  GrownTree tree({"member", "orphan"});
  TreeReport report = Kill({.leader = tree.leader().pid,
                            .reach = TreeReach::kDescendants,
                            .suspects = {tree.pid("orphan"), getpid()}});
  EXPECT_EQ(report.killed, tree.pids({"leader", "member"}));
  EXPECT_EQ(report.escaped, tree.pids({"orphan"}));
}

TEST_F(TreeStopTest, ASuspectWithinReachIsNoEscape) {
  GrownTree tree({"member"}, {.group = ProcessGroup::kNewGroup});
  TreeReport report =
      Kill({.leader = tree.leader().pid, .suspects = {tree.pid("member")}});
  EXPECT_EQ(report.killed, tree.pids({"leader", "member"}));
  EXPECT_THAT(report.escaped, IsEmpty());
}

// Peers' row 63: whoever has fled by setsid and lost its parent, too.
TEST_F(TreeStopTest, KillsACgroupFromWhichNobodyEscapes) {
  auto cgroup = Cgroup::Make();
  if (!cgroup.ok()) GTEST_SKIP() << cgroup.status();
  {
    GrownTree tree({"member", "group", "session", "orphan", "circle"},
                   {.cgroup = (*cgroup)->folder()});
    TreeReport report = Kill({.leader = tree.leader().pid,
                              .reach = TreeReach::kCgroup,
                              .cgroup = *cgroup,
                              .suspects = {tree.pid("orphan")}});
    EXPECT_THAT(report.killed,
                IsSupersetOf(tree.pids(
                    {"leader", "member", "group", "session", "orphan"})));
    EXPECT_THAT(report.escaped, IsEmpty());
    EXPECT_FALSE(*(*cgroup)->IsPopulated());
    tree.AwaitEnd();
  }
  EXPECT_TRUE((*cgroup)->Remove().ok());
}

// One that forks and ends in a circle never stands in the table for long; the
// signal to its group finds it all the same.
TEST_F(TreeStopTest, KillsWhoForksAndEndsInACircle) {
  for (TreeReach reach : {TreeReach::kGroup, TreeReach::kSession}) {
    GrownTree tree({"circle", "circle", "group"},
                   {.group = ProcessGroup::kNewSession});
    Kill({.leader = tree.leader().pid, .reach = reach});
    kill(tree.pid("group"), SIGKILL);
    tree.AwaitEnd();
  }
}

TEST_F(TreeStopTest, WalksThePlan) {
  GrownTree tree({"member", "ignore", "group"},
                 {.group = ProcessGroup::kNewSession});
  auto stop = TreeStop::Make(
      {.leader = tree.leader().pid, .reach = TreeReach::kSession},
      StopPlan{{{SIGTERM, seconds(5)}, {SIGKILL}}});
  ASSERT_TRUE(stop.ok());
  ASSERT_EQ(*stop->Begin(kStart), TreeStop::Next::kWait);
  EXPECT_LE(stop->wake_at(), kStart + seconds(5));
  const auto expected = tree.pids({"leader", "member", "group"});
  YieldUntil([&] {
    EXPECT_EQ(*stop->OnTime(kStart + seconds(4)), TreeStop::Next::kWait);
    return HasFailure() || stop->Report().killed.size() >= 3;
  });
  EXPECT_EQ(stop->Report().killed, expected);
  EXPECT_EQ(stop->Report().left, tree.pids({"ignore"}));
  auto next = stop->OnTime(kStart + seconds(5));
  EXPECT_EQ(Finish(*stop, *next).killed,
            tree.pids({"leader", "member", "group", "ignore"}));
}

TEST_F(TreeStopTest, NamesWhoIsLeftWhenThePlanIsOver) {
  GrownTree tree({"ignore"}, {.group = ProcessGroup::kNewGroup});
  auto stop = TreeStop::Make({.leader = tree.leader().pid},
                             StopPlan{{{SIGTERM, seconds(5)}}});
  ASSERT_TRUE(stop.ok());
  ASSERT_EQ(*stop->Begin(kStart), TreeStop::Next::kWait);
  (void)AwaitExit(tree.leader().id());
  EXPECT_EQ(*stop->OnTime(kStart + seconds(5)), TreeStop::Next::kGaveUp);
  EXPECT_EQ(stop->Report().killed, tree.pids({"leader"}));
  EXPECT_EQ(stop->Report().left, tree.pids({"ignore"}));
}

// Core rule 6: the zombie pins the numbers.
TEST_F(TreeStopTest, ALeaderThatHasEndedWillDo) {
  for (TreeReach reach : {TreeReach::kGroup, TreeReach::kSession}) {
    GrownTree tree({"member"}, {.group = ProcessGroup::kNewSession});
    kill(tree.leader().pid, SIGKILL);
    (void)AwaitExit(tree.leader().id());
    TreeReport report = Kill({.leader = tree.leader().pid, .reach = reach});
    EXPECT_EQ(report.killed, tree.pids({"member"}));
  }
}

// Row A7.
TEST_F(TreeStopTest, AReapedLeaderPinsNothing) {
  GrownTree tree({"member", "ignore"}, {.group = ProcessGroup::kNewGroup});
  auto stop = TreeStop::Make({.leader = tree.leader().pid},
                             StopPlan{{{SIGTERM, seconds(5)}, {SIGKILL}}});
  ASSERT_TRUE(stop.ok());
  ASSERT_EQ(*stop->Begin(kStart), TreeStop::Next::kWait);
  const pid_t leader = tree.leader().pid;
  tree.Reap();
  EXPECT_EQ(TreeStop::Make({.leader = leader}, kKill).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // The number may be a stranger's now.
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t stranger = fork();
  if (stranger == 0) {
    if (setpgid(0, leader) != 0 || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  close(ready[1]);
  // Who was known before is still stopped, by his pidfd.
  auto next = stop->OnTime(kStart + seconds(5));
  EXPECT_THAT(Finish(*stop, *next).killed, IsSupersetOf(tree.pids({"ignore"})));
  EXPECT_TRUE(ReadProcess(stranger)->IsAlive());
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
}

TEST_F(TreeStopTest, RefusesWhatIsNoTreeOfOurs) {
  GrownTree tree({"member"});
  auto refused = [](TreeTarget target) {
    return std::string(TreeStop::Make(target, kKill).status().message());
  };
  const pid_t leader = tree.leader().pid;
  EXPECT_EQ(refused({.leader = leader}),
            absl::StrCat("process ", leader, " leads no process group"));
  EXPECT_EQ(refused({.leader = leader, .reach = TreeReach::kSession}),
            absl::StrCat("process ", leader, " leads no session"));
  EXPECT_EQ(refused({.leader = leader, .reach = TreeReach::kCgroup}),
            "a tree by cgroup needs the cgroup");
  const pid_t member = tree.pid("member");
  for (pid_t pid : {member, getpid(), 1, 0, -1}) {
    EXPECT_EQ(
        refused({.leader = pid}),
        absl::StrCat("process ", pid, " is no child of ours, or is reaped"));
  }
}

}  // namespace
}  // namespace troupe
