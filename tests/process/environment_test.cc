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
  EXPECT_EQ(FindVariable(kParent, "B"), "x=y");
  EXPECT_EQ(FindVariable(kParent, "ODD"), std::nullopt);
  EXPECT_EQ(FindVariable(kParent, "PAT"), std::nullopt);
}

// Then nothing is copied.
TEST(EnvironmentTest, KnowsWhenItIsOurs) {
  EXPECT_TRUE(Environment().IsOurs());
  EXPECT_FALSE(Environment{.inherit = false}.IsOurs());
  EXPECT_FALSE((Environment{.set = {{"A", ""}}}.IsOurs()));
  EXPECT_FALSE((Environment{.unset = {"A"}}.IsOurs()));
}

}  // namespace
}  // namespace troupe
