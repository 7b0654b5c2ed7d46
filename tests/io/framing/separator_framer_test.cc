#include "io/framing/separator_framer.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "io/framing/exact_framer.h"
#include "tests/io/framing/framed_stream.h"
#include "tests/support/leak_check.h"

namespace troupe {
namespace {

using Ending = SeparatorFramer::Ending;

class SeparatorFramerTest : public LeakCheckedTest {
 protected:
  static SeparatorFramer Make(SeparatorFramer::Options options = {}) {
    auto framer = SeparatorFramer::Create(std::move(options));
    EXPECT_TRUE(framer.ok()) << framer.status();
    return *std::move(framer);
  }
  static absl::Status Refusal(SeparatorFramer::Options options) {
    return SeparatorFramer::Create(std::move(options)).status();
  }
};

// Row H15.
TEST_F(SeparatorFramerTest, CutsLinesAndGivesTheRestAtTheEnd) {
  auto framer = Make();
  EXPECT_EQ(FramesOf(framer, {"one\ntw", "", "o\n\nth", "ree"}),
            Frames({{Kind::kComplete, "one"},
                    {Kind::kComplete, "two"},
                    {Kind::kComplete, ""},
                    {Kind::kIncomplete, "three"}}));
}

TEST_F(SeparatorFramerTest, GivesNothingAtTheEndOfAStreamThatEndsInASeparator) {
  auto framer = Make();
  EXPECT_EQ(FramesOf(framer, {}), Frames());
  EXPECT_EQ(FramesOf(framer, {"one\n"}), Frames({{Kind::kComplete, "one"}}));
}

TEST_F(SeparatorFramerTest, GivesEachFrameAsSoonAsItIsThere) {
  auto framer = Make();
  Bytes rest = Bytes::Copy("one\ntwo\nthr");
  EXPECT_EQ(framer.Next(rest)->bytes.view(), "one");
  EXPECT_EQ(rest.view(), "two\nthr");
  EXPECT_EQ(framer.Next(rest)->bytes.view(), "two");
  EXPECT_EQ(rest.view(), "thr");
  EXPECT_FALSE(framer.Next(rest).has_value());
  EXPECT_TRUE(rest.empty());
}

TEST_F(SeparatorFramerTest, KeepsTheEndingWhenAsked) {
  auto framer = Make({.ending = Ending::kKept});
  EXPECT_EQ(FramesOf(framer, {"a\n\nb", "\r\n"}),
            Frames({{Kind::kComplete, "a\n"},
                    {Kind::kComplete, "\n"},
                    {Kind::kComplete, "b\r\n"}}));
}

TEST_F(SeparatorFramerTest, CutsOneCarriageReturnWhenAsked) {
  auto framer = Make({.ending = Ending::kCutWithCr});
  EXPECT_EQ(FramesOf(framer, {"a\r\nb\nc\r", "\n\r\n\n\rd\r\r\ne\r"}),
            Frames({{Kind::kComplete, "a"},
                    {Kind::kComplete, "b"},
                    {Kind::kComplete, "c"},
                    {Kind::kComplete, ""},
                    {Kind::kComplete, ""},
                    {Kind::kComplete, "\rd\r"},
                    {Kind::kIncomplete, "e\r"}}));
  auto plain = Make();
  EXPECT_EQ(FramesOf(plain, {"a\r\n"}), Frames({{Kind::kComplete, "a\r"}}));
  // What is in front of the frame is not in it.
  auto returns = Make({.separator = "\r", .ending = Ending::kCutWithCr});
  EXPECT_EQ(FramesOf(returns, {"\r\r"}),
            Frames({{Kind::kComplete, ""}, {Kind::kComplete, ""}}));
}

// Row H16.
TEST_F(SeparatorFramerTest, EndsAtASeparatorThatOverlapsItself) {
  ForEveryCut("aaabxaabaab", [](const Pieces& pieces) {
    auto framer = Make({.separator = "aab"});
    EXPECT_EQ(FramesOf(framer, pieces), Frames({{Kind::kComplete, "a"},
                                                {Kind::kComplete, "x"},
                                                {Kind::kComplete, ""}}));
  });
}

TEST_F(SeparatorFramerTest, TakesAnyByteForASeparator) {
  for (int c = 0; c < 256; ++c) {
    std::string separator(1, static_cast<char>(c));
    std::string other(1, static_cast<char>(c + 1));
    auto framer = Make({.separator = separator});
    EXPECT_EQ(FramesOf(framer, {other + separator + other}),
              Frames({{Kind::kComplete, other}, {Kind::kIncomplete, other}}));
  }
}

TEST_F(SeparatorFramerTest, IsAsNewAfterTheEnd) {
  auto framer = Make({.separator = "ab"});
  EXPECT_EQ(FramesOf(framer, {"xa"}), Frames({{Kind::kIncomplete, "xa"}}));
  EXPECT_EQ(FramesOf(framer, {"bab"}), Frames({{Kind::kComplete, "b"}}));
}

// Rows A4, H15, H16: the limit counts what is in front of the separator.
TEST_F(SeparatorFramerTest, TakesAFrameOfTheLimitAndNoneThatIsOneByteLonger) {
  ForEveryCut("ab\r\nabc\r\nd\r\n", [](const Pieces& pieces) {
    auto framer = Make({.separator = "\r\n", .limit = 2});
    EXPECT_EQ(FramesOf(framer, pieces),
              Frames({{Kind::kComplete, "ab"},
                      {Kind::kTooLongEnd, "abc\r\n", true},
                      {Kind::kComplete, "d"}}));
  });
}

TEST_F(SeparatorFramerTest, SaysTooLongBeforeTheFrameEnds) {
  auto framer = Make({.separator = "\r\n", .limit = 4});
  Bytes rest = Bytes::Copy("abcd");
  EXPECT_FALSE(framer.Next(rest).has_value());
  rest = Bytes::Copy("ef");
  auto frame = framer.Next(rest);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kTooLong);
  EXPECT_EQ(frame->bytes.view(), "abcdef");
  rest = Bytes::Copy("g");
  frame = framer.Next(rest);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kTooLong);
  EXPECT_EQ(frame->bytes.view(), "g");
}

