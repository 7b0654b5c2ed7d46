#include "process/descriptor_limit.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/process/ran_child.h"
#include "tests/support/child_program.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

// Runs with a soft limit of 200 and puts the limits back.
class DescriptorLimitTest : public LeakCheckedTest {
 protected:
  DescriptorLimitTest() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = {200, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
  }
  ~DescriptorLimitTest() override {
    EXPECT_TRUE(RestoreDescriptorLimit().ok());
    setrlimit(RLIMIT_NOFILE, &before_);
  }

  static rlim_t Soft() {
    rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
  }

  static std::string ChildsLimit(const Command& command) {
    return Facts(OutputOf(command))["nofile"];
  }

  rlimit before_;
};

TEST_F(DescriptorLimitTest, RaisesTheSoftLimitToTheHardOne) {
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  EXPECT_EQ(Soft(), before_.rlim_max);
  EXPECT_EQ(OriginalDescriptorLimit(), 200u);
}

TEST_F(DescriptorLimitTest, RemembersTheFirstLimitWhenRaisedAgain) {
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  EXPECT_EQ(OriginalDescriptorLimit(), 200u);
}

TEST_F(DescriptorLimitTest, RestoresTheOldDescriptorLimit) {
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  ASSERT_TRUE(RestoreDescriptorLimit().ok());
  EXPECT_EQ(Soft(), 200u);
  EXPECT_EQ(OriginalDescriptorLimit(), std::nullopt);
}

// Core rule 5: children get the old limit back.
TEST_F(DescriptorLimitTest, GivesChildrenTheOldLimit) {
  Command command = {.argv = {ChildProgram("print_self")}};
  ASSERT_TRUE(RaiseDescriptorLimit().ok());
  EXPECT_EQ(ChildsLimit(command), "200");
  command.limits = {{RLIMIT_NOFILE, 150, 150}};
  EXPECT_EQ(ChildsLimit(command), "150");
}

TEST_F(DescriptorLimitTest, LeavesChildrenTheirLimitWhenNothingWasRaised) {
  EXPECT_EQ(ChildsLimit({.argv = {ChildProgram("print_self")}}), "200");
}

}  // namespace
}  // namespace troupe
