#include "process/unknown_exits.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ReapedChild Child(pid_t pid, int code) {
  return {pid, ExitReport{ExitStatus::Exited(code)}};
}

std::vector<pid_t> Pids(const std::vector<ReapedChild>& children) {
  std::vector<pid_t> pids;
  for (const ReapedChild& child : children) pids.push_back(child.pid);
  return pids;
}

TEST(UnknownExitsTest, GivesEachOnce) {
  UnknownExits exits(10);
  exits.Add(Child(5, 3));
  EXPECT_FALSE(exits.Take(6).has_value());
  auto report = exits.Take(5);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->status, ExitStatus::Exited(3));
  EXPECT_FALSE(exits.Take(5).has_value());
}

TEST(UnknownExitsTest, KnowsTheLatestProcessOfAPid) {
  UnknownExits exits(10);
  exits.Add(Child(5, 3));
  exits.Add(Child(5, 4));
  EXPECT_EQ(exits.size(), 1u);
  EXPECT_EQ(exits.Take(5)->status, ExitStatus::Exited(4));
}

TEST(UnknownExitsTest, ForgetsTheOldestBeyondItsLimit) {
  UnknownExits exits(2);
  for (pid_t pid : {1, 2, 3}) exits.Add(Child(pid, 0));
  EXPECT_EQ(exits.size(), 2u);
  EXPECT_FALSE(exits.Take(1).has_value());
  EXPECT_TRUE(exits.Take(2).has_value());
  EXPECT_TRUE(exits.Take(3).has_value());
}

TEST(UnknownExitsTest, NamesEachOnceWhenItWasSeenBefore) {
  UnknownExits exits(10);
  exits.Add(Child(1, 0));
  EXPECT_THAT(exits.Mature(), IsEmpty());
  exits.Add(Child(2, 0));
  EXPECT_THAT(Pids(exits.Mature()), ElementsAre(1));
  EXPECT_TRUE(exits.AnyUnnamed());
  EXPECT_THAT(Pids(exits.Mature()), ElementsAre(2));
  EXPECT_FALSE(exits.AnyUnnamed());
  EXPECT_THAT(exits.Mature(), IsEmpty());
  EXPECT_TRUE(exits.Take(1).has_value());
}

TEST(UnknownExitsTest, NamesAllThatAreLeft) {
  UnknownExits exits(10);
  exits.Add(Child(1, 0));
  exits.Add(Child(2, 0));
  (void)exits.Take(1);
  EXPECT_THAT(Pids(exits.Unnamed()), ElementsAre(2));
  EXPECT_THAT(exits.Unnamed(), IsEmpty());
}

}  // namespace
}  // namespace troupe