TEST_F(SeparatorFramerTest, FindsTheSeparatorThatLiesAcrossParts) {
  ForEveryCut("xxaaaab1aab", [](const Pieces& pieces) {
    auto framer = Make({.separator = "aab", .limit = 2});
    EXPECT_EQ(
        FramesOf(framer, pieces),
        Frames({{Kind::kTooLongEnd, "xxaaaab", true}, {Kind::kComplete, "1"}}));
  });
}

TEST_F(SeparatorFramerTest, SaysThatTheStreamEndedInALongFrame) {
  auto framer = Make({.limit = 2});
  EXPECT_EQ(FramesOf(framer, {"abc"}),
            Frames({{Kind::kIncomplete, "abc", true}}));
  EXPECT_EQ(FramesOf(framer, {"a\n"}), Frames({{Kind::kComplete, "a"}}));
}

TEST_F(SeparatorFramerTest, LeavesWhatIsBehindAFrameToAnotherFramer) {
  ForEveryCut("n3\r\n\r\nab\nc\n", [](const Pieces& pieces) {
    auto header = Make({.separator = "\r\n\r\n"});
    ExactFramer body(3);
    auto lines = Make();
    std::vector<std::string> got;
    for (absl::string_view piece : pieces) {
      Bytes rest = Bytes::Copy(piece);
      for (;;) {
        auto frame = got.size() == 0   ? header.Next(rest)
                     : got.size() == 1 ? body.Next(rest)
                                       : lines.Next(rest);
        if (!frame.has_value()) break;
        EXPECT_EQ(frame->kind, Kind::kComplete);
        got.push_back(frame->bytes.ToString());
      }
    }
    EXPECT_EQ(got, std::vector<std::string>({"n3", "ab\n", "c"}));
  });
}

TEST_F(SeparatorFramerTest, HasNoLimitWhenItIsTheLargest) {
  auto framer =
      Make({.separator = "\r\n", .limit = std::numeric_limits<size_t>::max()});
  EXPECT_EQ(FramesOf(framer, {"abc", "\r\nd"}),
            Frames({{Kind::kComplete, "abc"}, {Kind::kIncomplete, "d"}}));
}

// Rows H13, H16.
TEST_F(SeparatorFramerTest, RefusesAnEmptySeparatorAndALimitOfNothing) {
  EXPECT_EQ(Refusal({.separator = ""}),
            absl::InvalidArgumentError(
                "Separator should be at least one-byte string"));
  EXPECT_EQ(Refusal({.limit = 0}),
            absl::InvalidArgumentError("Limit cannot be <= 0"));
}

// A search that looks again at what is there, with each byte that comes, makes
// 10^11 steps of this.
TEST_F(SeparatorFramerTest, LooksAtEachByteOfAHugeFrameOnce) {
  constexpr size_t kSize = 1 << 19;
  auto framer = Make({.separator = "ab", .limit = kSize});
  Bytes all(std::string(kSize, 'a') + "ab");
  for (size_t i = 0; i < kSize + 1; ++i) {
    Bytes piece = all.TakeFirst(1);
    ASSERT_FALSE(framer.Next(piece).has_value());
  }
  auto frame = framer.Next(all);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kComplete);
  EXPECT_EQ(frame->bytes.size(), kSize);
}

// A search that begins again behind each false start compares 10^12 bytes.
TEST_F(SeparatorFramerTest, DoesNotBeginAgainInASeparatorThatIsAlmostThere) {
  constexpr size_t kSize = 4 << 20, kLong = kSize / 2;
  auto framer =
      Make({.separator = std::string(kLong, 'a') + 'b', .limit = kSize});
  Bytes all(std::string(kSize, 'a') + 'b');
  auto frame = framer.Next(all);
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->kind, Kind::kComplete);
  EXPECT_EQ(frame->bytes.size(), kSize - kLong);
}

}  // namespace
}  // namespace troupe
