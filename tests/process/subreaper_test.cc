#include "process/subreaper.h"

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/process_table.h"
#include "process/reap.h"
#include "tests/process/grown_tree.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SubreaperTest : public LeakCheckedTest {
 protected:
  static std::vector<pid_t> Pids(const std::function<bool(pid_t)>& skip) {
    std::vector<pid_t> pids;
    auto children = OwnChildren(skip);
    EXPECT_TRUE(children.ok()) << children.status();
    for (const ProcessEntry& child : *children) pids.push_back(child.pid);
    return pids;
  }
};

// Grandchildren are not ours while their parent lives.
TEST_F(SubreaperTest, ListsOurChildrenTheDeadIncluded) {
  GrownTree living({"member"}), dead({});
  kill(dead.leader().pid, SIGKILL);
  (void)AwaitExit(dead.leader().id());
  EXPECT_THAT(Pids([](pid_t) { return false; }),
              UnorderedElementsAre(living.leader().pid, dead.leader().pid));
}

TEST_F(SubreaperTest, ListsNobodyWhoIsToBeSkipped) {
  GrownTree one({}), other({});
  EXPECT_THAT(Pids([&](pid_t pid) { return pid == one.leader().pid; }),
              ElementsAre(other.leader().pid));
  EXPECT_THAT(Pids([](pid_t) { return true; }), IsEmpty());
}

TEST_F(SubreaperTest, KnowsWhetherItIsOne) {
  EXPECT_TRUE(SetSubreaper(true).ok());
  EXPECT_TRUE(IsSubreaper());
  EXPECT_TRUE(SetSubreaper(false).ok());
  EXPECT_FALSE(IsSubreaper());
}

}  // namespace
}  // namespace troupe
