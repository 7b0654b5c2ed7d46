#include "examples/troupe/timeout.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(TimeoutTest, ReadsTimesWithUnits) {
  EXPECT_EQ(*ParseTimeout("5s"), absl::Seconds(5));
  EXPECT_EQ(*ParseTimeout("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseTimeout("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ParseTimeout("8760h"), absl::Hours(8760));
}

TEST(TimeoutTest, TakesAPlainNumberForSeconds) {
  EXPECT_EQ(*ParseTimeout("5"), absl::Seconds(5));
  EXPECT_EQ(*ParseTimeout("0.25"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseTimeout("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseTimeout("1m30"), absl::Seconds(90));
}

TEST(TimeoutTest, RefusesWhatIsNoTime) {
  for (std::string text : {"", "s", "five", "5x", "5 s", "5s ", "--"}) {
    EXPECT_EQ(ParseTimeout(text).status().message(),
              "\"" + text + "\" is not a time such as 5s, 500ms or 1m30s");
  }
}

TEST(TimeoutTest, RefusesATimeThatAClockCannotHold) {
  for (const char* text : {"-1s", "-1", "inf", "-inf", "8761h", "1e30"}) {
    EXPECT_FALSE(ParseTimeout(text).ok()) << text;
  }
  EXPECT_EQ(ParseTimeout("-1s").status().message(),
            "\"-1s\" is not between 0 and 8760h");
}

TEST(TimeoutTest, RoundsATextDownToWhatAReaderWantsToKnow) {
  EXPECT_EQ(TimeoutText(absl::Microseconds(12345)), "12ms");
  EXPECT_EQ(TimeoutText(absl::Milliseconds(3277)), "3.2s");
  EXPECT_EQ(TimeoutText(absl::Milliseconds(92900)), "1m32s");
  EXPECT_EQ(TimeoutText(absl::ZeroDuration()), "0");
}

}  // namespace
}  // namespace troupe
