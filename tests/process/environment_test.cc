#include "process/environment.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kParent[] = {"PATH=/bin", "A=1", "ODD", "B=x=y", nullptr};

TEST(EnvironmentTest, InheritsByDefault) {
  EXPECT_THAT(ResolveEnvironment({}, kParent),
              ElementsAre("PATH=/bin", "A=1", "ODD", "B=x=y"));
}

TEST(EnvironmentTest, EditsByWholeName) {
  EXPECT_THAT(
      ResolveEnvironment({.set = {{"A", ""}}, .unset = {"B", "P"}}, kParent),
      ElementsAre("PATH=/bin", "ODD", "A="));
}

TEST(EnvironmentTest, ReplacesWhenItDoesNotInherit) {
  EXPECT_THAT(ResolveEnvironment({.inherit = false}, kParent), IsEmpty());
  EXPECT_THAT(
      ResolveEnvironment({.inherit = false, .set = {{"C", "3"}}}, kParent),
      ElementsAre("C=3"));
}

TEST(EnvironmentTest, StandsAnAbsentParent) {
  EXPECT_THAT(ResolveEnvironment({}, nullptr), IsEmpty());
}

TEST(EnvironmentTest, FindsValues) {
  auto all = ResolveEnvironment({}, kParent);
  EXPECT_EQ(FindVariable(all, "B"), "x=y");
  EXPECT_EQ(FindVariable(all, "ODD"), std::nullopt);
  EXPECT_EQ(FindVariable(all, "PAT"), std::nullopt);
}

}  // namespace
}  // namespace troupe
