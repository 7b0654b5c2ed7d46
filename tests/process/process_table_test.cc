#include "process/process_table.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/reap.h"
#include "tests/process/grown_tree.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::Contains;
using ::testing::Field;

class ProcessTableTest : public LeakCheckedTest {};

TEST_F(ProcessTableTest, KnowsParentGroupAndSession) {
  GrownTree tree({"member", "group", "session"},
                 {.group = ProcessGroup::kNewSession});
  const pid_t leader = tree.leader().pid;
  auto entry = ReadProcess(leader);
  EXPECT_EQ(entry->parent, getpid());
  auto member = ReadProcess(tree.pid("member"));
  EXPECT_EQ(member->parent, leader);
  EXPECT_EQ(member->group, leader);
  EXPECT_EQ(member->session, leader);
  auto group = ReadProcess(tree.pid("group"));
  EXPECT_EQ(group->group, group->pid);
  EXPECT_EQ(group->session, leader);
  auto session = ReadProcess(tree.pid("session"));
  EXPECT_EQ(session->session, session->pid);
  auto listed = ListProcesses();
  ASSERT_TRUE(listed.ok());
  EXPECT_THAT(*listed, Contains(Field(&ProcessEntry::pid, session->pid)));
}

TEST_F(ProcessTableTest, TellsTheDeadFromTheLiving) {
  GrownTree tree({});
  EXPECT_TRUE(ReadProcess(tree.leader().pid)->IsAlive());
  kill(tree.leader().pid, SIGKILL);
  (void)AwaitExit(tree.leader().id());
  EXPECT_FALSE(ReadProcess(tree.leader().pid)->IsAlive());
  const pid_t pid = tree.leader().pid;
  tree.Reap();
  EXPECT_FALSE(ReadProcess(pid).has_value());
}

// A7: the number means another process now, as far as one can tell.
TEST_F(ProcessTableTest, DoesNotSignalAnotherProcessWithTheNumber) {
  GrownTree tree({});
  auto seen = ReadProcess(tree.leader().pid);
  ProcessEntry other = *seen;
  other.start -= 1;
  EXPECT_TRUE(absl::IsNotFound(SignalSeen(other, SIGKILL)));
  EXPECT_TRUE(SignalSeen(*seen, 0).ok());
  EXPECT_TRUE(SignalSeen(*seen, SIGTERM).ok());
  EXPECT_EQ(AwaitExit(tree.leader().id())->status, ExitStatus::Killed(SIGTERM));
  tree.Reap();
  EXPECT_TRUE(absl::IsNotFound(SignalSeen(*seen, SIGTERM)));
}

}  // namespace
}  // namespace troupe
