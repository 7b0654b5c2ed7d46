#include "examples/troupe/color.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(ColorTest, IsForTerminalsOnly) {
  EXPECT_TRUE(UseColor(false, true, nullptr));
  EXPECT_FALSE(UseColor(false, false, nullptr));
}

TEST(ColorTest, IsOffWhenTheFlagSaysSo) {
  EXPECT_FALSE(UseColor(true, true, nullptr));
}

TEST(ColorTest, IsOffWhenNoColorHasAnyValueButTheEmptyOne) {
  EXPECT_FALSE(UseColor(false, true, "1"));
  EXPECT_FALSE(UseColor(false, true, "0"));
  EXPECT_TRUE(UseColor(false, true, ""));
}

}  // namespace
}  // namespace troupe
