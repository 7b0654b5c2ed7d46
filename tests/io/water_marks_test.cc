#include "io/water_marks.h"

#include <cstdint>
#include <optional>

#include "gtest/gtest.h"

namespace troupe {
namespace {

using Change = WaterMarks::Change;

void ExpectMarks(std::optional<size_t> high, std::optional<size_t> low,
                 size_t expected_high, size_t expected_low) {
  auto marks = WaterMarks::Create(high, low);
  ASSERT_TRUE(marks.ok()) << marks.status();
  EXPECT_EQ(marks->high(), expected_high);
  EXPECT_EQ(marks->low(), expected_low);
}

// Row W17.
TEST(WaterMarksTest, DeriveOneMarkFromTheOther) {
  ExpectMarks({}, {}, 65536, 16384);
  ExpectMarks({}, 100, 400, 100);
  ExpectMarks(100, {}, 100, 25);
  ExpectMarks(0, {}, 0, 0);
  ExpectMarks(100, 100, 100, 100);
  EXPECT_EQ(WaterMarks().high(), 65536u);
  EXPECT_EQ(WaterMarks().low(), 16384u);
}

// Row W17.
TEST(WaterMarksTest, RefuseALowMarkAboveTheHighOneWithAsynciosText) {
  auto marks = WaterMarks::Create(0, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(marks.status()));
  EXPECT_EQ(marks.status().message(),
            "high (0) must be >= low (1) must be >= 0");
}

// Four times a huge low mark does not fit.
TEST(WaterMarksTest, DoNotOverflow) {
  size_t huge = SIZE_MAX / 2;
  auto marks = WaterMarks::Create({}, huge);
  ASSERT_TRUE(marks.ok()) << marks.status();
  EXPECT_EQ(marks->low(), huge);
  EXPECT_EQ(marks->high(), SIZE_MAX);
}

// Row W18.
TEST(WaterMarksTest, PauseAboveTheHighMarkOnceAndResumeAtTheLowOne) {
  WaterMarks marks;
  EXPECT_EQ(marks.Next(false, 65536), Change::kNone);
  EXPECT_EQ(marks.Next(false, 65537), Change::kPause);
  EXPECT_EQ(marks.Next(true, 98304), Change::kNone);
  EXPECT_EQ(marks.Next(true, 16385), Change::kNone);
  EXPECT_EQ(marks.Next(true, 16384), Change::kResume);
  EXPECT_EQ(marks.Next(false, 0), Change::kNone);
}

TEST(WaterMarksTest, AtZeroPauseOnAnyByteAndResumeAtNone) {
  WaterMarks marks = *WaterMarks::Create(0, {});
  EXPECT_EQ(marks.Next(false, 0), Change::kNone);
  EXPECT_EQ(marks.Next(false, 1), Change::kPause);
  EXPECT_EQ(marks.Next(true, 1), Change::kNone);
  EXPECT_EQ(marks.Next(true, 0), Change::kResume);
}

}  // namespace
}  // namespace troupe
