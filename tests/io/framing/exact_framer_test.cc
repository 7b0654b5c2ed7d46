#include "io/framing/exact_framer.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/io/framing/framed_stream.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

class ExactFramerTest : public LeakCheckedTest {};

// Row H17.
TEST_F(ExactFramerTest, GivesExactlyThatManyBytesHoweverTheyCome) {
  ForEveryCut("12345", [](const Pieces& pieces) {
    ExactFramer framer(5);
    EXPECT_EQ(FramesOf(framer, pieces), Frames({{Kind::kComplete, "12345"}}));
  });
}

TEST_F(ExactFramerTest, LeavesTheRestAlone) {
  ExactFramer framer(2);
  Bytes rest = Bytes::Copy("1234");
  EXPECT_EQ(framer.Next(rest)->bytes.view(), "12");
  EXPECT_FALSE(framer.Next(rest).has_value());
  EXPECT_FALSE(framer.Finish().has_value());
  EXPECT_EQ(rest.view(), "34");
}

// Row H17: `.partial`.
TEST_F(ExactFramerTest, GivesWhatIsThereAtTheEnd) {
  ForEveryCut("123", [](const Pieces& pieces) {
    ExactFramer framer(5);
    EXPECT_EQ(FramesOf(framer, pieces), Frames({{Kind::kIncomplete, "123"}}));
  });
  ExactFramer framer(5);
  EXPECT_EQ(FramesOf(framer, {}), Frames({{Kind::kIncomplete, ""}}));
}

TEST_F(ExactFramerTest, HasAFrameOfNoBytesAtOnce) {
  ExactFramer framer(0);
  Bytes nothing;
  auto frame = framer.Next(nothing);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kComplete);
  EXPECT_FALSE(framer.Next(nothing).has_value());
  ExactFramer not_asked(0);
  EXPECT_EQ(FramesOf(not_asked, {}), Frames({{Kind::kComplete, ""}}));
}

// Rows A4, H17: works for more than the limit.
TEST_F(ExactFramerTest, StreamsWhatIsOverTheLimitThrough) {
  ExactFramer at_limit(4, 4);
  EXPECT_EQ(FramesOf(at_limit, {"12", "34"}),
            Frames({{Kind::kComplete, "1234"}}));
  ForEveryCut("12345", [](const Pieces& pieces) {
    ExactFramer framer(5, 4);
    size_t i = 0;
    for (absl::string_view piece : pieces) {
      Bytes rest = Bytes::Copy(piece);
      const char* data = rest.data();
      auto frame = framer.Next(rest);
      ASSERT_TRUE(frame.has_value());
      EXPECT_EQ(frame->kind,
                ++i == pieces.size() ? Kind::kTooLongEnd : Kind::kTooLong);
      EXPECT_EQ(frame->bytes.view(), piece);
      EXPECT_EQ(frame->bytes.data(), data);
      EXPECT_FALSE(framer.Next(rest).has_value());
    }
  });
}

TEST_F(ExactFramerTest, SaysThatTheStreamEndedInALongFrame) {
  ExactFramer framer(5, 4);
  EXPECT_EQ(FramesOf(framer, {"", "1", "234"}),
            Frames({{Kind::kIncomplete, "1234", true}}));
}

}  // namespace
}  // namespace troupe
