#include "process/process_tree.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"
#include "tests/support/yield_until.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;

// A leader that ends at once, unreaped, and a grandchild that lives on in its
// group with our stdout pipe.
class ProcessTreeTest : public LeakCheckedTest {
 protected:
  void SetUp() override {
    auto child = Spawn({.argv = {ChildProgram("hold_stdout")},
                        .stdin_from = Stdio::Pipe(),
                        .stdout_to = Stdio::Pipe(),
                        .group = ProcessGroup::kNewGroup});
    ASSERT_TRUE(child.ok()) << child.status();
    leader_ = *std::move(child);
    std::string line;
    while (line.empty() || line.back() != '\n') {
      line += ReadBytes(leader_.stdout_pipe.get(), 1);
    }
    ASSERT_TRUE(absl::SimpleAtoi(line, &grandchild_));
    ASSERT_EQ(AwaitExit(leader_.id())->status, ExitStatus::Exited(0));
  }

  // The pipe ends when the grandchild is about to be gone.
  void AwaitGrandchild() { ReadToEnd(leader_.stdout_pipe.get()); }

  SpawnedChild leader_;
  pid_t grandchild_ = 0;
};

TEST_F(ProcessTreeTest, ListsMembersOtherThanTheLeader) {
  EXPECT_THAT(*GroupMembers(leader_.pid), ElementsAre(grandchild_));
  leader_.stdin_pipe.Close();
  AwaitGrandchild();
  EndOf(&leader_);
}

// Core rule 6: the unreaped leader pins the number, so the rest can be reached.
TEST_F(ProcessTreeTest, SignalsTheGroupWhileTheLeaderIsNotReaped) {
  EXPECT_TRUE(SignalGroup(leader_.pid, SIGKILL).ok());
  AwaitGrandchild();
  EXPECT_TRUE(YieldUntil([&] { return GroupMembers(leader_.pid)->empty(); }));
  EXPECT_TRUE(SignalGroup(leader_.pid, 0).ok());
  EndOf(&leader_);
  // The grandchild's own zombie is init's to reap, so the group may or may not
  // be there still.
}

// A dead member cannot be signalled to death; counting it would wait for ever.
TEST_F(ProcessTreeTest, DoesNotListTheDead) {
  pid_t zombie = fork();
  if (zombie == 0) _exit(setpgid(0, leader_.pid));
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(info.si_status, 0);
  EXPECT_THAT(*GroupMembers(leader_.pid), ElementsAre(grandchild_));
  waitpid(zombie, nullptr, 0);
  leader_.stdin_pipe.Close();
  AwaitGrandchild();
  EndOf(&leader_);
}

TEST(SignalGroupTest, RefusesNumbersThatMeanEverybody) {
  for (pid_t group : {0, 1, -1, -5, getpgrp()}) {
    EXPECT_EQ(SignalGroup(group, 0).message(),
              absl::StrCat("not a child's process group: ", group));
  }
}

TEST(SignalGroupTest, TellsAGroupThatIsNotThere) {
  EXPECT_TRUE(absl::IsNotFound(SignalGroup(0x3fffff, 0)));
}

}  // namespace
}  // namespace troupe
